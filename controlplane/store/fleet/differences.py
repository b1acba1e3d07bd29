"""Differences between record and AWS: one row each while they live, ended when they are gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import Missing
from controlplane.store.database import changed_rows, insert_if_absent
from controlplane.store.fleet.rows import DriftFinding, PlannedLook, SeenDatabase

ALIVE = ("open", "proposed")


def save(session: Session, row: DriftFinding) -> bool:
    """True for one that was not known."""
    if insert_if_absent(session, DriftFinding, row.model_dump()):
        return True
    fresh = row.model_dump(
        exclude={"id", "identifier", "attribute", "status", "first_seen_at", "operation_id"}
    )
    fresh = {k: v for k, v in fresh.items() if not k.startswith("deci")}
    same = (
        col(DriftFinding.identifier) == row.identifier,
        col(DriftFinding.attribute) == row.attribute,
        col(DriftFinding.status).in_(ALIVE),
    )
    changed_rows(session, update(DriftFinding).where(*same).values(**fresh))
    return False


def living(session: Session) -> list[DriftFinding]:
    return list(session.scalars(select(DriftFinding).where(col(DriftFinding.status).in_(ALIVE))))


def of_tenant(session: Session, uid: str) -> list[DriftFinding]:
    """What lives of it, by attribute."""
    this = (col(DriftFinding.tenant_uid) == uid, col(DriftFinding.status).in_(ALIVE))
    return list(session.scalars(select(DriftFinding).where(*this).order_by(col(DriftFinding.attribute))))


def end(session: Session, ids: Iterable[str], now: datetime, why: str) -> None:
    wanted = list(ids)
    if wanted:
        values = {"status": "ended", "decided_at": now, "decision_reason": why}
        this = (col(DriftFinding.id).in_(wanted), col(DriftFinding.status).in_(ALIVE))
        changed_rows(session, update(DriftFinding).where(*this).values(**values))


def get(session: Session, id_: str) -> DriftFinding:
    found = session.get(DriftFinding, id_, populate_existing=True)
    if found is None:
        raise Missing(f"there is no difference {id_!r}", hint="controlplane drift list")
    return found


def move(session: Session, id_: str, seen: Sequence[str], values: Mapping[str, Any]) -> bool:
    this = (col(DriftFinding.id) == id_, col(DriftFinding.status).in_(seen))
    return bool(changed_rows(session, update(DriftFinding).where(*this).values(**values)))


def page(
    session: Session, statuses: Sequence[str], limit: int, after: str = "", severity: str = ""
) -> list[DriftFinding]:
    """Newest first; `after` is the last id of the page before."""
    query = select(DriftFinding).where(col(DriftFinding.status).in_(statuses))
    if after:
        query = query.where(col(DriftFinding.id) < after)
    if severity:
        query = query.where(col(DriftFinding.severity) == severity)
    return list(session.scalars(query.order_by(col(DriftFinding.id).desc()).limit(limit)))


# --- who is who -------------------------------------------------------------------------------------


def seen(session: Session) -> dict[str, str]:
    """Identifier → the id by which AWS knew it first."""
    query = select(col(SeenDatabase.identifier), col(SeenDatabase.resource_id))
    return {identifier: resource for identifier, resource in session.execute(query)}


def remember(session: Session, resources: Mapping[str, str], now: datetime) -> None:
    """Those that were not seen before."""
    rows = [
        {"identifier": identifier, "resource_id": resource, "first_seen_at": now, "last_seen_at": now}
        for identifier, resource in resources.items()
    ]
    if rows:
        session.execute(insert(SeenDatabase), rows)


def replace(session: Session, identifier: str, resource: str, now: datetime) -> None:
    """Somebody accepted that it is another one."""
    this = col(SeenDatabase.identifier) == identifier
    values = {"resource_id": resource, "last_seen_at": now}
    changed_rows(session, update(SeenDatabase).where(this).values(**values))


# --- who was planned --------------------------------------------------------------------------------


def planned_at(session: Session) -> dict[str, datetime]:
    """Tenant → when its workspace was planned last by a look."""
    query = select(col(PlannedLook.tenant_uid), col(PlannedLook.planned_at))
    return {uid: at for uid, at in session.execute(query)}


def note_planned(session: Session, uid: str, now: datetime, found: int) -> None:
    values = {"planned_at": now, "found": found}
    if not insert_if_absent(session, PlannedLook, {"tenant_uid": uid, **values}):
        this = col(PlannedLook.tenant_uid) == uid
        changed_rows(session, update(PlannedLook).where(this).values(**values))
