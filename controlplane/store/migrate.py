"""Making a catalog, bringing an older one up to date, backing it up and looking whether it is whole."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from controlplane.domain.errors import (
    CatalogCorrupt,
    CatalogOutdated,
    CatalogTooNew,
    ControlPlaneError,
    Invalid,
    Unavailable,
)
from controlplane.store.database import Database, check_revision, refuse_newer, revision_in
from controlplane.store.migrations import HEAD
from controlplane.store.tables import Tenant

_LOCK = 7_305_021_944  # of PostgreSQL's advisory locks: whoever migrates holds it
METADATA = Tenant.metadata
_OURS = frozenset(METADATA.tables)

# Writes a dump of the PostgreSQL that libpq's environment variables name into a new file.
Dump = Callable[[Mapping[str, str], Path], None]


def is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    """The durable engine's tables are in the same database: they are none of our business."""
    return kind != "table" or name in _OURS


def configuration(connection: Connection) -> Config:
    """Alembic's, without a file: migrations travel inside the package."""
    config = Config(attributes={"connection": connection})
    folder = str(Path(__file__).with_name("migrations"))
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


# --- migrate ----------------------------------------------------------------------------------------


def migrate(db: Database) -> bool:
    """Bring the catalog to this program's revision; False when it was there already.

    One transaction under one lock: of two processes the second finds everything done, and a migration
    that fails leaves the catalog as it was.
    """
    refuse_newer(db.revision(), db.place)
    if db.file:
        _make_file(db.file)
    with db.translated("migrating"), db.engine.connect() as connection, _alone(connection):
        found = revision_in(connection)
        refuse_newer(found, db.place)
        if found == HEAD:
            return False
        command.upgrade(configuration(connection), "head")
        _refuse_dangling(connection)
    return True


def _make_file(file: Path) -> None:
    """For its owner only; SQLite gives the files beside it the same rights."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        message = f"making the catalog {file}: {error.strerror}"
        raise Unavailable(message, hint="see that its folder exists and that this user may write") from error


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """A transaction in which nobody else migrates."""
    if connection.dialect.name != "sqlite":
        with connection.begin():
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            yield
        return
    # Neither can be changed inside a transaction; a rebuilt table must not cascade into others.
    connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    connection.commit()
    try:
        with connection.begin():
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield
    finally:
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")


def _refuse_dangling(connection: Connection) -> None:
    """Foreign keys were off while SQLite's tables were rebuilt."""
    if connection.dialect.name == "sqlite":
        left = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if left:
            raise CatalogCorrupt(f"migrating: {len(left)} rows would point to rows that are not there")


# --- backup -----------------------------------------------------------------------------------------


def backup(db: Database, target: Path, dump: Dump | None = None) -> None:
    """A copy of the catalog while everybody goes on working; never holds keys, which live elsewhere.

    The target appears whole or not at all, and replaces an older one only then.
    """
    target = target.absolute()
    if db.file and target.exists() and target.samefile(db.file):
        raise Invalid(f"backing up the catalog {db.place}: the target is the catalog itself")
    if not target.parent.is_dir():
        raise Invalid(f"backing up the catalog {db.place}: there is no folder {target.parent}")
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        _copy(db, partial, dump)
        partial.chmod(0o600)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _copy(db: Database, partial: Path, dump: Dump | None) -> None:
    if db.file:
        with db.translated(f"backing up to {partial.parent}"):
            _copy_file(db.file, partial)
    elif dump:
        dump(_libpq(db), partial)
    else:
        raise Invalid("backing up a catalog on PostgreSQL needs pg_dump")
    with partial.open("rb") as written:
        os.fsync(written.fileno())


def _copy_file(file: Path, partial: Path) -> None:
    with closing(_open_raw(file)) as source, closing(sqlite3.connect(partial)) as copy:
        source.backup(copy)
        said = [row[0] for row in copy.execute("PRAGMA integrity_check(5)")]
    if said != ["ok"]:
        raise CatalogCorrupt(
            f"backing up the catalog {file}: the copy is not whole: {'; '.join(said)}",
            hint="the catalog itself is damaged: `controlplane db check`",
        )


def _open_raw(file: Path) -> sqlite3.Connection:
    """Never creates the file."""
    return sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, timeout=30)


def _libpq(db: Database) -> dict[str, str]:
    """A password travels in the environment, never in an argument."""
    url = db.url
    found = {
        "PGHOST": url.host,
        "PGPORT": str(url.port or 5432),
        "PGDATABASE": url.database,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGSSLMODE": url.query.get("sslmode"),
        "PGSSLROOTCERT": url.query.get("sslrootcert"),
    }
    return {name: str(value) for name, value in found.items() if value}


# --- check ------------------------------------------------------------------------------------------


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
            message = f"{count} rows of {table} name a {parent} that is not there, such as {example}"
            yield Finding("orphan", message)
    lost = text(
        "SELECT t.slug, t.epoch FROM tenant t LEFT JOIN slot s ON s.tenant_uid = t.uid AND s.epoch = t.epoch "
        "WHERE s.tenant_uid IS NULL "
        "AND t.phase IN ('ready', 'updating', 'converging', 'migrating', 'suspended')"
    )
    for slug, epoch in connection.execute(lost).fetchmany(20):
        yield Finding("route", f"the route of {slug} points to slot e{epoch}, which is not in the catalog")
