"""A platform's budget in AWS: what was said, its stage's budget, or the estimate with headroom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from sqlalchemy.orm import Session

from controlplane.catalog.costing import Pricer
from controlplane.domain.cost.estimate import ZERO, Estimate, merge
from controlplane.domain.cost.tenant import TenantShape, estimate_tenant
from controlplane.domain.errors import Refused
from controlplane.domain.tenant import Environment, default_size
from controlplane.services.control import Control
from controlplane.services.costs import book
from controlplane.services.costs.estimate import of_row
from controlplane.services.costs.fleet import platform_estimate
from controlplane.store.costs import budgets, fleet

OPTION = "monthly_budget_usd"
_STEP = 10  # a budget is a round number
_NAMED = 5


@dataclass(frozen=True)
class Place:
    """The platform that the budget is for."""

    blueprint: str
    environment: Environment
    region: str
    cell: str


def with_budget(
    control: Control, session: Session, place: Place, options: Mapping[str, Any]
) -> dict[str, Any]:
    """The options that the platform is rendered with. Refused where nobody can say what it will cost."""
    of = control.catalog.blueprint(place.blueprint).options
    if OPTION not in of or OPTION in options:
        return dict(options)
    budget = next(
        (row.monthly_usd for row in budgets.every(session) if row.scope == place.environment.stage), None
    )
    if budget is None:
        budget = _with_headroom(control, session, place, options)
    least, most = of[OPTION].minimum or 1, of[OPTION].maximum or _whole(budget)
    return {**options, OPTION: min(max(_whole(budget), least), most)}


def _with_headroom(control: Control, session: Session, place: Place, options: Mapping[str, Any]) -> Decimal:
    expected = _expected(control, session, place, options)
    if expected.total is None:
        missing, stage = ", ".join(expected.unknown[:_NAMED]), place.environment.stage
        raise Refused(
            f"{place.blueprint} in {place.environment} has no budget: in {place.region} nobody knows what"
            f" some of it costs ({missing})",
            hint=f"--option {OPTION}=USD, or controlplane cost budget --set USD --scope {stage}",
        )
    allowed = expected.total * (100 + control.budget_headroom_percent) / 100
    return Decimal(_whole(allowed / _STEP) * _STEP)


def _whole(usd: Decimal) -> int:
    return int(usd.to_integral_value(ROUND_CEILING))


def _expected(control: Control, session: Session, place: Place, options: Mapping[str, Any]) -> Estimate:
    """The platform, with the tenants that live on it, or that it is made for where these cost more."""
    by = book.in_force(control)
    at = (place.blueprint, place.environment.value, place.region)
    platform = platform_estimate(control, by, *at, options)
    living, planned = _living(session, by, place), _planned(control, by, place, options)
    tenants = planned if (planned.total or ZERO) > (living.total or ZERO) else living
    return merge([platform, living if living.total is None else tenants])


def _living(session: Session, by: Pricer, place: Place) -> Estimate:
    here = (place.blueprint, place.environment, place.cell)
    living = [t for t in fleet.tenants(session) if (t.blueprint, t.environment, t.cell) == here]
    return merge([of_row(by, tenant) for tenant in living])


def _planned(control: Control, by: Pricer, place: Place, options: Mapping[str, Any]) -> Estimate:
    """Tenants as small as their stage gives them; schemas of one database cost nothing of their own."""
    of = control.catalog.blueprint(place.blueprint)
    count = of.option_values(place.environment, options).get("tenant_count", 0)
    if of.is_shared or not count:
        return merge([])
    size = default_size(place.environment.stage, locations=1, users=1)
    each = estimate_tenant(
        by.model, by.rates(place.region), TenantShape(size.value, place.environment.stage.value)
    )
    return merge([each] * count)
