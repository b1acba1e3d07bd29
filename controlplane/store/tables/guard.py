"""Who may do what and when, and what was done."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from controlplane.store.columns import document, moment, sequence


class AuditEntry(SQLModel, table=True):
    """Append-only; each entry carries the hash of the one before it."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("audit_entry_subject", "subject", "seq"),
        Index("audit_entry_actor", "actor", "seq"),
    )

    seq: int | None = sequence()
    at: datetime = moment(nullable=False)
    actor: str
    action: str
    subject: str
    reason: str = ""
    request_id: str = ""
    origin: str = ""
    before: dict[str, Any] = document(dict)
    after: dict[str, Any] = document(dict)
    previous: str
    digest: str = Field(unique=True)


class Token(SQLModel, table=True):
    id: str = Field(primary_key=True)
    name: str
    digest: str = Field(unique=True)
    role: str
    tenants: list[Any] = document(list)  # empty: every tenant
    created_by: str
    created_at: datetime = moment(nullable=False)
    expires_at: datetime | None = moment()
    revoked_at: datetime | None = moment()
    last_used_at: datetime | None = moment()


class User(SQLModel, table=True):
    __tablename__ = "person"

    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    role: str
    tenants: list[Any] = document(list)
    created_at: datetime = moment(nullable=False)


class IdempotencyKey(SQLModel, table=True):
    __tablename__ = "idempotency_key"

    actor: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: str  # of method, path and body
    status_code: int
    answer: dict[str, Any] = document(dict)
    headers: dict[str, Any] = document(dict)
    created_at: datetime = moment(nullable=False)


class Window(SQLModel, table=True):
    """A change window; deny wins."""

    __tablename__ = "change_window"

    id: str = Field(primary_key=True)
    name: str
    effect: str  # allow, deny, sleep
    cron: str
    minutes: int
    zone: str = "UTC"
    selector: str = ""
    created_by: str
    created_at: datetime = moment(nullable=False)


class PolicyOverride(SQLModel, table=True):
    __tablename__ = "policy_override"

    id: str = Field(primary_key=True)
    rule: str
    tenant_uid: str | None = None
    person: str
    reason: str
    expires_at: datetime = moment(nullable=False)
    created_at: datetime = moment(nullable=False)
