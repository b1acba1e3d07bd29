"""The watchdog over fences: a process of its own, so that a worker that is killed or stopped while it holds
an application out cannot keep it out. It does nothing but look (`steps.lifting`): at the fence's deadline
the flip is taken away first, by compare-and-set, then the fence is lifted.

One on each machine that has workers, by a lock in the data folder; several are one too many and no harm.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType

from controlplane.domain.errors import ControlPlaneError, Locked
from controlplane.store import moves
from controlplane.store.database import Database
from controlplane.supervisor.locks import hold
from controlplane.worker.lock import end_stopped_worker

EVERY_SECONDS = 1.0
LOCK = "watchdog.lock"
_log = logging.getLogger(__name__)


class WatchdogLock:
    """Held for the life of the process; the kernel frees it however the process ends."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / LOCK
        self._descriptor = -1

    def __enter__(self) -> WatchdogLock:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        held = hold(self._path)
        if held is None:
            raise Locked(f"another watchdog holds {self._path}", hint="one on a machine is enough")
        self._descriptor = held
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)


class Watchdog:
    """`tend` is one look at all fences."""

    def __init__(
        self,
        db: Database,
        tend: Callable[[], None],
        now: Callable[[], datetime],
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self._db, self._tend, self._now, self._every = db, tend, now, every_seconds
        self._stop = threading.Event()

    def run(self, *, until_open: bool = False) -> None:
        """Until `stop`, or until its catalog is removed; with `until_open` only while a fence stands."""
        while not self._stop.is_set() and (self._db.file is None or self._db.file.exists()):
            if self._look() and until_open:
                return
            self._stop.wait(self._every)

    def stop(self) -> None:
        self._stop.set()

    def _look(self) -> bool:
        """Whether no fence stands. An outage of the catalog is survived: the next look comes soon enough."""
        try:
            self._tend()
            self._free_catalog()  # a fence that still stands could not be noted as lifted
            with self._db.read() as session:
                return not moves.stands(session)
        except ControlPlaneError as error:
            _log.warning("this look failed, another follows: %s", error)
            self._free_catalog()
            return False

    def _free_catalog(self) -> None:
        """A worker that was stopped in the middle of a write holds the file locked for as long as it stands:
        where a fence is overdue it is ended, and its work goes on with the next one."""
        if self._db.file is None:
            return
        with self._db.read() as session:
            overdue = moves.lapsed(session, self._now())
        if overdue and end_stopped_worker(self._db.file):
            _log.warning("the worker was stopped behind a fence that lapsed: it is ended")
