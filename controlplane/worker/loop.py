"""A worker: gives ready legs to the engine, sweeps what was left behind, takes over from dead workers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from controlplane.domain.errors import Conflict, ControlPlaneError
from controlplane.durable import Engine
from controlplane.store import leases, moves, queue
from controlplane.store.database import Database
from controlplane.worker import sweep

_SWEEP_EVERY_SECONDS = 5.0
_LOOKS_UNTIL_IDLE = 3
_log = logging.getLogger(__name__)


@dataclass
class Worker:
    """One per process. `capacity` limits the legs that run at a time, over its cell's workers together."""

    db: Database
    engine: Engine
    now: Callable[[], datetime]
    capacity: int
    poll_seconds: float
    cell: str = ""  # where there are several, whose operations are done here
    shares: bool = False  # other workers may live beside this one (PostgreSQL)
    hooks: tuple[Callable[[], None], ...] = ()  # what else looks after itself: waves, schedules
    looked_at: float = field(default_factory=time.monotonic, init=False)
    _swept: float = field(default=0.0, init=False)
    _at_work: bool = field(default=False, init=False)  # at the last look a leg ran or was started
    _stop: threading.Event = field(default_factory=threading.Event, init=False)

    def run(self, *, until_idle: bool = False) -> None:
        """Until `stop`, or until everything that is left waits for a person or a time."""
        idle_looks = 0
        with self.db.stirring(self.poll_seconds, self._stop.wait) as stirring:
            while not self._stop.is_set():
                self._tick()
                idle_looks = idle_looks + 1 if until_idle and not self._at_work and self._is_idle() else 0
                if idle_looks >= _LOOKS_UNTIL_IDLE:
                    return
                if idle_looks:
                    self._stop.wait(self.poll_seconds)
                else:
                    stirring.wait()

    def stop(self) -> None:
        self._stop.set()

    def _tick(self) -> None:
        """An outage of the catalog is survived: the next look comes soon enough."""
        self.looked_at = time.monotonic()
        try:
            self.dispatch()
            for hook in self.hooks:
                hook()
            if time.monotonic() - self._swept > _SWEEP_EVERY_SECONDS:
                self._swept = time.monotonic()
                self.take_over()
                sweep.sweep(self.db, self.engine, self.now())
        except ControlPlaneError as error:
            _log.warning("this look failed, another follows: %s", error)

    def dispatch(self) -> int:
        """Start what may run and fits; returns how many legs were started."""
        with self.db.read() as session:
            workers = max(1, len(leases.living(session, self.cell))) if self.shares else 1
            running = queue.running_count(session, self.cell)
            free = self.capacity * workers - running
            ready = queue.ready(session, self.now(), max(0, free), self.cell) if free > 0 else []
        started = sum(self._start(operation_id) for operation_id in ready)
        self._at_work = bool(running or started)
        if started:
            self.engine.wake()
        return started

    def _start(self, operation_id: str) -> bool:
        """Claim and enqueue in one transaction: neither exists without the other."""
        try:
            with self.db.write() as session:
                leg = queue.claim(session, operation_id, self.now())
                if leg is None:
                    return False
                self.engine.enqueue(
                    session, f"change.{leg.name}", leg.workflow_id, leg.operation_id, leg.number
                )
        except (IntegrityError, Conflict):
            return False  # another operation, or another worker, took it first
        return True

    def take_over(self) -> None:
        """Legs of workers whose lease ran out go on here."""
        if not self.shares:
            return
        with self.db.write() as session:
            leases.drop_expired(session)
            living = {lease.executor_id for lease in leases.living(session)}
        self.engine.recover([e for e in self.engine.pending_executors() if e not in living])

    def _is_idle(self) -> bool:
        with self.db.read() as session:
            # A fence that stands is watched to its end, also when nothing else is left to do.
            return queue.is_idle(session, self.now(), self.cell) and not moves.stands(session)
