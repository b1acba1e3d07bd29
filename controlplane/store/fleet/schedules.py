"""Schedules as rows: whoever moves `due_at` on has the tick, and everybody else has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import Missing
from controlplane.store.database import changed_rows, insert_if_absent
from controlplane.store.fleet.rows import Schedule


def ensure(session: Session, rows: Iterable[Schedule]) -> None:
    """Those that are not there yet; what somebody changed stays as it is."""
    for row in rows:
        insert_if_absent(session, Schedule, row.model_dump())


def every(session: Session) -> list[Schedule]:
    return list(session.scalars(select(Schedule).order_by(col(Schedule.name), col(Schedule.cell))))


def get(session: Session, name: str, cell: str = "") -> Schedule:
    found = session.get(Schedule, (name, cell), populate_existing=True)
    if found is None:
        where = f" in the cell {cell}" if cell else ""
        raise Missing(f"there is no schedule {name!r}{where}", hint="controlplane schedule list")
    return found


def due(session: Session, now: datetime) -> list[Schedule]:
    """Those whose time has come and that nobody runs, the most overdue first."""
    query = select(Schedule).where(col(Schedule.enabled), col(Schedule.due_at) <= now, _free(now))
    return list(session.scalars(query.order_by(col(Schedule.due_at))))


def claim(session: Session, seen: Schedule, values: Mapping[str, Any], now: datetime) -> bool:
    """Take the tick that was seen; False when another worker was quicker."""
    this = (*_this(seen.name, seen.cell), col(Schedule.due_at) == seen.due_at, _free(now))
    return bool(changed_rows(session, update(Schedule).where(*this).values(**values)))


def finish(session: Session, name: str, cell: str, holder: str, values: Mapping[str, Any]) -> bool:
    """Write down how it went; False when the claim had been lost meanwhile."""
    this = (*_this(name, cell), col(Schedule.holder) == holder)
    cleared = {**values, "holder": "", "held_until": None}
    return bool(changed_rows(session, update(Schedule).where(*this).values(**cleared)))


def change(session: Session, name: str, values: Mapping[str, Any], cell: str = "") -> None:
    if not changed_rows(session, update(Schedule).where(*_this(name, cell)).values(**values)):
        get(session, name, cell)


def _this(name: str, cell: str) -> tuple[Any, Any]:
    return col(Schedule.name) == name, col(Schedule.cell) == cell


def _free(now: datetime) -> Any:
    """Nobody runs it, or whoever did is gone."""
    return or_(col(Schedule.holder) == "", col(Schedule.held_until) <= now)


def make_due(session: Session, name: str, now: datetime, cell: str = "") -> bool:
    """Whoever ticks next does it; False where there is no such schedule, or it is off."""
    this = (*_this(name, cell), col(Schedule.enabled))
    return bool(changed_rows(session, update(Schedule).where(*this).values(due_at=now)))
