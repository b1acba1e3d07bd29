"""Restore drills are operations of their copies; whose backup it was stands in the payload."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.operation import FINAL, Kind, Status
from controlplane.store.tables import Operation, Tenant

_SOURCE, _SOURCE_UID = "from", "from_uid"


def newest(session: Session, limit: int, source: str = "") -> list[Operation]:
    """Newest first; of one tenant's backups, or of everybody's."""
    query = select(Operation).where(col(Operation.kind) == Kind.DRILL.value)
    if source:
        query = query.where(col(Operation.payload)[_SOURCE].as_string() == source)
    return list(session.scalars(query.order_by(col(Operation.seq).desc()).limit(limit)))


def unfinished(session: Session, cell: str = "") -> Operation | None:
    """In one cell, where one is named."""
    query = select(Operation).where(*_drills(cell), col(Operation.status).not_in(FINAL))
    return session.scalars(query.limit(1)).first()


def last_ended(
    session: Session, source_uid: str = "", status: Status | None = None, cell: str = ""
) -> Operation | None:
    """The one that ended last: of one tenant's backups, as it was wanted, in one cell."""
    query = select(Operation).where(*_drills(cell), col(Operation.ended_at).is_not(None))
    if source_uid:
        query = query.where(col(Operation.payload)[_SOURCE_UID].as_string() == source_uid)
    if status is not None:
        query = query.where(col(Operation.status) == status.value)
    return session.scalars(query.order_by(col(Operation.seq).desc()).limit(1)).first()


def _drills(cell: str) -> list[ColumnElement[bool]]:
    """A copy lives where its source does."""
    is_drill = col(Operation.kind) == Kind.DRILL.value
    lives = exists().where(col(Tenant.uid) == col(Operation.tenant_uid), col(Tenant.cell) == cell)
    return [is_drill, lives] if cell else [is_drill]
