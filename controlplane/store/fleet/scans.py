"""Looks at the fleet that were taken, and what AWS said of quotas."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.store.database import changed_rows, insert_if_absent
from controlplane.store.fleet.rows import QuotaLimit, Scan
from controlplane.store.slots import GONE
from controlplane.store.tables import Platform, Slot, Tenant


def record(session: Session, scan: Scan) -> None:
    session.add(scan)
    session.flush()


def last(session: Session, kind: str) -> Scan | None:
    query = select(Scan).where(col(Scan.kind) == kind).order_by(col(Scan.started_at).desc()).limit(1)
    return session.scalars(query).one_or_none()


def save_limits(session: Session, limits: Iterable[QuotaLimit]) -> None:
    for limit in limits:
        if not insert_if_absent(session, QuotaLimit, limit.model_dump()):
            this = (col(QuotaLimit.region) == limit.region, col(QuotaLimit.name) == limit.name)
            values = limit.model_dump(exclude={"region", "name"})
            changed_rows(session, update(QuotaLimit).where(*this).values(**values))


def limits(session: Session, region: str) -> dict[str, QuotaLimit]:
    rows = session.scalars(select(QuotaLimit).where(col(QuotaLimit.region) == region))
    return {row.name: row for row in rows}


def counts(session: Session, region: str) -> dict[str, int]:
    """What our own catalog has in a region: databases, their storage, tenants, platforms."""
    slots = (
        select(func.count(), func.coalesce(func.sum(col(Slot.storage_gb)), 0))
        .select_from(Slot)
        .join(Tenant, col(Tenant.uid) == col(Slot.tenant_uid))
        .where(col(Tenant.region) == region, col(Slot.status) != GONE)
    )
    databases, storage_gb = session.execute(slots).one()
    living = (col(Tenant.region) == region, col(Tenant.phase) != "torn_down")
    tenants = session.scalar(select(func.count()).select_from(Tenant).where(*living))
    platforms = select(func.count()).select_from(Platform).where(col(Platform.region) == region)
    return {
        "databases": int(databases),
        "storage_gb": int(storage_gb),
        "tenants": int(tenants or 0),
        "platforms": int(session.scalar(platforms) or 0),
    }
