"""A copy of the catalog, taken while everybody goes on working."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from controlplane.domain.errors import CatalogCorrupt, Invalid
from controlplane.store.database import WAIT_SECONDS, Database

# Writes a dump of the PostgreSQL that libpq's environment variables name into a new file.
Dump = Callable[[Mapping[str, str], Path], None]


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
    return sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, timeout=WAIT_SECONDS)


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
