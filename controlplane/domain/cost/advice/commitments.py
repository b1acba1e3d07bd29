"""Commitments from the steady base: how many, which term, break-even, saving, risk. Never bought here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from controlplane.domain.cost import components
from controlplane.domain.cost.book import Rates
from controlplane.domain.cost.components import Database
from controlplane.domain.cost.estimate import MONTHS, check_numbers
from controlplane.domain.cost.model import CostModel, Term
from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.money import cents

_LEVELS = ((25, "expected"), (20, "recommend"), (10, "advise"), (0, "none"))


def commitment_level(tenants: int) -> str:
    """From 10 tenants advice, from 20 a recommendation, from 25 skipping it needs a reason."""
    check_numbers(tenants=tenants)
    return next(level for least, level in _LEVELS if tenants >= least)


def steady_base(history: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Per key the lowest count over the look-back: what surely keeps running. No history, no base."""
    if not history:
        return {}
    keys = {key for day in history for key in day}
    base = {key: min(day.get(key, 0) for day in history) for key in sorted(keys)}
    return {key: count for key, count in base.items() if count}


@dataclass(frozen=True, slots=True)
class Offer:
    """One commitment that could be bought; `discount` in percent, the cautious end of its band."""

    product: str
    what: str
    count: int
    years: int
    upfront: str
    discount: Decimal
    on_demand_usd: Decimal | None  # a month
    committed_usd: Decimal | None  # a month, upfront spread over the term
    saving_usd: Decimal | None  # a month
    break_even_months: int  # use it at least so long, or it costs more than on demand
    bound_usd: Decimal | None  # what is owed whatever happens
    risk: str

    @property
    def saving_yearly_usd(self) -> Decimal | None:
        return None if self.saving_usd is None else self.saving_usd * MONTHS


@dataclass(frozen=True, slots=True)
class Advice:
    level: str
    reason: str
    offers: tuple[Offer, ...]  # every term
    proposed: tuple[Offer, ...]  # one per class: a one-year term first


def find_term(model: CostModel, product: str, years: int, upfront: str = "none") -> Term:
    for term in model.terms:
        if (term.product, term.years, term.upfront) == (product, years, upfront):
            return term
    message = f"there is no {years}-year {product} commitment with {upfront} upfront"
    raise Invalid(message, errors=[FieldError("term", message)])


def reserve_databases(rates: Rates, term: Term, instance_class: str, multi_az: bool, count: int) -> Offer:
    """Reserved instances: the discount is on instance hours, storage stays on demand."""
    check_numbers(count=count)
    lines = components.database(rates, Database(instance_class, multi_az, 0), count)
    zones = "Multi-AZ" if multi_az else "single-AZ"
    return _offer(term, f"{instance_class} {zones}", count, lines[0].monthly_usd)


def savings_plan(rates: Rates, term: Term, tasks: int, vcpu: Decimal, memory_gb: Decimal) -> Offer:
    """A compute savings plan for tasks that run all month."""
    check_numbers(tasks=tasks)
    usd = components.fargate(rates, tasks, vcpu, memory_gb)[0].monthly_usd
    return _offer(term, f"Fargate {vcpu} vCPU, {memory_gb} GB", tasks, usd)


def _offer(term: Term, what: str, count: int, on_demand: Decimal | None) -> Offer:
    discount = term.discount_low
    committed = None if on_demand is None else cents(on_demand * (100 - discount) / 100)
    saving = None if on_demand is None or committed is None else on_demand - committed
    months = term.years * MONTHS
    # Paid at once or monthly, the whole term is owed: it pays off once on demand would have cost as much.
    even = int((months * (100 - discount) / 100).to_integral_value(ROUND_CEILING))
    bound = None if committed is None else committed * months
    return Offer(
        term.product, what, count, term.years, term.upfront, discount, on_demand, committed, saving,
        even, bound, _risk(term, even, months),
    )  # fmt: skip


def _risk(term: Term, even: int, months: int) -> str:
    paid = "all is paid at once" if term.upfront == "all" else "it is billed every month"
    return (
        f"cannot be returned: {paid}, used or not; loses money when fewer run, or smaller ones, "
        f"for more than {months - even} of {months} months"
    )


def advise(
    model: CostModel,
    rates: Rates,
    base: Mapping[tuple[str, bool], int],
    *,
    open_resizes: int = 0,
    months_in_use: int = 0,
) -> Advice:
    """What to commit to for a steady base of databases, as (class, multi_az): count.

    Right-sizing comes first: while proposals are open nothing is proposed. A single database is worth it
    after a year of use; a fleet by its size.
    """
    tenants = sum(base.values())
    level = commitment_level(tenants)
    offers = tuple(
        reserve_databases(rates, term, cls, multi, count)
        for (cls, multi), count in base.items()
        for term in model.terms
        if term.product == "rds"
    )
    if open_resizes:
        return Advice(
            "wait", f"{open_resizes} right-sizing proposals are open: decide on them first", offers, ()
        )
    if level == "none" and months_in_use < MONTHS:
        return Advice(level, f"{tenants} steady databases are fewer than 10", offers, ())
    proposed = tuple(o for o in offers if o.years == 1 and o.upfront == "none")
    return Advice(
        level if level != "none" else "advise", f"{tenants} databases ran all the time", offers, proposed
    )
