"""Budgets of the fleet and of stages, and what of them is taken already."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.catalog.costing import Pricer
from controlplane.domain.cost.estimate import add
from controlplane.domain.cost.gate import Budget as Limit
from controlplane.domain.errors import Missing
from controlplane.domain.tenant import Phase
from controlplane.store.costs.fleet import CostTenant, OpenChange, open_changes, tenants
from controlplane.store.costs.rows import Budget
from controlplane.store.database import changed_rows, insert_if_absent
from controlplane.store.tables import Operation

FLEET = "fleet"


def every(session: Session) -> list[Budget]:
    query = select(Budget).order_by(col(Budget.scope))
    return list(session.scalars(query, execution_options={"populate_existing": True}))


def save(
    session: Session, scope: str, monthly_usd: Decimal, *, actor: str, reason: str, now: datetime
) -> None:
    """Set it, or set it anew."""
    values = {"monthly_usd": monthly_usd, "set_by": actor, "reason": reason, "set_at": now}
    if not insert_if_absent(session, Budget, {"scope": scope, **values}):
        changed_rows(session, update(Budget).where(col(Budget.scope) == scope).values(**values))


def remove(session: Session, scope: str) -> None:
    if not changed_rows(session, delete(Budget).where(col(Budget.scope) == scope)):
        raise Missing(f"there is no budget for {scope!r}", hint="controlplane cost budget")


def for_plan(session: Session, operation: Operation, pricer: Pricer) -> list[Limit]:
    """The budgets that a tenant's plan has to keep, with what all others take of them.

    Others are counted with the book in force; one that is being made, or that somebody asked to change
    earlier, counts with what it will cost, planned or not: who asked first goes first.
    """
    rows = every(session)
    if not rows or operation.tenant_uid is None:
        return []
    changes = open_changes(session)
    fleet = tenants(session)
    own = next((t for t in fleet if t.uid == operation.tenant_uid), None)
    stage = own.stage if own else ""
    limits = []
    for row in rows:
        if row.scope not in (FLEET, stage):
            continue
        counted = [t for t in fleet if t is not own and row.scope in (FLEET, t.stage)]
        taken = add(_taken(t, changes.get(t.uid), operation.seq or 0, pricer) for t in counted)
        limits.append(Limit(row.monthly_usd, taken, f"the budget of {_words(row.scope)}"))
    return limits


def _taken(tenant: CostTenant, change: OpenChange | None, before: int, pricer: Pricer) -> Decimal | None:
    wanted = pricer.monthly_usd(tenant.slots, tenant.stage, tenant.region, running=tenant.is_running)
    if tenant.is_schema:
        wanted = pricer.estimate_schema(tenant.region).total
    now = wanted if tenant.is_there else Decimal(0)
    if change is None or (change.seq > before and tenant.phase != Phase.PROVISIONING):
        return now
    after = change.cost_after if change.is_planned else wanted
    return None if now is None or after is None else max(now, after)


def _words(scope: str) -> str:
    return "the fleet" if scope == FLEET else f"stage {scope}"
