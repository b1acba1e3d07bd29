"""A tenant's history: what changed, when, by whom, in which operation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.store.tables import TenantEvent


def append(session: Session, event: TenantEvent) -> None:
    """Write one line; it becomes visible with the change that it tells of."""
    event.before, event.after = plain(event.before), plain(event.after)
    session.add(event)
    session.flush()


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """What JSON can hold: money and times become text, keeping every digit."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return plain(value) if isinstance(value, Mapping) else value


def page(session: Session, uid: str, after: int = 0, limit: int = 200) -> list[TenantEvent]:
    """In order, from the line after `after`, the last `seq` that was seen."""
    query = select(TenantEvent).where(col(TenantEvent.tenant_uid) == uid, col(TenantEvent.seq) > after)
    return list(session.scalars(query.order_by(col(TenantEvent.seq)).limit(limit)))


def of_kind(session: Session, uid: str, what: str) -> list[TenantEvent]:
    """All lines of one kind, oldest first."""
    query = select(TenantEvent).where(col(TenantEvent.tenant_uid) == uid, col(TenantEvent.what) == what)
    return list(session.scalars(query.order_by(col(TenantEvent.seq))))


def value_at(session: Session, uid: str, column: str, at: datetime, now: Any) -> Any:
    """What the column held then, told backwards from what it holds `now`."""
    query = select(TenantEvent).where(col(TenantEvent.tenant_uid) == uid, col(TenantEvent.at) > at)
    value = now
    for event in session.scalars(query.order_by(col(TenantEvent.seq).desc())):
        value = event.before.get(column, value)
    return value


def last_change_of(session: Session, uid: str, column: str) -> datetime | None:
    """When this column was last changed from one value to another; None: it is as it was at birth."""
    query = select(TenantEvent).where(col(TenantEvent.tenant_uid) == uid, col(TenantEvent.what) == "changed")
    for event in session.scalars(query.order_by(col(TenantEvent.seq).desc())):
        if column in event.after and column in event.before:
            return event.at
    return None
