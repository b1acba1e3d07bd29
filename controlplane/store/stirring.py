"""Waiting until something was written to the catalog, for looks that come often and mostly find nothing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_SLICES = 3  # a part of the pause after which SQLite is asked first
_SLOWER = 1.15  # while nothing happens it is asked less and less, down to once in a pause
_PATIENCE = 6  # pauses after which a look is due in any case: times come that nobody writes


class Stirring:
    """SQLite says at next to no cost whether another connection has committed: a look is worth it then, and
    comes sooner. PostgreSQL does not, nor a file that cannot be read: there every pause ends with a look."""

    def __init__(
        self, file: Path | None, seconds: float, pause: Callable[[float], object] = time.sleep
    ) -> None:
        """`pause`: answers true when there is nothing to wait for any more."""
        self._seconds = seconds
        self._slice = seconds / _SLICES
        self._pause = pause
        self._asked = _connected(file) if file else None
        self._seen = self._version()

    def wait(self, most_seconds: float | None = None) -> None:
        """What is written from the last wait's end on ends this one. `most_seconds`: for who knows of no time
        that comes sooner."""
        patience = _PATIENCE * self._seconds if most_seconds is None else most_seconds
        if self._seen is None:
            self._pause(min(self._seconds, patience))
            return
        deadline = time.monotonic() + patience
        while not self._pause(self._slice) and time.monotonic() < deadline:
            if self._version() != self._seen:
                self._slice = self._seconds / _SLICES
                break
            self._slice = min(self._seconds, self._slice * _SLOWER)
        self._seen = self._version()

    def __enter__(self) -> Stirring:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._asked is not None:
            self._asked.close()
            self._asked = None

    def _version(self) -> int | None:
        with suppress(sqlite3.Error):
            if self._asked is not None:
                return int(self._asked.execute("PRAGMA data_version").fetchone()[0])
        return None


def _connected(file: Path) -> sqlite3.Connection | None:
    with suppress(sqlite3.Error):
        return sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, check_same_thread=False)
    return None
