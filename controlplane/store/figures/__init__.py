"""Counts over the whole catalog, in a handful of queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.operation import Status
from controlplane.store import leases
from controlplane.store.fleet import differences, drills
from controlplane.store.fleet.rows import DriftFinding
from controlplane.store.moves.rows import Migration
from controlplane.store.tables import Operation, Tenant
from controlplane.store.webhooks.rows import Delivery


@dataclass(frozen=True)
class Figures:
    tenants: Mapping[str, int]
    operations: Mapping[tuple[str, str], int]
    waiting: int  # for their turn
    monthly_usd: Decimal  # of tenants whose cost is known
    workers: int  # that hold a lease


def read(session: Session) -> Figures:
    phases = session.execute(select(col(Tenant.phase), func.count()).group_by(col(Tenant.phase)))
    kinds = session.execute(
        select(col(Operation.kind), col(Operation.status), func.count()).group_by(
            col(Operation.kind), col(Operation.status)
        )
    )
    operations = {(kind, status): number for kind, status, number in kinds}
    cost = session.scalar(select(func.sum(col(Tenant.monthly_usd))).where(col(Tenant.phase) != "torn_down"))
    return Figures(
        tenants={phase: number for phase, number in phases},
        operations=operations,
        waiting=sum(n for (_, status), n in operations.items() if status == "pending"),
        monthly_usd=cost or Decimal(0),
        workers=len(leases.living(session)),
    )


def care(session: Session, now: datetime) -> Mapping[str, float]:
    """What somebody may have to look at, and how long the first in the queue waits."""
    oldest = session.scalar(
        select(func.min(col(Operation.created_at))).where(col(Operation.status) == "pending")
    )
    return {
        "drift_findings": _count(session, DriftFinding, col(DriftFinding.status).in_(differences.ALIVE)),
        "fences": _count(session, Migration, col(Migration.fence_deadline).is_not(None)),
        "webhook_deliveries_waiting": _count(session, Delivery, col(Delivery.status) == "waiting"),
        "webhook_deliveries_failed": _count(session, Delivery, col(Delivery.status) == "failed"),
        "queue_oldest_seconds": (now - oldest).total_seconds() if oldest else 0.0,
    }


def drilled(session: Session, now: datetime) -> Mapping[str, float]:
    """Of the restore drill that ended last; nothing before there was one."""
    row = drills.last_ended(session)
    if row is None or row.ended_at is None:
        return {}
    measured = {name: row.response.get(name) for name in ("rto_seconds", "rpo_seconds")}
    return {
        "restore_drill_passed": float(row.status == Status.SUCCEEDED),
        "restore_drill_age_seconds": (now - row.ended_at).total_seconds(),
        **{f"restore_drill_{name}": float(v) for name, v in measured.items() if v is not None},
    }


def _count(session: Session, table: Any, where: Any) -> int:
    return session.scalar(select(func.count()).select_from(table).where(where)) or 0
