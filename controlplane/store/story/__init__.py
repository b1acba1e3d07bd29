"""An operation's story, read: line by line from an offset on, its end, its steps, and whose has news."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.store.tables import OperationEvent


def events(session: Session, operation_id: str, after: int = 0, limit: int = 500) -> list[OperationEvent]:
    query = (
        select(OperationEvent)
        .where(col(OperationEvent.operation_id) == operation_id, col(OperationEvent.seq) > after)
        .order_by(col(OperationEvent.seq))
        .limit(limit)
    )
    return list(session.scalars(query).all())


def last_events(session: Session, operation_id: str, count: int) -> list[OperationEvent]:
    """The end of the story, in its order."""
    query = (
        select(OperationEvent)
        .where(col(OperationEvent.operation_id) == operation_id)
        .order_by(col(OperationEvent.seq).desc())
        .limit(count)
    )
    return list(reversed(session.scalars(query).all()))


def steps_of(session: Session, operation_id: str) -> list[tuple[OperationEvent, OperationEvent]]:
    """Each step's first and last line, in the order in which they began, however long the story is."""
    ends = (
        select(func.min(col(OperationEvent.seq)), func.max(col(OperationEvent.seq)))
        .where(col(OperationEvent.operation_id) == operation_id, col(OperationEvent.type) == "step")
        .group_by(col(OperationEvent.step))
    )
    pairs = sorted((first, last) for first, last in session.execute(ends))
    wanted = {seq for pair in pairs for seq in pair}
    rows = session.scalars(select(OperationEvent).where(col(OperationEvent.seq).in_(wanted)))
    by_seq = {row.seq: row for row in rows}
    return [(by_seq[first], by_seq[last]) for first, last in pairs]


def news(session: Session, after: int) -> tuple[int, set[str]]:
    """The newest line of all stories, and whose stories have lines behind `after`."""
    newest = session.scalar(select(func.max(col(OperationEvent.seq)))) or 0
    if newest <= after or after < 0:
        return int(newest), set()
    query = select(col(OperationEvent.operation_id)).where(col(OperationEvent.seq) > after).distinct()
    return int(newest), set(session.scalars(query))
