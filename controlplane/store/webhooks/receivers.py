"""Who hears events, and how each delivery fares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import Missing
from controlplane.store.database import changed_rows
from controlplane.store.webhooks.rows import Delivery, OutboxEvent, Webhook


def insert(session: Session, webhook: Webhook) -> None:
    session.add(webhook)
    session.flush()


def every(session: Session) -> Sequence[Webhook]:
    return session.scalars(select(Webhook).order_by(col(Webhook.id))).all()


def get(session: Session, webhook_id: str) -> Webhook:
    found = session.get(Webhook, webhook_id)
    if found is None:
        raise Missing(f"there is no webhook {webhook_id!r}", hint="controlplane webhook list")
    return found


def remove(session: Session, webhook_id: str) -> None:
    session.execute(delete(Delivery).where(col(Delivery.webhook_id) == webhook_id))
    session.execute(delete(Webhook).where(col(Webhook.id) == webhook_id))


def end(session: Session, webhook_id: str, why: str) -> None:
    """Nothing more is sent there, what waits included."""
    session.execute(update(Webhook).where(col(Webhook.id) == webhook_id).values(gone=why))
    open_ones = (col(Delivery.webhook_id) == webhook_id, col(Delivery.status) == "waiting")
    session.execute(update(Delivery).where(*open_ones).values(status="failed", detail=why))


# --- deliveries -------------------------------------------------------------------------------------


def deliver(session: Session, webhook_id: str, event_id: str, now: datetime) -> None:
    """Have the event delivered there, once more if it was delivered before."""
    found = session.get(Delivery, (webhook_id, event_id))
    if found is None:
        session.add(Delivery(webhook_id=webhook_id, event_id=event_id, next_at=now))
        return
    found.status, found.attempts, found.next_at = "waiting", 0, now


def failed(session: Session, webhook_id: str) -> Sequence[str]:
    query = select(col(Delivery.event_id)).where(
        col(Delivery.webhook_id) == webhook_id, col(Delivery.status) == "failed"
    )
    return session.scalars(query).all()


def due(session: Session, now: datetime, limit: int) -> Sequence[Delivery]:
    query = select(Delivery).where(col(Delivery.status) == "waiting", col(Delivery.next_at) <= now)
    return session.scalars(query.order_by(col(Delivery.next_at)).limit(limit)).all()


def claim(session: Session, delivery: Delivery, until: datetime) -> bool:
    """Nobody else sends it until then; False: somebody does already."""
    mine = (
        *_of(delivery.webhook_id, delivery.event_id),
        col(Delivery.status) == "waiting",
        col(Delivery.next_at) == delivery.next_at,
    )
    values = {"next_at": until, "attempts": Delivery.attempts + 1}
    return changed_rows(session, update(Delivery).where(*mine).values(**values)) == 1


def settle(session: Session, webhook_id: str, event_id: str, **fields: object) -> None:
    session.execute(update(Delivery).where(*_of(webhook_id, event_id)).values(**fields))


def _of(webhook_id: str, event_id: str) -> tuple[ColumnElement[bool], ...]:
    return (col(Delivery.webhook_id) == webhook_id, col(Delivery.event_id) == event_id)


def counts(session: Session) -> Mapping[str, Mapping[str, int]]:
    """How many deliveries of each webhook are in which status."""
    by = (col(Delivery.webhook_id), col(Delivery.status))
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for webhook_id, status, number in session.execute(select(*by, func.count()).group_by(*by)):
        found[webhook_id][status] = number
    return found


def last_answer(session: Session, webhook_id: str) -> str:
    """What it answered to the newest event that was tried; empty: nothing was yet."""
    query = (
        select(col(Delivery.detail))
        .join(OutboxEvent, col(OutboxEvent.id) == col(Delivery.event_id))
        .where(col(Delivery.webhook_id) == webhook_id, col(Delivery.attempts) > 0)
        .order_by(col(OutboxEvent.at).desc())
    )
    return session.scalars(query.limit(1)).first() or ""
