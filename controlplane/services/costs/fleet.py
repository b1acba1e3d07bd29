"""The fleet's cost: in all, by group, and day by day; what tenants share stands beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from controlplane.catalog.costing import Pricer
from controlplane.catalog.prices.modules import estimate_module, wired_inputs
from controlplane.domain.cost.estimate import Estimate, add, merge
from controlplane.domain.cost.fleet import GROUPS, FleetTenant, Group, by_day, total, totals_by
from controlplane.domain.cost.report.chart import fleet_chart
from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.tenant import Environment
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Control
from controlplane.services.costs import asked, book
from controlplane.services.costs.book import usd
from controlplane.store import platforms
from controlplane.store.costs import days, fleet
from controlplane.store.costs.fleet import CostTenant

_ALWAYS = ("stage", "size", "region")
_MOST_NAMES = 20
Place = tuple[str, str, str]  # blueprint, environment, cell


def show(control: Control, actor: Actor, wanted: asked.Fleet) -> dict[str, Any]:
    """As far as the actor sees it; what all share is shown to who sees everything."""
    actor.require(Action.READ_FLEET)
    _check_group(wanted.by)
    by = book.in_force(control)
    since = book.today(control) - timedelta(days=wanted.days)
    with control.db.read() as session:
        seen = [t for t in fleet.tenants(session) if t.is_there and actor.sees(t.slug)]
        shared = shared_costs(control, session, by) if actor.sees_everything else {}
        history = _history(session, actor, since)
    members = priced(by, seen)
    groups = totals_by(members, wanted.by)
    whole, common = total(members), add(e.total for e in shared.values())
    view = {
        "price_book": book.about(by.book),
        "total": group(whole),
        "shared": {"monthly_usd": usd(common), "platforms": [_platform(p, e) for p, e in shared.items()]},
        "with_shared_usd": usd(add([whole.monthly_usd, common])),
        "by": wanted.by,
        "groups": [group(g) for g in groups],
        "breakdown": {name: [group(g) for g in totals_by(members, name)] for name in _ALWAYS},
        "history": history,
    }
    if wanted.chart:
        view["chart"] = fleet_chart(f"Monthly cost by {wanted.by}", groups or [whole], wanted.by)
    return view


def _check_group(by: str) -> None:
    if by not in GROUPS and not by.startswith("label:"):
        message = f"cannot group by {by!r}: use {', '.join(GROUPS)} or label:KEY"
        raise Invalid(message, errors=[FieldError("by", message)])


def priced(by: Pricer, tenants: Iterable[CostTenant]) -> list[FleetTenant]:
    return [
        FleetTenant(
            t.slug,
            t.stage,
            t.size,
            t.region,
            monthly_usd(by, t),
            t.labels,
            t.cell,
            t.blueprint,
        )
        for t in tenants
    ]


def monthly_usd(by: Pricer, tenant: CostTenant) -> Decimal | None:
    """A schema's own cost is its secret: the database is among what tenants share."""
    if tenant.is_schema:
        return by.estimate_schema(tenant.region).total
    return by.monthly_usd(tenant.slots, tenant.stage, tenant.region, running=tenant.is_running)


def group(found: Group) -> dict[str, Any]:
    """One sum; of tenants whose cost is not known the first names."""
    return {
        "name": found.name,
        "tenants": found.tenants,
        "monthly_usd": usd(found.monthly_usd),
        "yearly_usd": usd(found.yearly_usd),
        "known_usd": usd(found.known_usd),
        "unknown_tenants": len(found.unknown),
        "unknown": list(found.unknown[:_MOST_NAMES]),
    }


# --- what tenants share -----------------------------------------------------------------------------


def shared_costs(control: Control, session: Session, by: Pricer) -> dict[Place, Estimate]:
    """What every standing platform costs by the lines of its modules."""
    found = {}
    for row in platforms.every(session):
        if row.outputs and row.blueprint in control.catalog.blueprints:
            estimate = platform_estimate(control, by, row.blueprint, row.environment, row.region, row.options)
            found[row.blueprint, row.environment, row.cell] = estimate
    return found


def platform_estimate(
    control: Control, by: Pricer, blueprint: str, environment: str, region: str, options: Mapping[str, Any]
) -> Estimate:
    of = control.catalog.blueprints[blueprint]
    values = of.option_values(Environment(environment), dict(options))
    values |= of.band_values(Environment(environment), values)
    zones = control.catalog.region(region).zones
    known = {f"var.{name}": value for name, value in values.items()}
    known["var.zones"] = zones[: values.get("zone_count", len(zones))]
    parts = []
    for wired in of.platform.modules:
        module = control.catalog.modules[wired.module]
        if known.get(wired.when, True):
            parts.append(estimate_module(module.costs, wired_inputs(wired, module, known), by.rates(region)))
    return merge(parts)


def _platform(place: Place, estimate: Estimate) -> dict[str, Any]:
    blueprint, environment, cell = place
    names = {"blueprint": blueprint, "environment": environment, "cell": cell}
    return {**names, "monthly_usd": usd(estimate.total), "unknown": list(estimate.unknown)}


# --- history ----------------------------------------------------------------------------------------


def _history(session: Session, actor: Actor, since: date) -> list[dict[str, Any]]:
    """The days that were recorded; who sees some tenants gets the sums of these."""
    if actor.sees_everything:
        return [history_row(r.day, r.monthly_usd, r.shared_usd) for r in days.fleet(session, since)]
    seen = [(day, amount) for day, slug, amount in days.by_tenant(session, since) if actor.sees(slug)]
    return [history_row(day, amount, None) for day, amount in by_day(seen)]


def history_row(day: date, monthly: Decimal | None, shared: Decimal | None) -> dict[str, Any]:
    return {"day": day.isoformat(), "monthly_usd": usd(monthly), "shared_usd": usd(shared)}
