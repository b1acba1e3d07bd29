"""Schedules as doors show them, and changing when they are due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from controlplane.domain.windows.ticks import Ticks
from controlplane.operations.types import Request
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


class Change(Request):
    """What is left out stays."""

    cron: Annotated[str | None, Field(min_length=9, max_length=100)] = None
    zone: Annotated[str | None, Field(max_length=64)] = None
    jitter_seconds: Annotated[int | None, Field(ge=0, le=86_400)] = None
    enabled: bool | None = None


def page(control: Control, actor: Actor) -> dict[str, Any]:
    """All of them; before the first worker began, as it would make them."""
    actor.require(Action.READ_FLEET)
    with control.db.read() as session:
        rows = {row.name: row for row in schedules.every(session)}
    items = [
        view(rows.get(name) or planned(name, JOBS[name], control.now())) for name in sorted({*JOBS, *rows})
    ]
    return {"items": items, "next_page_token": None}


def planned(name: str, job: Job, now: datetime) -> Schedule:
    """The row of a job that nobody has changed yet."""
    due = Ticks(name, job.cron, "UTC", job.jitter_seconds).after(now) or now + timedelta(days=366)
    return Schedule(name=name, cron=job.cron, jitter_seconds=job.jitter_seconds, due_at=due)


def view(row: Schedule) -> dict[str, Any]:
    job = JOBS.get(row.name)
    shown = {name: plain(getattr(row, name)) for name in _SHOWN}
    summary = job.summary if job else "unknown to this version: it is never run"
    return {"id": row.name, **shown, "summary": summary, "running": row.holder or None}


def change(control: Control, actor: Actor, name: str, body: Change, ask: Ask) -> dict[str, Any]:
    actor.require(Action.CHANGE_FLEET)
    now = control.now()
    with control.db.write() as session:
        schedules.ensure(session, [planned(n, job, now) for n, job in JOBS.items()])
        row = schedules.get(session, name)
        wanted = body.model_dump(exclude_none=True)
        said = {**{n: getattr(row, n) for n in ("cron", "zone", "jitter_seconds")}, **wanted}
        ticks = Ticks(name, said["cron"], said["zone"], said["jitter_seconds"])
        wanted["due_at"] = ticks.after(now) or now + timedelta(days=366)
        before = view(row)
        schedules.change(session, name, wanted)
        after = view(schedules.get(session, name))
        audit.append(
            session,
            at=now,
            actor=actor.name,
            action="schedule.changed",
            subject=f"schedule/{name}",
            reason=ask.reason,
            request_id=ask.request_id,
            origin=actor.origin,
            before={n: before[n] for n in body.model_dump(exclude_none=True)},
            after=body.model_dump(exclude_none=True),
        )
    return after
