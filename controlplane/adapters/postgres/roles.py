"""Who logs in to a tenant's database: made as the RDS master can, which is no superuser.

`cp_control` is ours and never given out. The application logs in as `app_a` or `app_b` in turn, so that a
password changes without an outage; both work as `app_owner`, who owns what they make.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg import errors as pg
from psycopg import sql

from controlplane.adapters.postgres.connection import Connection, Connector
from controlplane.domain.errors import Denied, Invalid, Missing
from controlplane.domain.schema import NAMES
from controlplane.ports import Login

CONTROL, OWNER, APPLICATION = "cp_control", "app_owner", ("app_a", "app_b")
WITH_PASSWORD = (CONTROL, *APPLICATION)
# What `cp_control` works with, where the server has it: RDS's own roles, then PostgreSQL's.
_POWERS = (
    "rds_superuser",
    "rds_replication",
    "pg_monitor",
    "pg_signal_backend",
    "pg_read_all_data",
    "pg_create_subscription",
)
ROLES_LOCK = 0x6370_726F  # one set-up at a time


def set_up(connector: Connector, master: Login, passwords: Mapping[str, str]) -> None:
    unknown = sorted(set(passwords) - set(WITH_PASSWORD))
    if unknown:
        raise Invalid(f"setting up roles: {', '.join(unknown)} is none of {', '.join(WITH_PASSWORD)}")
    doing = "setting up the database's roles"
    with connector.open(master, doing) as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [ROLES_LOCK])
        there = existing(connection)
        missing = sorted(set(WITH_PASSWORD) - there - set(passwords))
        if missing:
            raise Invalid(f"{doing}: {', '.join(missing)} has to be made and has no password")
        if OWNER not in there:
            connection.execute("CREATE ROLE app_owner NOLOGIN")
        for role, password in passwords.items():
            _make_or_change(connection, role, password, exists=role in there)
        _grant_memberships(connection, master)
        _grant_reach(connection)
        _check(connection, doing)


def set_password(connector: Connector, admin: Login, role: str, password: str) -> None:
    doing = f"setting the password of {role}"
    with connector.open(admin, doing) as connection:
        if role not in existing(connection):
            raise Missing(f"{doing}: there is no such role")
        change_password(connection, role, password)


def attempt(connection: Connection, statement: sql.Composed | str) -> bool:
    """Run it in a savepoint; False when we may not."""
    try:
        with connection.transaction():
            connection.execute(statement)
    except pg.InsufficientPrivilege:
        return False
    return True


def existing(connection: Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}


def _make_or_change(connection: Connection, role: str, password: str, *, exists: bool) -> None:
    """A role that exists keeps its right to log in: a fence may have closed it."""
    if not exists:
        power = "CREATEROLE" if role == CONTROL else ""
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN " + power).format(sql.Identifier(role)))
    change_password(connection, role, password)


def change_password(connection: Connection, role: str, password: str) -> None:
    """Only the SCRAM verifier travels: neither the wire nor the server's log sees the password."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    connection.execute(
        sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier.decode()))
    )


def _grant_memberships(connection: Connection, master: Login) -> None:
    there = existing(connection)
    application = sql.SQL(", ").join(map(sql.Identifier, APPLICATION))
    connection.execute(
        sql.SQL("GRANT app_owner TO {}, cp_control, {}").format(application, sql.Identifier(master.username))
    )
    # From PostgreSQL 16 on only an admin of a role may close it: the fence needs this.
    connection.execute(sql.SQL("GRANT {} TO cp_control WITH ADMIN OPTION").format(application))
    for role in APPLICATION:
        connection.execute(sql.SQL("ALTER ROLE {} SET role TO app_owner").format(sql.Identifier(role)))
    for power in _POWERS:
        if power in there:
            attempt(connection, f"GRANT {power} TO cp_control")
    attempt(connection, "ALTER ROLE cp_control REPLICATION")  # on RDS rds_replication stands for it
    for role in _foreign_logins(connection):
        attempt(connection, sql.SQL("GRANT {} TO cp_control WITH ADMIN OPTION").format(sql.Identifier(role)))


def _foreign_logins(connection: Connection) -> Sequence[str]:
    """Login roles that somebody else made. Their members' powers do not come with them: before 16
    cp_control closes them by CREATEROLE alone."""
    if connection.info.server_version < 160000:
        return []
    rows = connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolcanlogin AND NOT rolsuper AND rolname !~ '^(rds|pg_)'"
        " AND rolname <> ALL(%s) AND rolname <> current_user AND rolname !~ %s",
        [list(WITH_PASSWORD), NAMES],
    )
    return [name for (name,) in rows]


def _grant_reach(connection: Connection) -> None:
    """The database and its schemas for `app_owner`; in an adopted one also what others own."""
    database = sql.Identifier(connection.info.dbname)
    attempt(
        connection,
        sql.SQL("GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {} TO app_owner, cp_control").format(database),
    )
    for schema, owners in _user_schemas(connection):
        name = sql.Identifier(schema)
        attempt(connection, sql.SQL("GRANT USAGE, CREATE ON SCHEMA {} TO app_owner").format(name))
        for owner in owners:
            attempt(connection, sql.SQL("GRANT {} TO app_owner").format(sql.Identifier(owner)))
        for kind in ("TABLES", "SEQUENCES", "ROUTINES"):
            statement = "GRANT ALL ON ALL " + kind + " IN SCHEMA {} TO app_owner"
            attempt(connection, sql.SQL(statement).format(name))


def _user_schemas(connection: Connection) -> list[tuple[str, list[str]]]:
    """Each schema with the roles, neither ours nor powerful, that own something in it; no tenant's schema."""
    rows = connection.execute(
        """
        SELECT n.nspname, coalesce(array_agg(DISTINCT r.rolname) FILTER (WHERE
                 r.rolname <> current_user AND r.rolname <> ALL(%s) AND NOT r.rolsuper
                 AND NOT r.rolcreaterole AND r.rolname !~ '^(rds|pg_)'), '{}')
        FROM pg_namespace n
        LEFT JOIN pg_class c ON c.relnamespace = n.oid
        LEFT JOIN pg_roles r ON r.oid = c.relowner
        WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'controlplane')
          AND n.nspname !~ %s
        GROUP BY n.nspname
        """,
        [[OWNER, *WITH_PASSWORD], NAMES],
    )
    return [(str(schema), list(owners)) for schema, owners in rows]


def _check(connection: Connection, doing: str) -> None:
    """What must hold whatever was refused on the way."""
    row = connection.execute(
        """
        SELECT has_database_privilege('app_owner', current_database(), 'CREATE'),
               has_database_privilege('cp_control', current_database(), 'CREATE'),
               has_schema_privilege('app_owner', 'public', 'CREATE')
                 OR to_regnamespace('public') IS NULL,
               pg_has_role('cp_control', 'pg_signal_backend', 'USAGE')
        """
    ).fetchone()
    wants = (
        "GRANT CREATE ON DATABASE … TO app_owner",
        "GRANT CREATE ON DATABASE … TO cp_control",
        "GRANT CREATE ON SCHEMA public TO app_owner",
        "GRANT pg_signal_backend TO cp_control",
    )
    refused = [want for want, holds in zip(wants, row or (), strict=True) if not holds]
    if refused:
        raise Denied(
            f"{doing}: the master may not do this: {'; '.join(refused)}",
            hint="run these as the database's owner, then run this again",
        )
