"""Reviews: found, and moved from status to status by conditional updates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import Missing
from controlplane.domain.review.progress import UNFINISHED
from controlplane.store.database import changed_rows, prepared
from controlplane.store.reviews.rows import Review
from controlplane.store.tables import Tenant

_UNFINISHED = tuple(status.value for status in UNFINISHED)


def insert(session: Session, review: Review) -> None:
    session.add(review)
    session.flush()


def get(session: Session, review_id: str) -> Review:
    found = session.get(Review, review_id, populate_existing=True)
    if found is None:
        raise Missing(f"there is no review {review_id!r}", hint="controlplane review list")
    return found


def of_operation(session: Session, operation_id: str) -> Review | None:
    query = select(Review).where(col(Review.operation_id) == operation_id)
    return session.scalars(query).first()


def unfinished(session: Session) -> list[Review]:
    """The oldest first."""
    return list(session.scalars(_unfinished()))


@prepared
def _unfinished() -> Select[Review]:
    return select(Review).where(col(Review.status).in_(_UNFINISHED)).order_by(col(Review.id))


def of_branch(session: Session, branch: str) -> Review | None:
    """The one review of a branch that is not finished."""
    return next((r for r in unfinished(session) if r.branch == branch), None)


def knows(session: Session, branch: str, head: str) -> bool:
    """Whether this very commit was answered before, whatever became of it."""
    query = select(col(Review.id)).where(col(Review.branch) == branch, col(Review.head) == head)
    return session.scalars(query.limit(1)).first() is not None


def last_head(session: Session, branch: str) -> str:
    """Our newest commit on a branch; empty: none was made."""
    query = select(col(Review.head)).where(col(Review.branch) == branch, col(Review.meaning) != "")
    return session.scalars(query.order_by(col(Review.id).desc()).limit(1)).first() or ""


def of_folder(session: Session, folder: str) -> Review | None:
    return next((r for r in unfinished(session) if r.folder == folder), None)


def page(session: Session, statuses: Sequence[str], before: str | None, limit: int) -> list[Review]:
    """The newest first; ids sort by time."""
    query = select(Review).order_by(col(Review.id).desc()).limit(limit)
    if statuses:
        query = query.where(col(Review.status).in_(statuses))
    if before:
        query = query.where(col(Review.id) < before)
    return list(session.scalars(query))


def move(session: Session, review: Review, **fields: Any) -> bool:
    """Change it if it still has the status that was seen; False when somebody else was faster."""
    where = (col(Review.id) == review.id, col(Review.status) == review.status)
    moved = changed_rows(session, update(Review).where(*where).values(**fields)) > 0
    session.expire_all()
    return moved


def fleet_mark(session: Session) -> str:
    """Another one after every change of any tenant."""
    marks = (func.count(col(Tenant.uid)), func.sum(col(Tenant.revision)), func.max(col(Tenant.updated_at)))
    return str(tuple(session.execute(select(*marks)).one()))


def fleet(session: Session) -> list[Tenant]:
    return list(session.scalars(select(Tenant).order_by(col(Tenant.slug))))
