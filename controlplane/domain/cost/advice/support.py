"""Which AWS support plan fits, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from controlplane.domain.cost.book import Rates
from controlplane.domain.cost.estimate import check_numbers
from controlplane.domain.cost.model import CostModel
from controlplane.domain.cost.options import support_cost


@dataclass(frozen=True, slots=True)
class SupportAdvice:
    plan: str
    monthly_usd: Decimal | None
    answer: str
    reason: str


def advise_support(
    model: CostModel,
    rates: Rates,
    *,
    customers: int = 0,
    revenue_usd: Decimal = Decimal(0),
    bill_usd: Decimal | None = Decimal(0),
) -> SupportAdvice:
    """The largest plan whose customers or monthly revenue are reached."""
    check_numbers(customers=customers, revenue_usd=revenue_usd, bill_usd=bill_usd)
    reached = [p for p in model.support if customers >= p.customers or revenue_usd >= p.revenue]
    plan = reached[-1]
    if not plan.customers:
        reason = "no revenue yet: forums and documentation do for the first 6 to 12 months"
    else:
        reason = f"from {plan.customers} paying customers or {plan.revenue} USD of monthly revenue"
    return SupportAdvice(plan.name, support_cost(plan, rates, bill_usd), plan.answer, reason)
