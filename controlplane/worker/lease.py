"""A worker's lease on PostgreSQL, and the watchdog that ends a worker which lost it.

The promise: when others may take over our workflows, we run no further step. So we end ourselves at 0.8 of
the lease's life without a renewal, and every step asks before it begins; a process that was stopped and
continued meets that question before any effect. One that is stopped in the middle of an effect meets it
once more: what it writes is committed only while its lease is kept.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from controlplane.domain.errors import ControlPlaneError
from controlplane.store import leases
from controlplane.store.database import Database

LEASE_SECONDS = 10.0
_GIVE_UP = 0.8
_EXIT_LOST_LEASE = 75
_log = logging.getLogger(__name__)


def _end_hard() -> None:
    os._exit(_EXIT_LOST_LEASE)


@dataclass(frozen=True)
class Place:
    """Where a worker lives: on which machine, and in which of several cells."""

    host: str
    cell: str = ""


class Lease:
    def __init__(
        self,
        db: Database,
        executor_id: str,
        place: Place,
        seconds: float = LEASE_SECONDS,
        end: Callable[[], None] = _end_hard,
    ) -> None:
        self._db, self._executor_id, self._place = db, executor_id, place
        self._seconds, self._end = seconds, end
        self._renewed = 0.0
        self._stop = threading.Event()

    def take(self) -> None:
        """Before the engine is launched: nobody sees our workflows without a lease."""
        self._renewed = time.monotonic()
        with self._db.write() as session:
            where = (self._place.host, os.getpid())
            leases.take(session, self._executor_id, *where, self._seconds, self._place.cell)
        self._db.guards.append(self._guard)
        threading.Thread(target=self._keep, name="lease", daemon=True).start()
        threading.Thread(target=self._watch, name="lease-watchdog", daemon=True).start()

    def check(self) -> None:
        """Called before every step."""
        if time.monotonic() - self._renewed > self._seconds * _GIVE_UP:
            _log.error("the lease of %s was not renewed in time: ending", self._executor_id)
            self._end()

    def _guard(self, session: Session) -> None:
        if not leases.holds(session, self._executor_id):
            _log.error("the lease of %s is gone: what it was writing is not kept", self._executor_id)
            self._end()

    def release(self) -> None:
        self._stop.set()
        self._db.guards.remove(self._guard)
        with self._db.write() as session:
            leases.release(session, self._executor_id)

    def _keep(self) -> None:
        while not self._stop.wait(self._seconds / 3):
            began = time.monotonic()
            try:
                with self._db.write() as session:
                    ours = leases.renew(session, self._executor_id, self._seconds)
            except ControlPlaneError as error:
                _log.warning("renewing the lease: %s", error)
                continue
            if not ours:
                self._end()
                return
            self._renewed = began  # the database's clock read later than this, never earlier

    def _watch(self) -> None:
        while not self._stop.wait(self._seconds / 20):
            self.check()
