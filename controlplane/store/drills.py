"""Restore drills are operations of their copies; whose backup it was stands in the payload."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.operation import FINAL, Kind, Status
from controlplane.store.tables import Operation

_SOURCE, _SOURCE_UID = "from", "from_uid"


def newest(session: Session, limit: int, source: str = "") -> list[Operation]:
    """Newest first; of one tenant's backups, or of everybody's."""
    query = select(Operation).where(col(Operation.kind) == Kind.DRILL.value)
    if source:
        query = query.where(col(Operation.payload)[_SOURCE].as_string() == source)
    return list(session.scalars(query.order_by(col(Operation.seq).desc()).limit(limit)))


def unfinished(session: Session) -> Operation | None:
    kind, status = col(Operation.kind) == Kind.DRILL.value, col(Operation.status)
    return session.scalars(select(Operation).where(kind, status.not_in(FINAL)).limit(1)).first()


def last_ended(session: Session, source_uid: str = "", status: Status | None = None) -> Operation | None:
    """The one that ended last: of one tenant's backups, as it was wanted."""
    query = select(Operation).where(
        col(Operation.kind) == Kind.DRILL.value, col(Operation.ended_at).is_not(None)
    )
    if source_uid:
        query = query.where(col(Operation.payload)[_SOURCE_UID].as_string() == source_uid)
    if status is not None:
        query = query.where(col(Operation.status) == status.value)
    return session.scalars(query.order_by(col(Operation.seq).desc()).limit(1)).first()
