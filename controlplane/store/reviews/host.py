"""What came from a host and what goes to it: comments, deliveries, pages that are not as they shall be."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.store.database import changed_rows, insert_if_absent
from controlplane.store.reviews.rows import HostComment, HostDelivery, Review

KEPT = timedelta(days=30)  # longer than any host sends a delivery again


def with_page(session: Session) -> list[Review]:
    """Whose page may have to be told something: those with a page, but for what was told to its end."""
    query = select(Review).where(col(Review.page) > 0, col(Review.shown) != "end")
    return list(session.scalars(query.order_by(col(Review.id))))


def note_page(session: Session, review_id: str, *, number: int, url: str, shown: str) -> None:
    values = {"page": number, "page_url": url, "shown": shown}
    changed_rows(session, update(Review).where(col(Review.id) == review_id).values(**values))


def note_heard(session: Session, review_id: str, at: datetime) -> None:
    changed_rows(session, update(Review).where(col(Review.id) == review_id).values(heard_at=at))


def take_comment(session: Session, comment: HostComment) -> HostComment | None:
    """The row of a comment that still has to be done; None: it was done before."""
    there = session.get(HostComment, comment.id)
    if there is None:
        session.add(comment)
        session.flush()
        return comment
    return None if there.answer else there


def answer(session: Session, comment_id: str, text: str) -> None:
    statement = update(HostComment).where(col(HostComment.id) == comment_id)
    changed_rows(session, statement.values(answer=text))


def unanswered(session: Session) -> list[tuple[HostComment, int]]:
    """What is decided and was not told yet, with its page."""
    query = (
        select(HostComment, col(Review.page))
        .join(Review, col(Review.id) == col(HostComment.review_id))
        .where(col(HostComment.answered_at).is_(None), col(HostComment.answer) != "")
        .order_by(col(HostComment.at))
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def note_answered(session: Session, comment_id: str, now: datetime) -> None:
    statement = update(HostComment).where(col(HostComment.id) == comment_id)
    changed_rows(session, statement.values(answered_at=now))


def take_delivery(session: Session, id_: str, event: str, now: datetime) -> bool:
    """False: it came before."""
    session.execute(delete(HostDelivery).where(col(HostDelivery.received_at) < now - KEPT))
    return insert_if_absent(session, HostDelivery, {"id": id_, "event": event, "received_at": now})


def news(session: Session, now: datetime) -> bool:
    """Whether anything came since the last look; from now on it was looked at."""
    new = update(HostDelivery).where(col(HostDelivery.looked_at).is_(None))
    return changed_rows(session, new.values(looked_at=now)) > 0
