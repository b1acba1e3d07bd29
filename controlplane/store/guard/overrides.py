"""Overrides of policy: a person answers for a rule's exception, with a reason and an end."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import AlreadyExists, FieldError, Invalid, Missing
from controlplane.store.database import changed_rows, insert_if_absent
from controlplane.store.tables import PolicyOverride


def add(session: Session, override: PolicyOverride) -> None:
    if not override.person.strip() or not override.reason.strip():
        message = "an override names a person and a reason"
        raise Invalid(message, errors=[FieldError("reason", message)])
    if override.expires_at <= override.created_at:
        message = "an override ends after it begins"
        raise Invalid(message, errors=[FieldError("expires_at", message)])
    if not insert_if_absent(session, PolicyOverride, override.model_dump()):
        raise AlreadyExists(f"there is an override {override.id!r} already")


def living(
    session: Session, tenant_uid: str | None, now: datetime, rule: str | None = None
) -> list[PolicyOverride]:
    """What holds for a tenant now: its own, and those for everybody."""
    whose = col(PolicyOverride.tenant_uid)
    query = select(PolicyOverride).where(
        or_(whose.is_(None), whose == tenant_uid), col(PolicyOverride.expires_at) > now
    )
    if rule is not None:
        query = query.where(col(PolicyOverride.rule) == rule)
    return list(session.scalars(query.order_by(col(PolicyOverride.created_at), col(PolicyOverride.id))))


def end(session: Session, override_id: str, now: datetime) -> None:
    """It holds no longer; its row stays, as what was decided."""
    this = (col(PolicyOverride.id) == override_id, col(PolicyOverride.expires_at) > now)
    ended = changed_rows(session, update(PolicyOverride).where(*this).values(expires_at=now))
    if not ended and session.get(PolicyOverride, override_id) is None:
        raise Missing(f"there is no override {override_id!r}")


def every(session: Session) -> list[PolicyOverride]:
    """Those that ended too, oldest first."""
    query = select(PolicyOverride).order_by(col(PolicyOverride.created_at), col(PolicyOverride.id))
    return list(session.scalars(query))
