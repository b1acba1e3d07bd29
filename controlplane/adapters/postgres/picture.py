"""A picture of a database that two sides can be compared by: schema, rows, sequences, rules, settings.

Taken in one repeatable-read snapshot. Row checksums do not depend on the order of rows; everything that
changes how a value prints is set first. Names are qualified, since the search path is empty.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from psycopg import sql

from controlplane.adapters.postgres import queries
from controlplane.adapters.postgres.connection import Connection, Connector
from controlplane.ports import Login

_PRINTED_ALIKE = """
SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres';
SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL xmloption = 'content';
SET LOCAL row_security = off;
"""


_ROWS = "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM ONLY {} t"


@dataclass(frozen=True)
class Rows:
    count: int
    checksum: str


@dataclass(frozen=True)
class Picture:
    """`schema`, `rules` and `settings` are lines `kind name definition`, sorted."""

    server_major: int
    schema: tuple[str, ...]  # tables, columns, types, functions, triggers, policies, owners, grants
    views: tuple[str, ...]  # their text: majors print it differently
    rules: tuple[str, ...]  # constraints, indexes, extensions
    settings: tuple[str, ...]  # roles, settings of database and roles, encoding
    tables: Mapping[str, Rows]
    sequences: Mapping[str, tuple[int, bool, int]]  # last value, called, increment

    def brief(self) -> dict[str, Any]:
        """Small enough to be kept: digests of the long parts, counts and checksums per table."""
        long_parts = ("schema", "views", "rules", "settings")
        kept: dict[str, Any] = {name: digest(getattr(self, name)) for name in long_parts}
        kept["server_major"] = self.server_major
        kept["tables"] = {name: asdict(rows) for name, rows in self.tables.items()}
        kept["sequences"] = {name: last for name, (last, _, _) in self.sequences.items()}
        return {**kept, "digest": digest(kept)}


def digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def take(connector: Connector, login: Login, *, rows: bool, seconds: int) -> Picture:
    """Of everything, or without rows (their checksums read every table)."""
    doing = "taking the database's fingerprint"
    with connector.open(login, doing, statement_seconds=seconds) as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        settings = _lines(connection, queries.SETTINGS)  # before ours hide them
        connection.execute(_PRINTED_ALIKE)
        return Picture(
            server_major=connection.info.server_version // 10_000,
            schema=_lines(connection, *queries.SCHEMA),
            views=_lines(connection, queries.VIEWS),
            rules=_lines(connection, *queries.RULES),
            settings=tuple(sorted((*settings, *_lines(connection, queries.ROLES)))),
            tables=_tables(connection) if rows else {},
            sequences=sequences(connection),
        )


def _lines(connection: Connection, *statements: str) -> tuple[str, ...]:
    found = (row for one in statements for row in connection.execute(one.encode()).fetchall())
    return tuple(sorted(" ".join(str(part) for part in row) for row in found))


def user_tables(connection: Connection) -> list[tuple[str, str]]:
    """Every table that holds rows of its own: leaves of partitioned ones, none of an extension's."""
    rows = connection.execute(queries.TABLES.encode()).fetchall()
    return [(schema, name) for schema, name in rows]


def _tables(connection: Connection) -> dict[str, Rows]:
    """Count and checksum in one pass: the sum over rows of a 64-bit hash of the row's text."""
    found = {}
    for schema, name in user_tables(connection):
        table = sql.Identifier(schema, name)
        counted = connection.execute(sql.SQL(_ROWS).format(table)).fetchone()
        if counted is not None:
            found[f"{schema}.{name}"] = Rows(*counted)
    return found


def sequences(connection: Connection) -> dict[str, tuple[int, bool, int]]:
    found = {}
    for schema, name, step in connection.execute(queries.SEQUENCES.encode()).fetchall():
        one = connection.execute(
            sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(schema, name))
        ).fetchone()
        if one is not None:
            found[f"{schema}.{name}"] = (int(one[0]), bool(one[1]), int(step))
    return found
