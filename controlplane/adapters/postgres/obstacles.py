"""What stands in a migration's way, found before anything is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from psycopg import errors as pg

from controlplane.adapters.postgres import fence, queries
from controlplane.adapters.postgres.connection import Connection, Connector
from controlplane.domain.errors import Invalid
from controlplane.domain.migration.evidence import Obstacle
from controlplane.ports import Login

STRATEGIES = ("in_place", "snapshot_restore", "logical_replication", "rds_blue_green")
LONGEST_SECONDS = 60
_RDS_LOGINS = ("rdsadmin", "rdsrepladmin", "rdsproxyadmin", "rdstopmgr", "rdswriteforwarduser")
# Extensions whose background workers write although no application is logged in.
_WRITERS = ("pg_cron", "pg_partman_bgw", "timescaledb", "pgl_ddl_deploy")

Finder = Callable[[Connection], Iterator[Obstacle]]


def find(connector: Connector, control: Login, strategy: str) -> list[Obstacle]:
    if strategy not in STRATEGIES:
        raise Invalid(f"{strategy!r} is no strategy: one of {', '.join(STRATEGIES)}")
    doing = f"looking for what stands in the way of {strategy}"
    with connector.open(control, doing) as connection:
        return [one for finder in _FINDERS[strategy] for one in finder(connection)]


def _names(connection: Connection, query: str) -> list[str]:
    return [str(name) for (name,) in connection.execute(query.encode()).fetchall()]


def _listed(names: Sequence[str], most: int = 8) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


# --- for every strategy -----------------------------------------------------------------------------


def _open_work(connection: Connection) -> Iterator[Obstacle]:
    prepared = fence.prepared_transactions(connection)
    if prepared:
        yield Obstacle(
            "prepared transactions", _listed(prepared), "COMMIT PREPARED or ROLLBACK PREPARED each of them"
        )
    longest = longest_transaction_seconds(connection)
    if longest > LONGEST_SECONDS:
        yield Obstacle(
            "long transaction", f"one is open for {longest:.0f} s", "wait for it or end it, then try again"
        )


def longest_transaction_seconds(connection: Connection) -> float:
    row = connection.execute(
        "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8"
        " FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    ).fetchone()
    return float(row[0]) if row else 0.0


def _logins(connection: Connection) -> Iterator[Obstacle]:
    roles = fence.login_roles(connection)
    stuck = fence.out_of_reach(roles)
    if stuck:
        yield Obstacle(
            "logins that the fence cannot close",
            _listed(stuck),
            f"as who made them: GRANT {', '.join(stuck)} TO cp_control WITH ADMIN OPTION",
        )
    masters = [role.name for role in roles if role.can_login and role.is_master and not role.may_close]
    if masters:
        yield Obstacle(
            "the master stays open",
            f"{_listed(masters)}: only its sessions are ended; nobody but us may know its password",
            "rotate the master password before, where an application ever had it",
            blocks=False,
        )
    disguised = _names(
        connection, "SELECT rolname FROM pg_roles WHERE rolcanlogin AND NOT rolsuper AND rolname ~ '^rds'"
    )
    strange = [name for name in disguised if name not in _RDS_LOGINS]
    if strange:
        yield Obstacle(
            "logins named like RDS's own", f"{_listed(strange)}: the fence spares them", "rename them"
        )
    if not _holds(connection, "pg_has_role(current_user, 'pg_signal_backend', 'USAGE')"):
        yield Obstacle("cp_control cannot end sessions", "it is no member of pg_signal_backend", "rotate it")


def _other_writers(connection: Connection) -> Iterator[Obstacle]:
    workers = [name for name in _names(connection, "SELECT extname FROM pg_extension") if name in _WRITERS]
    if workers:
        yield Obstacle(
            "writers without a login", f"{_listed(workers)} may write under the fence", "pause their jobs"
        )
    following = _names(
        connection,
        "SELECT subname FROM pg_subscription WHERE subenabled AND subdbid ="
        " (SELECT oid FROM pg_database WHERE datname = current_database()) AND subname !~ '^controlplane_'",
    )
    if following:
        yield Obstacle(
            "it follows another database", _listed(following), "disable these subscriptions before"
        )


def _unlogged(connection: Connection) -> Iterator[Obstacle]:
    found = _names(connection, queries.UNLOGGED_TABLES)
    if found:
        yield Obstacle(
            "unlogged tables",
            f"{_listed(found)}: they arrive empty",
            "ALTER TABLE … SET LOGGED, or drop them",
        )


# --- for logical replication ------------------------------------------------------------------------


def _replica_identity(connection: Connection) -> Iterator[Obstacle]:
    found = _names(connection, queries.WITHOUT_IDENTITY)
    if found:
        yield Obstacle(
            "tables without a replica identity",
            f"{_listed(found)}: their updates and deletes cannot be replicated",
            "give them a primary key, or ALTER TABLE … REPLICA IDENTITY FULL",
        )


def _large_objects(connection: Connection) -> Iterator[Obstacle]:
    row = connection.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone()
    if row and row[0]:
        yield Obstacle(
            "large objects",
            f"{row[0]} of them: they are not replicated",
            "move them to bytea, or snapshot_restore",
        )


def _publisher(connection: Connection) -> Iterator[Obstacle]:
    if not _holds(connection, "current_setting('wal_level') = 'logical'"):
        yield Obstacle(
            "logical decoding is off",
            "wal_level is not logical",
            "rds.logical_replication = 1 in the parameter group and a reboot",
        )
        return
    foreign = _names(connection, queries.FOREIGN_TABLES)
    if foreign:
        yield Obstacle(
            "tables that cp_control may not publish", _listed(foreign), "ALTER TABLE … OWNER TO app_owner"
        )
    if not _may(connection, "SELECT pg_create_physical_replication_slot('controlplane_trial', false, true)"):
        yield Obstacle(
            "cp_control cannot replicate", "it may not make a slot, or none is free",
            "GRANT rds_replication TO cp_control; raise max_replication_slots",
        )  # fmt: skip
    else:
        connection.execute("SELECT pg_drop_replication_slot('controlplane_trial')")


def _subscriber(connection: Connection) -> Iterator[Obstacle]:
    trial = (
        "CREATE SUBSCRIPTION controlplane_trial CONNECTION 'host=127.0.0.1 user=nobody password=none'"
        " PUBLICATION none WITH (connect = false, enabled = false, create_slot = false, slot_name = NONE)"
    )
    if not _may(connection, trial):
        yield Obstacle(
            "cp_control cannot subscribe",
            "it may not make a subscription",
            "GRANT rds_superuser TO cp_control, or pg_create_subscription from PostgreSQL 16 on",
        )


def _may(connection: Connection, statement: str) -> bool:
    """Whether this would be allowed: tried, and rolled back where that undoes it."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement.encode())
    except (pg.InsufficientPrivilege, pg.ConfigurationLimitExceeded):
        return False
    return True


def _holds(connection: Connection, condition: str) -> bool:
    row = connection.execute(f"SELECT {condition}".encode()).fetchone()
    return bool(row and row[0])


_EVERY: tuple[Finder, ...] = (_open_work, _logins, _other_writers)
_FINDERS: dict[str, tuple[Finder, ...]] = {
    "in_place": (_open_work,),
    "snapshot_restore": (*_EVERY, _unlogged),
    "logical_replication": (
        *_EVERY,
        _unlogged,
        _replica_identity,
        _large_objects,
        _publisher,
        _subscriber,
    ),
    "rds_blue_green": (*_EVERY, _unlogged),  # it replicates physically: nothing else is left out
}
