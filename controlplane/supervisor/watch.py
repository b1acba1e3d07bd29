"""What is done again and again while Terraform runs: store lines and state, renew the lease, stop it."""

from __future__ import annotations

import json
import time
from pathlib import Path

from controlplane.supervisor.child import Process, Stopper
from controlplane.supervisor.follow import Follower
from controlplane.supervisor.ledger import Ledger, Unreachable
from controlplane.supervisor.statefile import StateReader
from controlplane.supervisor.task import LOCK_INFO_PATH, Task

_POLL_SECONDS = 0.5
_BATCH = 500


class Watch:
    def __init__(self, task: Task, ledger: Ledger, follower: Follower, state: StateReader) -> None:
        self._task = task
        self._ledger = ledger
        self._follower = follower
        self._state = state
        self._stopper = Stopper(task.grace_seconds)
        self._deadline = float("inf")
        self._renew_at = 0.0
        self._poll_at = 0.0
        self._away_until = 0.0  # the database does not answer: try again then
        self._pid_to_store = 0
        self._lock_id = ""
        self._overtime_told = False
        self.asked = ""  # to stop: ask, insist
        self.interrupted = False
        self.timed_out = False

    @property
    def stopping(self) -> bool:
        """Whether we sent a signal."""
        return self._stopper.pressed

    def started(self, process: Process) -> None:
        self._pid_to_store = process.pid
        self._deadline = min(self._deadline, time.monotonic() + self._task.timeout_seconds)

    def started_before(self, started_at: float) -> None:
        ran_seconds = max(0.0, time.time() - started_at) if started_at else 0.0
        self._deadline = time.monotonic() + self._task.timeout_seconds - ran_seconds

    def tick(self, process: Process | None = None) -> None:
        self._follower.read()
        if time.monotonic() >= self._away_until:
            try:
                self._write()
            except Unreachable:
                self._away_until = time.monotonic() + 1.0
        if process is not None:
            self._stop_if_wanted(process)

    def stream_state(self) -> None:
        state = self._state.changed()
        if state is None:
            return
        if self._task.lineage and state.lineage != self._task.lineage:
            why = "a state of another lineage is not stored: it was made from nothing"
        else:
            why = self._ledger.store_state(state)
        if why:
            self._follower.note(why)
            self._state.refused()
        else:
            self._state.stored(state)

    def _write(self) -> None:
        if self._pid_to_store:
            self._ledger.started(self._pid_to_store)
            self._pid_to_store = 0
        self.stream_state()
        now = time.monotonic()
        batch = self._follower.pending[:_BATCH]
        if not batch and now < self._poll_at:
            return
        renew = now >= self._renew_at
        lock_id = self._new_lock_id()
        self.asked = self._ledger.beat(batch, renew=renew, lock_id=lock_id)
        self._follower.stored(batch)
        self._lock_id = lock_id or self._lock_id
        self._poll_at = now + _POLL_SECONDS
        if renew:
            self._renew_at = now + self._task.lease_seconds / 3

    def _new_lock_id(self) -> str:
        """The id of Terraform's own state lock, as soon as it can be read."""
        if self._lock_id:
            return ""
        try:
            info = json.loads((Path(self._task.folder) / LOCK_INFO_PATH).read_bytes())
        except (OSError, ValueError):
            return ""
        return str(info.get("ID", "")) if isinstance(info, dict) else ""

    def _stop_if_wanted(self, process: Process) -> None:
        overdue = time.monotonic() >= self._deadline
        may_signal = not self._task.touches_database or self.asked == "insist"
        if may_signal and (overdue or self.asked):
            self.interrupted = self.interrupted or bool(self.asked)
            self.timed_out = self.timed_out or (overdue and not self.interrupted)
            sent = self._stopper.press(process)
            if sent:
                why = "asked to stop" if self.interrupted else "over its time-out"
                self._follower.note(f"{why}: {sent} sent to Terraform")
        elif overdue and not self._overtime_told:
            self.timed_out = self._overtime_told = True
            self._follower.note(
                "over its time-out; not signalled, for a database is being changed: it goes on to its end"
            )
