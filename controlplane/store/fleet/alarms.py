"""States of alarms: the newest change of each, in whatever order they come."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.store.database import changed_rows, insert_if_absent
from controlplane.store.fleet.rows import AlarmState


def save(session: Session, row: AlarmState) -> bool:
    """False for one that is older than what is known, or known already."""
    if insert_if_absent(session, AlarmState, row.model_dump()):
        return True
    older = (col(AlarmState.name) == row.name, col(AlarmState.since) < row.since)
    values = row.model_dump(exclude={"name"})
    return bool(changed_rows(session, update(AlarmState).where(*older).values(**values)))


def of_tenant(session: Session, uid: str) -> Sequence[AlarmState]:
    query = select(AlarmState).where(col(AlarmState.tenant_uid) == uid).order_by(col(AlarmState.name))
    return session.scalars(query).all()
