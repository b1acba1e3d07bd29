"""Is a restored copy whole? Asked of the copy alone, but for the shape that its source had.

The source goes on while its copy is looked at, so rows cannot be compared with it: each is read, and what
has to hold within one database is asked.
"""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql

from controlplane.adapters.postgres import picture, queries
from controlplane.adapters.postgres.connection import Connection, Connector
from controlplane.adapters.postgres.picture import Picture
from controlplane.adapters.postgres.verification import canary
from controlplane.domain.migration.evidence import Check, Verification
from controlplane.ports import Login

_PARTS = ("schema", "views", "rules")


def shape(connector: Connector, control: Login, seconds: int) -> dict[str, str]:
    """Digests of what the database is made of. Reads its catalogue and none of its rows."""
    return _digests(picture.take(connector, control, rows=False, seconds=seconds))


def _digests(found: Picture) -> dict[str, str]:
    return {part: picture.digest(getattr(found, part)) for part in _PARTS}


def examine(connector: Connector, copy: Login, wanted: Mapping[str, str], seconds: int) -> Verification:
    with_rows = picture.take(connector, copy, rows=True, seconds=seconds)
    found = _digests(with_rows)
    rows = sum(table.count for table in with_rows.tables.values())
    checks = [
        _alike("V0", "schema", found, wanted, ("schema", "views")),
        Check("V1", "every row was read", True, f"{rows} rows in {len(with_rows.tables)} tables"),
        _sequences(connector, copy, seconds),
        _alike("V5", "constraints, indexes, extensions", found, wanted, ("rules",)),
        _broken(connector, copy),
        canary(connector, copy),
    ]
    ended = [[check.id, check.passed, check.detail] for check in checks]
    return Verification(tuple(checks), picture.digest([with_rows.brief()["digest"], ended]))


def _alike(
    id_: str, name: str, found: Mapping[str, str], wanted: Mapping[str, str], parts: tuple[str, ...]
) -> Check:
    other = [part for part in parts if found[part] != wanted.get(part)]
    said = f"{', '.join(other)} differ from what was there when the backup was chosen" if other else "equal"
    return Check(id_, name, not other, said)


def _sequences(connector: Connector, copy: Login, seconds: int) -> Check:
    """Each is at or past the largest number of the column that it numbers: none is given twice."""
    doing = "comparing the sequences with their columns"
    with connector.open(copy, doing, statement_seconds=seconds) as connection:
        owned = connection.execute(queries.OWNED_SEQUENCES.encode()).fetchall()
        behind = [found for row in owned if (found := _is_behind(connection, *row))]
    return Check("V3", "sequences", not behind, "; ".join(behind[:10]) or f"{len(owned)} lead their columns")


def _is_behind(connection: Connection, schema: str, name: str, table: str, column: str, step: int) -> str:
    extreme = sql.SQL("max" if step > 0 else "min")
    asked = sql.SQL("SELECT s.last_value, s.is_called, (SELECT {}({}) FROM {}) FROM {} s").format(
        extreme, sql.Identifier(column), sql.Identifier(schema, table), sql.Identifier(schema, name)
    )
    last, called, used = connection.execute(asked).fetchone() or (0, False, None)
    if used is None or (last > used if step > 0 else last < used) or (last == used and called):
        return ""
    return f"{schema}.{name} is at {last}, {table}.{column} at {used}"


def _broken(connector: Connector, copy: Login) -> Check:
    with connector.open(copy, "looking for invalid indexes and constraints") as connection:
        rows = connection.execute(queries.INVALID.encode()).fetchall()
    names = ", ".join(str(row[0]) for row in rows[:10])
    return Check("V5", "nothing is invalid", not rows, names or "every index and constraint is valid")
