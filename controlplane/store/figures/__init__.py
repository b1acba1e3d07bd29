"""Counts over the whole catalog, in a handful of queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.store import leases
from controlplane.store.tables import Operation, Tenant


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
