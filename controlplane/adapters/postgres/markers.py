"""Markers in the tenant's own database: rows that show how recent a copy is."""

from __future__ import annotations

from controlplane.adapters.postgres.connection import Connection, Connector
from controlplane.adapters.postgres.fence import ensure_schema
from controlplane.ports import Login


def write(connector: Connector, control: Login, token: str) -> str:
    """Its commit is synchronous, and the log is one: everything acknowledged before it is on disk too,
    also what applications committed asynchronously."""
    with connector.open(control, "writing a marker") as connection:
        ensure_schema(connection)
        connection.execute(
            "INSERT INTO controlplane.marker (token) VALUES (%s) ON CONFLICT DO NOTHING", [token]
        )
        return wal_position(connection)


def wal_position(connection: Connection) -> str:
    row = connection.execute("SELECT pg_current_wal_lsn()::text").fetchone()
    return str(row[0]) if row else ""


def has(connector: Connector, control: Login, token: str) -> bool:
    with connector.open(control, "looking for a marker") as connection:
        if connection.execute("SELECT to_regclass('controlplane.marker')").fetchone() == (None,):
            return False
        found = connection.execute("SELECT 1 FROM controlplane.marker WHERE token = %s", [token])
        return found.fetchone() is not None


def canary(connector: Connector, control: Login) -> None:
    """Writes as the application's owner would, and leaves nothing."""
    with connector.open(control, "writing a canary row") as connection:
        ensure_schema(connection)
        with connection.transaction(force_rollback=True):
            connection.execute("INSERT INTO controlplane.marker (token) VALUES ('canary')")
            connection.execute("SET LOCAL ROLE app_owner")
            connection.execute("CREATE TABLE public.controlplane_canary (one int)")
            connection.execute("INSERT INTO public.controlplane_canary VALUES (1)")
