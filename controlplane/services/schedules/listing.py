"""Schedules as doors show them, and changing when they are due.

What is done in each of several cells is shown for each of them, whichever process is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

from controlplane.domain.errors import FieldError, Invalid, Missing
from controlplane.domain.windows.ticks import Ticks
from controlplane.operations.types import Request
from controlplane.services import cells
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Ask, Control, plain
from controlplane.services.schedules.jobs import JOBS, Job
from controlplane.store import audit
from controlplane.store.fleet import schedules
from controlplane.store.fleet.rows import Schedule

_SHOWN = (
    "name", "cron", "zone", "jitter_seconds", "enabled", "due_at", "last_started_at", "last_ended_at",
    "last_status", "last_words", "missed", "missed_in_all",
)  # fmt: skip
_NEVER = timedelta(days=366)  # when a cron comes next that never comes
_CELL = Field(max_length=40, description="One of several; the one of the process that is asked unless said.")


class Running(Request):
    """Where: a cell of its own does it."""

    cell: Annotated[str, _CELL] = ""


class Change(Request):
    """What is left out stays. What is done in each cell is changed in all of them, unless one is named."""

    cell: Annotated[str, Field(max_length=40, description="Of several; all of them unless said.")] = ""
    cron: Annotated[str | None, Field(min_length=9, max_length=100)] = None
    zone: Annotated[str | None, Field(max_length=64)] = None
    jitter_seconds: Annotated[int | None, Field(ge=0, le=86_400)] = None
    enabled: bool | None = None


def page(control: Control, actor: Actor) -> dict[str, Any]:
    """All of them; before the first worker began, as it would make them."""
    actor.require(Action.READ_FLEET)
    with control.db.read() as session:
        items = [view(row, control.now()) for row in _every(control, session)]
    return {"items": items, "next_page_token": None}


def overdue(control: Control, session: Session) -> Counter[str]:
    """How many nobody does, by cell; those that are done once for all cells are of none."""
    rows = _every(control, session)
    found = Counter({row.cell: 0 for row in rows})
    found.update(row.cell for row in rows if _missed_until(row, control.now()))
    return found


def _every(control: Control, session: Session) -> list[Schedule]:
    there = schedules.every(session)
    unknown = [row for row in there if row.name not in JOBS]
    return sorted([*_wanted(control, JOBS.items(), there), *unknown], key=lambda row: (row.name, row.cell))


def view(row: Schedule, now: datetime) -> dict[str, Any]:
    """With what was missed until now, though nobody was there yet to write it down."""
    job = JOBS.get(row.name)
    shown = {name: plain(getattr(row, name)) for name in _SHOWN}
    missed = _missed_until(row, now)
    if missed:
        shown |= {"missed": missed, "missed_in_all": row.missed_in_all + missed}
    return {
        "id": f"{row.name}@{row.cell}" if row.cell else row.name,
        **shown,
        "cell": row.cell or None,
        "overdue": missed > 0,
        "summary": job.summary if job else "unknown to this version: it is never run",
        "running": row.holder or None,
    }


def _missed_until(row: Schedule, now: datetime) -> int:
    """Ticks that came after the one that is due, while nobody does it."""
    is_held = row.holder and row.held_until is not None and row.held_until > now
    if is_held or not row.enabled or row.due_at > now:
        return 0
    return ticks_of(row).missed(row.due_at, now)


def ticks_of(row: Schedule) -> Ticks:
    """Cells do not begin at one moment: each has a jitter of its own."""
    return Ticks(f"{row.name} {row.cell}".rstrip(), row.cron, row.zone, row.jitter_seconds)


def due_after(row: Schedule, now: datetime) -> datetime:
    return ticks_of(row).after(now) or now + _NEVER


# --- where each is done -----------------------------------------------------------------------------


def own_cell(control: Control, job: Job) -> str:
    """Whose row a worker of this cell takes."""
    return control.cell_of_many if job.by_cell else ""


def ensure(control: Control, session: Session, jobs: Iterable[tuple[str, Job]]) -> None:
    """The rows that are not there yet, of every cell: also of one that no worker lives in."""
    schedules.ensure(session, _wanted(control, jobs, schedules.every(session)))


def _wanted(
    control: Control, jobs: Iterable[tuple[str, Job]], there: Iterable[Schedule]
) -> Iterator[Schedule]:
    """A row of each cell that is known, as it is, or as it would be made: like its siblings."""
    rows = {(row.name, row.cell): row for row in there}
    siblings = {row.name: row for row in rows.values()}
    for name, job in jobs:
        for cell in _cells(control, job):
            yield rows.get((name, cell)) or _planned(control, name, job, cell, siblings.get(name))


def _cells(control: Control, job: Job) -> list[str]:
    return sorted(cells.known(control)) if job.by_cell and control.cell_of_many else [""]


def _planned(control: Control, name: str, job: Job, cell: str, sibling: Schedule | None) -> Schedule:
    now = control.now()
    row = Schedule(name=name, cell=cell, cron=job.cron, jitter_seconds=job.jitter_seconds, due_at=now)
    if sibling is not None:
        for what in ("cron", "zone", "jitter_seconds", "enabled"):
            setattr(row, what, getattr(sibling, what))
    row.due_at = due_after(row, now)
    return row


def cells_of(control: Control, name: str, cell: str) -> list[str]:
    """Whose rows are meant: the one of the cell that was named, or all of this schedule."""
    job = JOBS.get(name)
    if job is None:
        raise Missing(f"there is no schedule {name!r}", hint="controlplane schedule list")
    meant = _cells(control, job)
    if not cell or cell in meant:
        return [cell] if cell else meant
    if cell not in cells.known(control):
        raise Missing(f"there is no cell {cell!r}", hint="controlplane cell list")
    if not job.by_cell:
        message = f"{name} is done once for all cells"
        raise Invalid(message, hint="leave the cell out", errors=[FieldError("cell", message)])
    return meant  # there is one cell only, and it is the one that was named


# --- changing ---------------------------------------------------------------------------------------


def change(control: Control, actor: Actor, name: str, body: Change, ask: Ask) -> dict[str, Any]:
    """Answers the first of those that were changed."""
    actor.require(Action.CHANGE_FLEET)
    with control.db.write() as session:
        ensure(control, session, JOBS.items())
        meant = cells_of(control, name, body.cell)
        rows = [schedules.get(session, name, cell) for cell in meant]
        first, *_ = [_change(control, session, actor, row, body, ask) for row in rows]
    return first


def _change(
    control: Control, session: Session, actor: Actor, row: Schedule, body: Change, ask: Ask
) -> dict[str, Any]:
    now, wanted = control.now(), body.model_dump(exclude_none=True, exclude={"cell"})
    before = view(row, now)
    changed = row.model_copy(update=wanted)
    schedules.change(session, row.name, {**wanted, "due_at": due_after(changed, now)}, row.cell)
    after = view(schedules.get(session, row.name, row.cell), now)
    audit.append(
        session,
        at=now,
        actor=actor.name,
        action="schedule.changed",
        subject=f"schedule/{before['id']}",
        reason=ask.reason,
        request_id=ask.request_id,
        origin=actor.origin,
        before={n: before[n] for n in wanted},
        after=wanted,
    )
    return after
