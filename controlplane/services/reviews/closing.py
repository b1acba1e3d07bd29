"""A review gives way to another one: its operation ends, and its lock is free at once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from controlplane.domain.errors import Conflict
from controlplane.domain.operation import Status, is_final
from controlplane.domain.review.progress import ReviewStatus
from controlplane.services.control import Control
from controlplane.services.founding import call_off
from controlplane.store import operations, reviews
from controlplane.store.reviews.rows import Review

SUPERSEDED = "superseded"  # what an operation's error says that nobody said no to


def end(session: Session, operation_id: str, now: datetime, why: str, code: str = SUPERSEDED) -> None:
    """Unless said, something else takes its place."""
    call_off(session, operation_id, Status.REJECTED, now, why, code)


def supersede(control: Control, session: Session, review: Review, why: str, code: str = SUPERSEDED) -> None:
    """Only while nothing of it is being done: what is planned right now is a conflict."""
    now = control.now()
    if review.operation_id:
        operation = operations.get(session, review.operation_id)
        if not is_final(Status(operation.status)):
            if operation.status != Status.AWAITING_APPROVAL:
                raise Conflict(
                    f"{review.subject} is being planned by {operation.id} ({operation.status})",
                    hint="open it again once that is done",
                )
            end(session, operation.id, now, why, code)
    closed = {"status": ReviewStatus.CLOSED.value, "problem": why, "updated_at": now, "ended_at": now}
    reviews.move(session, review, **closed)
