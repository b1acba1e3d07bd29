"""The tables of what is told to the outside: the events, who hears them, and each delivery."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel

from controlplane.store.columns import document, moment


class Webhook(SQLModel, table=True):
    """A receiver. Its URL may be a secret as much as what it signs with: both are sealed."""

    id: str = Field(primary_key=True)
    form: str
    host: str  # of the URL, for people
    events: list[Any] = document(list)  # patterns of types
    tenants: list[Any] = document(list)  # patterns of slugs; empty: every one, and what concerns none
    note: str = ""
    gone: str = ""  # why nothing is sent any more
    key_id: str
    wrapped: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)
    created_by: str
    created_at: datetime = moment(nullable=False)


class OutboxEvent(SQLModel, table=True):
    """An event, written in the transaction of what it tells."""

    __tablename__ = "outbox_event"
    __table_args__ = (
        Index("outbox_event_waiting", "dispatched", "at"),
        Index("outbox_event_at", "at"),
    )

    id: str = Field(primary_key=True)
    type: str
    subject: str
    tenant_slug: str = ""
    at: datetime = moment(nullable=False)
    data: dict[str, Any] = document(dict)
    dispatched: bool = False


class Delivery(SQLModel, table=True):
    """One event on its way to one receiver."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (Index("webhook_delivery_due", "status", "next_at"),)

    webhook_id: str = Field(primary_key=True, foreign_key="webhook.id")
    event_id: str = Field(primary_key=True, foreign_key="outbox_event.id", index=True)
    status: str = "waiting"  # waiting, delivered, failed
    attempts: int = 0
    next_at: datetime = moment(nullable=False)
    detail: str = ""  # the last answer
    delivered_at: datetime | None = moment()
