"""Looking whether the catalog is whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from controlplane.domain.errors import (
    CatalogCorrupt,
    CatalogOutdated,
    CatalogTooNew,
    ControlPlaneError,
    Unavailable,
)
from controlplane.store.database import Database, check_revision
from controlplane.store.migrate import METADATA, is_ours


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be, and what to do."""

    code: str
    message: str
    hint: str = ""


_RESTORE = "stop every worker and server, then put back the newest backup"

# Rows that point to nothing, where no foreign key watches. Table, column, table pointed to, its column.
_POINTERS = (
    ("operation_event", "operation_id", "operation", "id"),
    ("plan", "operation_id", "operation", "id"),
    ("approval", "operation_id", "operation", "id"),
    ("run", "operation_id", "operation", "id"),
    ("run_line", "run_id", "run", "id"),
    ("artifact", "run_id", "run", "id"),
    ("operation", "wave_id", "wave", "id"),
    ("operation", "plan_id", "plan", "id"),
    ("tenant_event", "operation_id", "operation", "id"),
    ("wave_item", "operation_id", "operation", "id"),
    ("wave_item", "tenant_uid", "tenant", "uid"),
)


def check(db: Database) -> list[Finding]:
    """Whether the catalog is whole; an empty list says so. Stops at what makes further looks pointless."""
    try:
        check_revision(db.revision(), db.place)
        with db.translated("checking"), db.reading.connect() as connection:
            return [*_damage(connection), *_differences(connection), *_orphans(connection)]
    except (CatalogCorrupt, CatalogOutdated, CatalogTooNew, Unavailable) as error:
        return [_finding(error)]


def _finding(error: ControlPlaneError) -> Finding:
    return Finding(error.code, error.message, error.hint)


def _damage(connection: Connection) -> Iterator[Finding]:
    if connection.dialect.name == "postgresql":
        broken = connection.exec_driver_sql(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
        )
        yield from (Finding("index", f"the index {row[0]} is not valid", "REINDEX") for row in broken)
        return
    for (said,) in connection.exec_driver_sql("PRAGMA integrity_check(20)"):
        if said != "ok":
            yield Finding("integrity", said, _RESTORE)
    for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(20):
        yield Finding("foreign_key", f"row {row} of {table} points to a missing row of {parent}", _RESTORE)
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    if mode != "wal":
        message = f"the journal mode is {mode}, so that readers and writers block each other"
        yield Finding("journal", message, "run `controlplane db migrate`")


def _differences(connection: Connection) -> Iterator[Finding]:
    for difference in schema_differences(connection):
        yield Finding("schema", f"tables differ from what the program knows: {difference}", _RESTORE)


def schema_differences(connection: Connection) -> list[str]:
    """What Alembic would change to make the catalog's tables ours; empty right after a migration."""
    context = MigrationContext.configure(connection, opts={"include_name": is_ours})
    return [repr(d) for d in compare_metadata(context, METADATA)]


def _orphans(connection: Connection) -> Iterator[Finding]:
    for table, column, parent, key in _POINTERS:
        query = (
            f'SELECT count(*), min(a.{column}) FROM "{table}" a LEFT JOIN "{parent}" b '  # noqa: S608
            f"ON b.{key} = a.{column} WHERE a.{column} IS NOT NULL AND a.{column} <> '' AND b.{key} IS NULL"
        )
        count, example = connection.exec_driver_sql(query).one()
        if count:
            message = f"{count} rows of {table} point to no row of {parent}, such as {example}"
            yield Finding("orphan", message)
    lost = text(
        "SELECT t.slug, t.epoch FROM tenant t LEFT JOIN slot s ON s.tenant_uid = t.uid AND s.epoch = t.epoch "
        "WHERE s.tenant_uid IS NULL "
        "AND t.phase IN ('ready', 'updating', 'converging', 'migrating', 'suspended')"
    )
    for slug, epoch in connection.execute(lost).fetchmany(20):
        yield Finding("route", f"the route of {slug} points to slot e{epoch}, which is not in the catalog")
