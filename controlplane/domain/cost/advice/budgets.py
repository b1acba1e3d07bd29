"""Budgets: the phase's budget, AWS Budgets' notifications, the buffer that is really left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from controlplane.domain.cost.estimate import Estimate, check_numbers
from controlplane.domain.cost.model import CostModel, Spend
from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.money import cents


@dataclass(frozen=True, slots=True)
class BudgetAlert:
    percent: int
    at_usd: Decimal


def alerts(model: CostModel, monthly_usd: Decimal | None = None) -> list[BudgetAlert]:
    """AWS Budgets notifications, at 80 and 100 percent; they come before every add-on."""
    budget = model.budget_usd if monthly_usd is None else monthly_usd
    check_numbers(monthly_usd=budget)
    return [BudgetAlert(percent, cents(budget * percent / 100)) for percent in model.budget_percents]


def passed_alerts(model: CostModel, monthly_usd: Decimal, spent_usd: Decimal) -> list[BudgetAlert]:
    return [alert for alert in alerts(model, monthly_usd) if spent_usd >= alert.at_usd]


def phase_for(model: CostModel, users: int) -> Spend:
    """The phase of the first year that so many users belong to; its high end is the budget."""
    check_numbers(users=users)
    return [phase for phase in model.phases if phase.least <= users][-1]


def year_budget(model: CostModel) -> tuple[Decimal, Decimal]:
    """Low and high end of the first year: every phase times its months."""
    low = sum((phase.low * phase.months for phase in model.phases), Decimal(0))
    return low, sum((phase.high * phase.months for phase in model.phases), Decimal(0))


def expected_spend(model: CostModel, by: str, number: int) -> Spend:
    """What is usual for so many `users` or `businesses`, and what changes there."""
    check_numbers(number=number)
    if by not in model.growth:
        message = f"growth is known by {', '.join(model.growth)}, not by {by!r}"
        raise Invalid(message, errors=[FieldError("by", message)])
    steps = model.growth[by]
    return ([step for step in steps if step.least <= number] or [steps[0]])[-1]


def buffer_left(budget_usd: Decimal, estimate: Estimate) -> Decimal | None:
    """What the real lines leave of a budget; negative when they pass it, unknown when one is."""
    total = estimate.total
    return None if total is None else budget_usd - total


@dataclass(frozen=True, slots=True)
class Burn:
    """Where a month is going: spent so far, extrapolated by days."""

    spent_usd: Decimal
    day: int
    days: int

    @property
    def month_end_usd(self) -> Decimal:
        return cents(self.spent_usd * self.days / self.day)


def burn(daily_usd: Sequence[Decimal], days: int) -> Burn:
    check_numbers(days=days)
    if not 0 < len(daily_usd) <= days:
        message = f"{len(daily_usd)} of {days} days are no month"
        raise Invalid(message, errors=[FieldError("days", message)])
    return Burn(sum(daily_usd, Decimal(0)), len(daily_usd), days)
