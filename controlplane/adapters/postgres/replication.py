"""Logical replication between two databases, one direction a name: publication, slot and subscription.

The slot is made before the subscription and by itself: both then are single statements that a retry can
look for, and dropping a subscription never waits for the other side.

A subscription holds the publisher's password, readable by superusers only, and its statement carries it: we
keep it out of the server's log where we may, and the login is to be rotated once the migration is over.
"""

from __future__ import annotations

import time
from typing import Any

from psycopg import errors as pg
from psycopg import sql

from controlplane.adapters.postgres.connection import Connection, Connector
from controlplane.adapters.postgres.fence import ensure_schema
from controlplane.adapters.postgres.picture import user_tables
from controlplane.adapters.postgres.roles import attempt
from controlplane.domain.errors import Conflict, Invalid, Unavailable
from controlplane.domain.migration.evidence import Replication, SlotLook
from controlplane.ports import Login

PREFIX = "controlplane_"
MARKER = ("controlplane", "marker")
RELEASE_SECONDS = 30.0
_END_READERS = (
    "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
    " WHERE slot_name = %s AND active_pid IS NOT NULL"
)
_UNLOGGED = {
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
}


def check_name(name: str) -> None:
    """A slot's name is stricter than an identifier, and ours are known by their prefix."""
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789_")
    if not name.startswith(PREFIX) or not set(name) <= allowed or len(name) > 63:
        raise Invalid(f"{name!r} is no name for a replication: {PREFIX} and a-z, 0-9, _ (63 at most)")


def publish(connector: Connector, publisher: Login, name: str) -> None:
    check_name(name)
    with connector.open(publisher, f"publishing {name}") as connection:
        ensure_schema(connection)
        _bring_publication_to(connection, name)
        if not _exists(connection, "pg_replication_slots", "slot_name", name):
            connection.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [name])


def _bring_publication_to(connection: Connection, name: str) -> None:
    wanted = [*user_tables(connection), MARKER]
    tables = sql.SQL(", ").join(sql.SQL("ONLY {}").format(sql.Identifier(*table)) for table in wanted)
    publication = sql.Identifier(name)
    if not _exists(connection, "pg_publication", "pubname", name):
        connection.execute(sql.SQL("CREATE PUBLICATION {} FOR TABLE {}").format(publication, tables))
    elif set(wanted) != set(_published(connection, name)):
        connection.execute(sql.SQL("ALTER PUBLICATION {} SET TABLE {}").format(publication, tables))


def subscribe(
    connector: Connector, publisher: Login, subscriber: Login, name: str, *, copy_rows: bool
) -> None:
    check_name(name)
    doing = f"subscribing to {name}"
    with connector.open(publisher, doing) as connection:
        if not _exists(connection, "pg_replication_slots", "slot_name", name):
            raise Conflict(f"{doing}: the publisher has no slot of this name", hint="publish first")
    with connector.open(subscriber, doing) as connection:
        ensure_schema(connection)
        if _exists(connection, "pg_subscription", "subname", name):
            connection.execute(sql.SQL("ALTER SUBSCRIPTION {} ENABLE").format(sql.Identifier(name)))
            return
        for setting, quiet in _UNLOGGED.items():
            attempt(connection, f"SET {setting} TO '{quiet}'")
        connection.execute(
            sql.SQL(
                "CREATE SUBSCRIPTION {name} CONNECTION {conninfo} PUBLICATION {name}"
                " WITH (create_slot = false, slot_name = {name}, copy_data = {copy})"
            ).format(
                name=sql.Identifier(name),
                conninfo=sql.Literal(_conninfo(connector, publisher, name)),
                copy=sql.SQL("true" if copy_rows else "false"),
            )
        )


def _conninfo(connector: Connector, publisher: Login, name: str) -> str:
    """How the other server reaches the publisher: it has no CA bundle of ours."""
    tls = "require" if publisher.tls.startswith("verify-") else publisher.tls
    reached = Login(
        publisher.host, publisher.port, publisher.database, publisher.username, publisher.password, tls
    )
    return connector.conninfo(reached, name)


def status(connector: Connector, publisher: Login, subscriber: Login, name: str) -> Replication:
    check_name(name)
    doing = f"looking at the replication {name}"
    with connector.open(publisher, doing) as connection:
        published = {f"{schema}.{table}" for schema, table in _published(connection, name)}
        slot = _slot(connection, name)
    with connector.open(subscriber, doing) as connection:
        subscription = connection.execute(
            "SELECT oid, subenabled FROM pg_subscription WHERE subname = %s", [name]
        ).fetchone()
        ready = _ready(connection, subscription[0]) if subscription else set()
        errors = _errors(connection, name)
    if not slot.exists or subscription is None or not published:
        return Replication(exists=False)
    return Replication(
        exists=True,
        enabled=bool(subscription[1]),
        tables=len(published),
        tables_ready=len(published & ready),
        slot_active=slot.active,
        lag_bytes=slot.lag_bytes,
        retained_bytes=slot.retained_bytes,
        errors=errors,
    )


def slot(connector: Connector, publisher: Login, name: str) -> SlotLook:
    check_name(name)
    with connector.open(publisher, f"looking at the slot {name}") as connection:
        return _slot(connection, name)


def _slot(connection: Connection, name: str) -> SlotLook:
    """Written is where the next row goes: what was acknowledged and is not on the disk yet lies before it."""
    row = connection.execute(
        "SELECT active, pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint,"
        " pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint,"
        " to_jsonb(s) ->> 'wal_status' = 'lost',"  # a column that servers before 13 do not have
        " pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint,"
        " pg_wal_lsn_diff(confirmed_flush_lsn, '0/0')::bigint"
        " FROM pg_replication_slots s WHERE slot_name = %s",
        [name],
    ).fetchone()
    if row is None:
        return SlotLook(exists=False)
    active, lag, retained, is_lost, written, confirmed = row
    return SlotLook(
        exists=True,
        active=bool(active),
        lag_bytes=None if lag is None else max(0, lag),
        retained_bytes=None if retained is None else max(0, retained),
        is_lost=bool(is_lost),
        written=written,
        confirmed=confirmed,
    )


def _ready(connection: Connection, subscription: int) -> set[str]:
    rows = connection.execute(
        "SELECT n.nspname || '.' || c.relname FROM pg_subscription_rel s JOIN pg_class c ON c.oid = s.srrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE s.srsubid = %s AND s.srsubstate = 'r'",
        [subscription],
    )
    return {str(name) for (name,) in rows}


def _errors(connection: Connection, name: str) -> int:
    if connection.info.server_version < 150000:
        return 0  # it does not count them
    row = connection.execute(
        "SELECT apply_error_count + sync_error_count FROM pg_stat_subscription_stats WHERE subname = %s",
        [name],
    ).fetchone()
    return int(row[0] or 0) if row else 0


def unsubscribe(connector: Connector, publisher: Login, subscriber: Login | None, name: str) -> None:
    check_name(name)
    doing = f"ending the replication {name}"
    if subscriber is not None:
        with connector.open(subscriber, doing) as connection:
            _drop_subscription(connection, name)
    with connector.open(publisher, doing) as connection:
        _drop_slot(connection, name, doing, ends_readers=subscriber is None)
        connection.execute(sql.SQL("DROP PUBLICATION IF EXISTS {}").format(sql.Identifier(name)))


def _drop_subscription(connection: Connection, name: str) -> None:
    if not _exists(connection, "pg_subscription", "subname", name):
        return
    subscription = sql.Identifier(name)
    for statement in (
        "ALTER SUBSCRIPTION {} DISABLE",
        "ALTER SUBSCRIPTION {} SET (slot_name = NONE)",  # its slot is dropped by us, over there
        "DROP SUBSCRIPTION IF EXISTS {}",
    ):
        connection.execute(sql.SQL(statement).format(subscription))


def _drop_slot(connection: Connection, name: str, doing: str, *, ends_readers: bool) -> None:
    """The walsender of a subscription that just ended holds the slot for a moment; that of one which could
    not be ended holds it for ever."""
    deadline = time.monotonic() + RELEASE_SECONDS
    while _exists(connection, "pg_replication_slots", "slot_name", name):
        try:
            if ends_readers:
                connection.execute(_END_READERS, [name])
            connection.execute("SELECT pg_drop_replication_slot(%s)", [name])
        except pg.ObjectInUse as error:
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"{doing}: somebody still reads from the slot", hint="end its walsender, then run again"
                ) from error
            time.sleep(0.1)
        except pg.UndefinedObject:
            return


def _published(connection: Connection, name: str) -> list[tuple[str, str]]:
    rows: list[Any] = connection.execute(
        "SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = %s ORDER BY 1, 2", [name]
    ).fetchall()
    return [(schema, table) for schema, table in rows]


def _exists(connection: Connection, catalogue: str, column: str, name: str) -> bool:
    query = sql.SQL("SELECT 1 FROM {} WHERE {} = %s").format(
        sql.Identifier(catalogue), sql.Identifier(column)
    )
    return connection.execute(query, [name]).fetchone() is not None
