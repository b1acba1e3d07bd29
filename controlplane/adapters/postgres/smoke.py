"""Somebody's SQL on a tenant's database: with the application's rights, in a time, leaving nothing."""

from __future__ import annotations

from typing import Any

import psycopg

from controlplane.adapters.postgres.connection import Connector, said
from controlplane.adapters.postgres.roles import OWNER
from controlplane.ports import Login

_DOING = "running a smoke check"


def run(connector: Connector, control: Login, statements: str, seconds: int) -> str:
    """Also while the application's logins are closed: what they do, they do as `app_owner`. The session
    reads only, so that a COMMIT among the statements changes nothing either."""
    with connector.open(control, _DOING, statement_seconds=seconds, ours=False) as connection:
        connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        connection.execute(f"SET ROLE {OWNER}")
        try:
            with connection.transaction(force_rollback=True):
                return _judge(connection.execute(statements.encode()))
        except psycopg.Error as error:
            return said(error, control)


def _judge(cursor: psycopg.Cursor[tuple[Any, ...]]) -> str:
    while cursor.nextset():
        pass
    if cursor.description is None:
        return ""
    row = cursor.fetchone()
    if row is None:
        return "its last answer has no row"
    return "" if row[0] is not None and row[0] is not False else f"its last answer is {row[0]}"
