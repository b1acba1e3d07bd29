"""`Database` on psycopg."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from psycopg import errors as pg

from controlplane.adapters.postgres import fence, picture, roles
from controlplane.adapters.postgres.connection import Connection, Connector
from controlplane.domain.errors import ControlPlaneError
from controlplane.ports import Login, Probe

FINGERPRINT_SECONDS = 3600


class Postgres:
    """SQL on a tenant's database."""

    def __init__(self, connector: Connector | None = None) -> None:
        self.connector = connector or Connector()

    def probe(self, login: Login) -> Probe:
        started = time.perf_counter()
        try:
            doing = "probing the database"
            with self.connector.open(login, doing, statement_seconds=10, ours=False) as connection:
                version, replica = _ask(connection)
                refused = "" if replica else _refuses_writes(connection)
        except ControlPlaneError as error:
            return Probe(False, error.message)
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        return Probe(not refused, refused, version, milliseconds, replica)

    def run_sql(self, login: Login, statements: Sequence[LiteralString]) -> list[list[tuple[Any, ...]]]:
        """One session as this login, in autocommit: each statement's rows, none where it gives none."""
        with self.connector.open(login, "running SQL", ours=False) as connection:
            cursors = [connection.execute(statement) for statement in statements]
            return [cursor.fetchall() if cursor.description else [] for cursor in cursors]

    def set_up_roles(self, master: Login, passwords: Mapping[str, str]) -> None:
        roles.set_up(self.connector, master, passwords)

    def set_password(self, admin: Login, role: str, password: str) -> None:
        roles.set_password(self.connector, admin, role, password)

    def fence(self, control: Login) -> int:
        return fence.fence(self.connector, control)

    def unfence(self, control: Login) -> None:
        fence.unfence(self.connector, control)

    def fingerprint(self, control: Login) -> Mapping[str, Any]:
        return picture.take(self.connector, control, rows=True, seconds=FINGERPRINT_SECONDS).brief()


def _ask(connection: Connection) -> tuple[str, bool]:
    row = connection.execute("SELECT current_setting('server_version'), pg_is_in_recovery()").fetchone()
    return (str(row[0]).split()[0], bool(row[1])) if row else ("", False)


def _refuses_writes(connection: Connection) -> str:
    """A canary: a row of a table that never was, rolled back. Empty where it went well."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("CREATE TEMP TABLE controlplane_canary (one int) ON COMMIT DROP")
            connection.execute("INSERT INTO controlplane_canary VALUES (1)")
            connection.execute("SELECT pg_current_xact_id()")
    except pg.InsufficientPrivilege:
        return ""  # a login that may only read answers as it should
    except (pg.ReadOnlySqlTransaction, pg.DiskFull) as error:
        return f"it answers and refuses writes: {error.diag.message_primary}"
    return ""
