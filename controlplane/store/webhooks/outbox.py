"""The outbox: an event is there exactly if what it tells was committed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.events.catalogue import Event, of_status
from controlplane.domain.operation import Status
from controlplane.store.database import changed_rows
from controlplane.store.tables import Operation
from controlplane.store.webhooks.rows import Delivery, OutboxEvent


def put(session: Session, event: Event) -> str:
    """Its id, which stays the same over all deliveries: a receiver drops what it has seen."""
    row = OutboxEvent(
        id=f"evt-{secrets.token_hex(12)}",
        type=event.type,
        subject=event.subject,
        tenant_slug=event.tenant,
        at=event.at,
        data=dict(event.data),
    )
    session.add(row)
    return row.id


def put_status(session: Session, row: Operation, status: Status, at: datetime, detail: str = "") -> None:
    """An operation's new status, unless it is one that passes by itself."""
    about = {"operation": row.id, "kind": row.kind, "tenant": row.tenant_slug, "workspace": row.workspace_id}
    more = {"requested_by": row.requested_by, "wave": row.wave_id, "request_id": row.request_id}
    event = of_status(about | more, status, at, detail)
    if event is not None:
        put(session, event)


def waiting(session: Session, limit: int) -> Sequence[OutboxEvent]:
    """Events that nobody has given to their receivers yet, in their order."""
    query = select(OutboxEvent).where(~col(OutboxEvent.dispatched)).order_by(col(OutboxEvent.at)).limit(limit)
    return session.scalars(query).all()


def take(session: Session, event_id: str) -> bool:
    """False: another worker took it first."""
    mine = (col(OutboxEvent.id) == event_id, ~col(OutboxEvent.dispatched))
    return changed_rows(session, update(OutboxEvent).where(*mine).values(dispatched=True)) == 1


def since(session: Session, at: datetime) -> Sequence[OutboxEvent]:
    query = select(OutboxEvent).where(col(OutboxEvent.at) >= at).order_by(col(OutboxEvent.at))
    return session.scalars(query).all()


def get(session: Session, event_id: str) -> OutboxEvent | None:
    return session.get(OutboxEvent, event_id)


def forget_before(session: Session, at: datetime) -> int:
    """Old events and their deliveries; one that still waits for its receiver stays."""
    open_ones = select(col(Delivery.event_id)).where(col(Delivery.status) == "waiting")
    old = (col(OutboxEvent.at) < at, col(OutboxEvent.dispatched), col(OutboxEvent.id).not_in(open_ones))
    ids = select(col(OutboxEvent.id)).where(*old)
    session.execute(delete(Delivery).where(col(Delivery.event_id).in_(ids)))
    return changed_rows(session, delete(OutboxEvent).where(*old))
