"""Looks at the fleet that were taken, and what AWS said of quotas."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.store.database import changed_rows, insert_if_absent
from controlplane.store.fleet.rows import QuotaLimit, Scan
from controlplane.store.slots import GONE
from controlplane.store.tables import ListenerRule, Platform, Slot, Tenant

_LIMIT = ("region", "cell", "name")


def record(session: Session, scan: Scan) -> None:
    session.add(scan)
    session.flush()


def last(session: Session, kind: str) -> Scan | None:
    query = select(Scan).where(col(Scan.kind) == kind).order_by(col(Scan.started_at).desc()).limit(1)
    return session.scalars(query).one_or_none()


def save_limits(session: Session, limits: Iterable[QuotaLimit]) -> None:
    for limit in limits:
        if not insert_if_absent(session, QuotaLimit, limit.model_dump()):
            this = tuple(col(getattr(QuotaLimit, key)) == getattr(limit, key) for key in _LIMIT)
            values = limit.model_dump(exclude=set(_LIMIT))
            changed_rows(session, update(QuotaLimit).where(*this).values(**values))


def limits(session: Session, region: str, cell: str = "default") -> dict[str, QuotaLimit]:
    """What AWS said of the account of that cell."""
    here = (col(QuotaLimit.region) == region, col(QuotaLimit.cell) == cell)
    rows = session.scalars(select(QuotaLimit).where(*here))
    return {row.name: row for row in rows}


def counts(session: Session, region: str, cell: str = "") -> dict[str, int]:
    """What our own catalog has in a region, or in one cell of it: databases, storage, tenants, platforms, and
    the rules of its fullest load balancer."""
    home = [col(Tenant.region) == region, *([col(Tenant.cell) == cell] if cell else [])]
    house = [col(Platform.region) == region, *([col(Platform.cell) == cell] if cell else [])]
    slots = (
        select(func.count(), func.coalesce(func.sum(col(Slot.storage_gb)), 0))
        .select_from(Slot)
        .join(Tenant, col(Tenant.uid) == col(Slot.tenant_uid))
        .where(*home, col(Slot.status) != GONE)
    )
    databases, storage_gb = session.execute(slots).one()
    living = (*home, col(Tenant.phase) != "torn_down")
    tenants = session.scalar(select(func.count()).select_from(Tenant).where(*living))
    platforms = select(func.count()).select_from(Platform).where(*house)
    rules = (
        select(func.count().label("rules"))
        .select_from(ListenerRule)
        .join(Platform, col(Platform.workspace_id) == col(ListenerRule.platform_id))
        .where(*house)
        .group_by(col(ListenerRule.platform_id))
        .subquery()
    )
    return {
        "databases": int(databases),
        "storage_gb": int(storage_gb),
        "tenants": int(tenants or 0),
        "rules": int(session.scalar(select(func.max(rules.c.rules))) or 0),
        "platforms": int(session.scalar(platforms) or 0),
    }
