"""Options on top of a platform: NAT, proxy, WAF, endpoints, replicas, a second region, support plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from controlplane.domain.cost.book import Rates
from controlplane.domain.cost.estimate import ZERO, Estimate, Line, check_numbers
from controlplane.domain.cost.model import CostModel, Option, SupportPlan
from controlplane.domain.cost.platform import item_line
from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.money import CENT, cents


def add_options(
    model: CostModel,
    rates: Rates,
    base: Estimate,
    chosen: Sequence[str],
    bases: Mapping[str, Decimal | int] | None = None,
    *,
    high: bool = False,
) -> Estimate:
    """The estimate with the chosen options; percentages apply to the platform with the plain options.

    `bases` says how many `databases`, `zones`, `transfer_gb`, … the options multiply; `high` takes the
    upper end where the reference only gives a range.
    """
    numbers = {name: Decimal(value) for name, value in (bases or {}).items()}
    check_numbers(**numbers)
    numbers = {"databases": Decimal(1), "zones": Decimal(2), "transfer_gb": ZERO, "tenants": ZERO, **numbers}
    _check_exclusions(model, chosen)
    options = [(name, model.option(name)) for name in dict.fromkeys(chosen)]
    lines = [line for _, option in options for line in _lines(rates, option, numbers, high)]
    result = base.with_lines(lines)
    infrastructure = result.total
    uplifts = [_uplift(name, o, infrastructure) for name, o in options if o.uplift_percent]
    result = result.with_lines(uplifts)
    plans = [_support_line(model, rates, o.support, result.total) for _, o in options if o.support]
    return result.with_lines(plans)


def _check_exclusions(model: CostModel, chosen: Sequence[str]) -> None:
    for name in chosen:
        clash = sorted(set(model.option(name).excludes) & set(chosen))
        if clash:
            message = f"the options {name!r} and {clash[0]!r} exclude each other"
            raise Invalid(message, errors=[FieldError("options", message)])


def _lines(rates: Rates, option: Option, bases: Mapping[str, Decimal], high: bool) -> list[Line]:
    items = option.items_high if high and option.items_high else option.items
    return [item_line(rates, item, bases) for item in items]


def _uplift(name: str, option: Option, infrastructure: Decimal | None) -> Line:
    share = option.uplift_percent / 100
    usd = None if infrastructure is None else cents(infrastructure * share)
    unit_price = None if infrastructure is None else infrastructure
    return Line(name, share, "of everything above", unit_price, usd, option.rule)


def _support_line(model: CostModel, rates: Rates, name: str, bill: Decimal | None) -> Line:
    plan = support_plan(model, name)
    usd = support_cost(plan, rates, bill)
    rule = f"support plan {plan.name}: answer {plan.answer}"
    return Line("support", Decimal(1), "month", usd, usd, rule)


def support_plan(model: CostModel, name: str) -> SupportPlan:
    for plan in model.support:
        if plan.name == name:
            return plan
    known = ", ".join(plan.name for plan in model.support)
    raise Invalid(f"there is no support plan {name!r}: {known}", errors=[FieldError("support", "unknown")])


def support_cost(plan: SupportPlan, rates: Rates, bill: Decimal | None) -> Decimal | None:
    """The greater of the plan's least price and its percentage of the bill."""
    if not plan.key:
        return ZERO.quantize(CENT)
    least = rates[plan.key]
    if least is None or (plan.percent and bill is None):
        return None
    return cents(max(least, (bill or ZERO) * plan.percent / 100))
