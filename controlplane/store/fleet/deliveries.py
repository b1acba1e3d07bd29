"""Alarms that came to our address: kept until they were looked at, and known by their id for a while."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.store.database import changed_rows, insert_if_absent
from controlplane.store.fleet.rows import AlarmDelivery

KEPT = timedelta(days=1)  # longer than any message is taken


def take(session: Session, id_: str, body: str, now: datetime) -> bool:
    """False: it came before."""
    old = (col(AlarmDelivery.received_at) < now - KEPT, col(AlarmDelivery.taken_at).is_not(None))
    session.execute(delete(AlarmDelivery).where(*old))
    return insert_if_absent(session, AlarmDelivery, {"id": id_, "body": body, "received_at": now})


def waiting(session: Session, limit: int) -> Sequence[AlarmDelivery]:
    query = select(AlarmDelivery).where(col(AlarmDelivery.taken_at).is_(None))
    return session.scalars(query.order_by(col(AlarmDelivery.received_at)).limit(limit)).all()


def done(session: Session, ids: Sequence[str], now: datetime) -> None:
    """Its text is not needed any more; its id is, so that it is not taken again."""
    values = {"taken_at": now, "body": ""}
    changed_rows(session, update(AlarmDelivery).where(col(AlarmDelivery.id).in_(ids)).values(**values))
