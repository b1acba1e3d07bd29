"""Making a catalog, and bringing an older one up to date."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from controlplane.domain.errors import CatalogCorrupt, Unavailable
from controlplane.store import migrations
from controlplane.store.costs import rows as _rows  # noqa: F401 - their tables are of the same metadata
from controlplane.store.database import Database, refuse_newer, revision_in
from controlplane.store.fleet import rows as _fleet  # noqa: F401 - and these
from controlplane.store.migrations import HEAD
from controlplane.store.moves import rows as _moves  # noqa: F401 - and this one
from controlplane.store.reviews import rows as _reviews  # noqa: F401 - and of reviews
from controlplane.store.tables import Tenant
from controlplane.store.webhooks import rows as _webhooks  # noqa: F401 - and of what is told outside

_LOCK = 7_305_021_944  # of PostgreSQL's advisory locks: whoever migrates holds it
METADATA = Tenant.metadata
_OURS = frozenset(METADATA.tables)


def is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    """The durable engine's tables are in the same database: they are none of our business."""
    return kind != "table" or name in _OURS


def configuration(connection: Connection) -> Config:
    """Alembic's, without a file: migrations travel inside the package."""
    config = Config(attributes={"connection": connection})
    folder = str(Path(migrations.__file__).parent)
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


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
