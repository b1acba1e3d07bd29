"""A new catalog as a file: its migrations run once in a process, and every test gets a copy of its own."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from controlplane import durable
from controlplane.store.database import connect
from controlplane.store.migrate import migrate


def make_catalog(file: Path) -> str:
    """Ours and the engine's tables, all of them empty; its URL."""
    file.touch(mode=0o600)
    file.write_bytes(_new())
    return f"sqlite:///{file}"


@cache
def _new() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "tenants.db"
        prepare(f"sqlite:///{file}")
        return file.read_bytes()


def prepare(url: str) -> None:
    """What a person does first with an empty database."""
    db = connect(url)
    migrate(db)
    durable.create_tables(url)
    if db.file:
        with db.engine.connect() as connection:  # so that all is in this one file
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
