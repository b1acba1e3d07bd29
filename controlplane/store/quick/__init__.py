"""The commonest reads of an SQLite catalog in plain SQL, without the ORM.

A command that lists tenants must not pay for importing it, and an API that answers thousands of reads a
second must not build objects for each. What is answered is what the services answer; a test compares them.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from controlplane.store.migrations import HEAD

FILTERS = ("stage", "size", "phase", "region")
_FINAL = ("succeeded", "no_changes", "rejected", "cancelled", "partially_applied", "failed")
_NO_SLUG = re.compile(r"[^a-z0-9-]")
_AFTER_EVERY_SLUG = "~"
Row = dict[str, Any]


class QuickCatalog:
    """One connection a thread. Raises sqlite3.Error; who calls goes the long way then."""

    def __init__(self, file: Path, columns: Sequence[str]) -> None:
        self._file, self._mine = file, threading.local()
        self._columns = ", ".join(columns)

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if found is None:
            found = sqlite3.connect(f"{self._file.as_uri()}?mode=rw", uri=True, timeout=30)
            found.execute("PRAGMA query_only = ON")
            found.row_factory = sqlite3.Row
            self._mine.connection = found
        return found

    def close(self) -> None:
        found = getattr(self._mine, "connection", None)
        if found is not None:
            found.close()
            self._mine.connection = None

    def is_current(self) -> bool:
        found = self._connection().execute("SELECT version_num FROM alembic_version").fetchone()
        return found is not None and found[0] == HEAD

    def tenant(self, slug: str) -> Row | None:
        query = f"SELECT {self._columns} FROM tenant WHERE slug = ?"  # noqa: S608 - our own column names
        found = self._connection().execute(query, (slug,)).fetchone()
        return None if found is None else dict(found)

    def version(self) -> int:
        """Another one after every commit of anybody else."""
        return int(self._connection().execute("PRAGMA data_version").fetchone()[0])

    def page(self, wanted: Mapping[str, str], q: str, after: str, limit: int) -> list[Row]:
        """Tenants by slug, from behind `after` on."""
        return [dict(row) for row in self._page(self._columns, wanted, q, after, limit)]

    def places(self, wanted: Mapping[str, str], q: str, after: str, limit: int) -> list[tuple[str, str]]:
        """The same page's uids and slugs only."""
        return [(uid, slug) for uid, slug in self._page("uid, slug", wanted, q, after, limit)]

    def _page(
        self, columns: str, wanted: Mapping[str, str], q: str, after: str, limit: int
    ) -> sqlite3.Cursor:
        where, values = ["slug > ?"], [after]
        for name in FILTERS:
            if wanted.get(name):
                where.append(f"{name} = ?")
                values.append(wanted[name])
        if q:
            prefix = _NO_SLUG.sub(_AFTER_EVERY_SLUG, q.lower())
            where += ["slug >= ?", "slug < ?"]
            values += [prefix, prefix + _AFTER_EVERY_SLUG]
        query = f"SELECT {columns} FROM tenant WHERE {' AND '.join(where)} ORDER BY slug LIMIT ?"  # noqa: S608
        return self._connection().execute(query, (*values, limit))

    def by_uid(self, uids: Sequence[str]) -> list[Row]:
        marks = ",".join("?" * len(uids))
        query = f"SELECT {self._columns} FROM tenant WHERE uid IN ({marks})"  # noqa: S608
        return [dict(row) for row in self._connection().execute(query, tuple(uids))]

    def labels(self, uids: Sequence[str]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {uid: {} for uid in uids}
        marks = ",".join("?" * len(uids))
        query = f"SELECT tenant_uid, key, value FROM tenant_label WHERE tenant_uid IN ({marks}) ORDER BY key"  # noqa: S608
        for uid, key, value in self._connection().execute(query, tuple(uids)):
            found[uid][key] = value
        return found

    def slots(self, uid: str, columns: Sequence[str]) -> list[Row]:
        query = f"SELECT {', '.join(columns)} FROM slot WHERE tenant_uid = ? ORDER BY epoch"  # noqa: S608
        return [dict(row) for row in self._connection().execute(query, (uid,))]

    def open_operation(self, workspace_id: str) -> str | None:
        marks = ",".join("?" * len(_FINAL))
        where = f"workspace_id = ? AND status NOT IN ({marks})"
        query = f"SELECT id FROM operation WHERE {where} ORDER BY seq LIMIT 1"  # noqa: S608
        found = self._connection().execute(query, (workspace_id, *_FINAL)).fetchone()
        return None if found is None else str(found[0])
