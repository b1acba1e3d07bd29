"""One tenant's cost: now, after its open plan, its part of what is shared, what was billed, and the drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy.orm import Session

from controlplane.catalog.costing import Pricer
from controlplane.domain.cost.fleet import TenantCost, split_shared
from controlplane.domain.cost.report.bill import UNTAGGED, Bill
from controlplane.domain.errors import FieldError, Invalid, Missing
from controlplane.domain.names import parse_slug
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Control
from controlplane.services.costs import asked, book
from controlplane.services.costs.actuals import drift_of, kept_bill
from controlplane.services.costs.book import usd
from controlplane.services.costs.estimate import band, of_row
from controlplane.services.costs.fleet import history_row, shared_costs
from controlplane.store import operations
from controlplane.store.costs import days, fleet
from controlplane.store.costs.fleet import CostTenant, OpenChange

WEIGHT_LABEL = "cost-weight"
RULES: Mapping[str, str] = {
    "even": "every tenant of the platform pays the same",
    "weight": f"by the label {WEIGHT_LABEL}, 1 where a tenant has none",
    "usage": "by what was billed to each tenant in the last days; even while nothing was",
}


def show(control: Control, actor: Actor, slug: str, wanted: asked.OfTenant) -> dict[str, Any]:
    actor.require(Action.READ_TENANT, parse_slug(slug))
    by, today = book.in_force(control), book.today(control)
    with control.db.read() as session:
        found = {t.slug: t for t in fleet.tenants(session)}
        tenant = found.get(slug)
        if tenant is None:
            raise Missing(f"there is no tenant {slug!r}", hint="controlplane tenant list")
        bill = kept_bill(session, today)
        place = (tenant.blueprint, tenant.environment, tenant.cell)
        shared = shared_costs(control, session, by).get(place)
        after = _after(session, fleet.open_changes(session).get(tenant.uid))
        history = days.of_tenant(session, tenant.uid, today - timedelta(days=wanted.days))
    now = of_row(by, tenant)
    members = [t for t in found.values() if t.is_there and place == (t.blueprint, t.environment, t.cell)]
    weights = _weights(members, wanted.split, bill)
    part = _part(weights, wanted.split, shared.total if shared else Decimal(0), slug)
    cost = TenantCost(slug, now, None, drift_of(slug, now.total, tenant.created_at.date(), bill), part)
    return {
        **cost.as_json(),
        "after_plan": after,
        "shared_rule": {"name": wanted.split, "rule": RULES[wanted.split], "tenants": len(members)},
        "billed_shared_usd": usd(_billed_part(weights, wanted.split, bill, slug)),
        "note": _note(by, tenant, bill),
        "price_book": book.about(by.book),
        "history": [history_row(row.day, row.monthly_usd, row.shared_usd) for row in history],
        **band(by, f"{tenant.stage}-{tenant.size}", now),
    }


def _after(session: Session, change: OpenChange | None) -> dict[str, Any] | None:
    """What the open plan comes to, with its lines as they were recorded."""
    if change is None or not change.is_planned:
        return None
    operation = operations.get(session, change.operation)
    recorded = operations.plan_of(session, operation)
    cost = (recorded.summary.get("cost") or {}) if recorded else {}
    return {
        "operation": operation.id,
        "kind": operation.kind,
        "status": operation.status,
        "before_usd": usd(operation.cost_before),
        "monthly_usd": usd(operation.cost_after),
        "delta_monthly_usd": cost.get("delta_monthly_usd"),
        "delta_yearly_usd": cost.get("delta_yearly_usd"),
        "lines": cost.get("lines", []),
    }


def _weights(members: Sequence[CostTenant], rule: str, bill: Bill) -> dict[str, Decimal | int]:
    if rule == "usage":
        billed = bill.by_tenant()
        return {t.slug: max(Decimal(0), billed.get(t.slug, Decimal(0))) for t in members}
    if rule == "weight":
        return {t.slug: _weight(t) for t in members}
    return {t.slug: 1 for t in members}


def _weight(tenant: CostTenant) -> Decimal:
    text = tenant.labels.get(WEIGHT_LABEL, "1")
    try:
        weight = Decimal(text)
    except InvalidOperation:
        weight = Decimal("NaN")
    if not weight.is_finite() or weight < 0:
        message = f"the label {WEIGHT_LABEL} of {tenant.slug} is {text!r}: say a number that is not negative"
        raise Invalid(message, errors=[FieldError(f"labels.{WEIGHT_LABEL}", message)])
    return weight


def _part(
    weights: Mapping[str, Decimal | int], rule: str, shared: Decimal | None, slug: str
) -> Decimal | None:
    """This tenant's share; nothing for one that is not there."""
    return split_shared(shared, weights, rule).get(slug, Decimal(0))


def _billed_part(weights: Mapping[str, Decimal | int], rule: str, bill: Bill, slug: str) -> Decimal | None:
    """Its share of what was billed without a tenant's tag; unknown while nothing was billed."""
    untagged = bill.by_tenant().get(UNTAGGED)
    return None if untagged is None else _part(weights, rule, untagged, slug)


def _note(by: Pricer, tenant: CostTenant, bill: Bill) -> str:
    notes = []
    if not by.knows(tenant.region):
        notes.append(f"the price book has no prices for {tenant.region}")
    if not bill.rows:
        notes.append("nothing was billed yet, or nobody asked: `controlplane cost actuals --ask`")
    if not tenant.is_there:
        notes.append(f"the tenant is {tenant.phase}: nothing of it runs")
    return "; ".join(notes)
