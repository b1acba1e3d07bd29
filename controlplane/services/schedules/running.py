"""Doing what is due, once: whoever moves the row's `due_at` on has the tick. Where there are several cells,
what asks a cell's own AWS is done in each, by its own workers.

A worker calls `tick` again and again; `run` does the same on a person's or another scheduler's word.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.errors import Conflict, ControlPlaneError
from controlplane.services.actor import Action, Actor, Role
from controlplane.services.control import Ask, Control, new_id
from controlplane.services.schedules.jobs import JOBS, Job
from controlplane.services.schedules.listing import cells_of, due_after, ensure, own_cell, ticks_of, view
from controlplane.store import audit
from controlplane.store.fleet import schedules
from controlplane.store.fleet.rows import Schedule

_log = logging.getLogger(__name__)
_WORDS = 1_000  # of what happened that are kept


@dataclass(frozen=True)
class Clockwork:
    """One worker's view of the schedules. `holder` names it; `jobs` are what is known to do."""

    control: Control
    holder: str
    jobs: Mapping[str, Job]

    def begin(self, *, alone: bool) -> None:
        """Make the rows that are not there. Who is alone takes back what a life before held."""
        with self.control.db.write() as session:
            ensure(self.control, session, self.jobs.items())
            for row in schedules.every(session) if alone else ():
                if row.holder:
                    lost = {"last_status": "lost", "last_words": f"{row.holder} went away"}
                    schedules.finish(session, row.name, row.cell, row.holder, lost)

    def tick(self) -> bool:
        """Do the next thing that is due; False when there is none."""
        now = self.control.now()
        with self.control.db.read() as session:
            rows = [row for row in schedules.due(session, now) if self._is_ours(row)]
        return any(self._claim(row) and self.do(row.name) for row in rows)

    def _is_ours(self, row: Schedule) -> bool:
        job = self.jobs.get(row.name)
        return job is not None and row.cell == own_cell(self.control, job)

    def _claim(self, row: Schedule) -> bool:
        now = self.control.now()
        missed = ticks_of(row).missed(row.due_at, now)
        values: dict[str, Any] = {
            "due_at": due_after(row, now),
            "missed": missed,
            "missed_in_all": Schedule.missed_in_all + missed,
            **_held(self.holder, self.jobs[row.name], now),
        }
        if missed:
            _log.warning("schedule %s: %s ticks were missed since %s", _name(row), missed, row.due_at)
        with self.control.db.write() as session:
            return schedules.claim(session, row, values, now)

    def do(self, name: str) -> bool:
        actor = Actor(f"schedule:{name}", Role.ADMIN, origin=self.holder)
        status, words = "failed", "it ended in an error of the program"
        try:
            words = self.jobs[name].work(self.control, actor)
            status = "done"
        except ControlPlaneError as error:
            words = f"{error.message}; {error.hint}" if error.hint else error.message
            _log.warning("schedule %s: %s", name, words)
        finally:
            self._finish(name, status, words)
        return True

    def _finish(self, name: str, status: str, words: str) -> None:
        values = {
            "last_status": status,
            "last_words": words[:_WORDS],
            "last_ended_at": self.control.now(),
        }
        with self.control.db.write() as session:
            schedules.finish(session, name, own_cell(self.control, self.jobs[name]), self.holder, values)


def run(control: Control, actor: Actor, name: str, ask: Ask, cell: str = "") -> dict[str, Any]:
    """Now, whatever the clock says. A tick that was due is done by it. What another cell's workers do is left
    to them."""
    actor.require(Action.CHANGE_FLEET)
    work = Clockwork(control, f"{actor.name}:{new_id('run')}", JOBS)
    work.begin(alone=False)
    meant, job = cells_of(control, name, cell), JOBS[name]
    own = own_cell(control, job)
    is_not_ours = job.by_worker or (job.runs_terraform and control.plan_source is None)
    if is_not_ours or (cell and meant != [own]):
        return _leave_to_worker(control, actor, name, meant[0] if cell else own, ask)
    now = control.now()
    with control.db.write() as session:
        row = schedules.get(session, name, own)
        values = {"due_at": due_after(row, now), **_held(work.holder, job, now)}
        if not schedules.claim(session, row, values, now):
            raise Conflict(
                f"the schedule {_name(row)} is being run by {row.holder}", hint="controlplane schedule list"
            )
        _note(session, control, actor, row, ask)
    work.do(name)  # the claim above stands for the tick
    with control.db.read() as session:
        return view(schedules.get(session, name, own), now)


def _leave_to_worker(control: Control, actor: Actor, name: str, cell: str, ask: Ask) -> dict[str, Any]:
    """Due now: its next tick does it."""
    now = control.now()
    with control.db.write() as session:
        schedules.make_due(session, name, now, cell)
        row = schedules.get(session, name, cell)
        _note(session, control, actor, row, ask)
        return view(row, now)


def _name(row: Schedule) -> str:
    return f"{row.name} of {row.cell}" if row.cell else row.name


def _note(session: Session, control: Control, actor: Actor, row: Schedule, ask: Ask) -> None:
    audit.append(
        session,
        at=control.now(),
        actor=actor.name,
        action="schedule.run",
        subject=f"schedule/{row.name}",
        after={"cell": row.cell} if row.cell else {},
        reason=ask.reason,
        request_id=ask.request_id,
        origin=actor.origin,
    )


def _held(holder: str, job: Job, now: Any) -> dict[str, Any]:
    return {
        "holder": holder,
        "held_until": now + timedelta(minutes=job.minutes),
        "last_started_at": now,
    }
