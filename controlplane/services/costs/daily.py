"""What is done once a day: write down what the fleet costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from controlplane.domain.cost.estimate import add
from controlplane.domain.cost.fleet import FleetTenant, split_shared
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Control
from controlplane.services.costs import book
from controlplane.services.costs.book import usd
from controlplane.services.costs.fleet import Place, priced, shared_costs
from controlplane.store.costs import days, fleet
from controlplane.store.costs.fleet import CostTenant
from controlplane.store.costs.rows import FLEET, CostDay


def record(control: Control, actor: Actor) -> dict[str, Any]:
    """A row a tenant and one for all of them; done again on the same day it replaces them."""
    actor.require(Action.CHANGE_FLEET)
    by, day = book.in_force(control), book.today(control)
    with control.db.read() as session:
        tenants = [t for t in fleet.tenants(session) if t.is_there]
        shared = {place: e.total for place, e in shared_costs(control, session, by).items()}
    members = priced(by, tenants)
    parts: dict[str, Decimal | None] = {}
    for place, amount in shared.items():
        here = {t.slug: 1 for t in tenants if _place(t) == place}
        parts |= split_shared(amount, here)
    whole = CostDay(
        day=day,
        tenant_uid=FLEET,
        tenants=len(tenants),
        databases=sum(_running(t) for t in tenants),
        monthly_usd=add(member.monthly_usd for member in members),
        shared_usd=add(shared.values()),
        book=by.book.dated.isoformat(),
    )
    rows = [
        _row(whole, tenant, member, parts.get(tenant.slug))
        for tenant, member in zip(tenants, members, strict=True)
    ]
    with control.db.write() as session:
        days.record(session, day, [whole, *rows])
    return {
        "id": day.isoformat(),
        "day": day.isoformat(),
        "tenants": len(rows),
        "monthly_usd": usd(whole.monthly_usd),
        "shared_usd": usd(whole.shared_usd),
    }


def _row(whole: CostDay, tenant: CostTenant, member: FleetTenant, shared: Decimal | None) -> CostDay:
    return CostDay(
        day=whole.day,
        tenant_uid=tenant.uid,
        slug=tenant.slug,
        stage=tenant.stage,
        size=tenant.size,
        region=tenant.region,
        multi_az=any(slot.multi_az for slot in tenant.slots),
        databases=_running(tenant),
        monthly_usd=member.monthly_usd,
        shared_usd=shared,
        book=whole.book,
    )


def _running(tenant: CostTenant) -> int:
    return len(tenant.slots) if tenant.is_running else 0


def _place(tenant: CostTenant) -> Place:
    return tenant.blueprint, tenant.environment, tenant.cell
