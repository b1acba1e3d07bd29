"""What formulas may call: the same rules that price tenants, on the reference book."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from controlplane.catalog.cost_tables.formulas import Function
from controlplane.domain.cost import components
from controlplane.domain.cost.advice import budgets, ownership
from controlplane.domain.cost.advice.commitments import find_term
from controlplane.domain.cost.book import PriceBook, Rates
from controlplane.domain.cost.components import Database
from controlplane.domain.cost.estimate import HOURS, Estimate, add, round_to, round_up_to
from controlplane.domain.cost.model import CostModel
from controlplane.domain.cost.options import support_cost, support_plan
from controlplane.domain.cost.platform import WHOLE, estimate_platform, quantities, spread
from controlplane.domain.errors import Unknown
from controlplane.domain.money import cents

BLUEPRINT = "fargate_db_per_tenant"
REGION = "us-east-1"
TENTH = Decimal("0.1")
MIX: Mapping[str, Decimal | int] = {"small": 60, "medium": 30, "large": 10}  # customers' classes


class Reference:
    """The functions over one book and model; `touched` says what the last formula rests on."""

    def __init__(self, model: CostModel, book: PriceBook) -> None:
        self.model, self.book = model, book
        self.rates: Rates = book.rates(REGION)
        self.touched: set[str] = set()
        self._platforms: dict[tuple[str, int], Estimate] = {}

    def functions(self) -> dict[str, Function]:
        own: dict[str, Function] = {
            "p": self.price, "month": self.month, "middle": self.middle, "line": self.line,
            "part": self.part, "total": self.total, "headline": self.headline, "qty": self.quantity,
            "task": self.task, "tier": self.tier, "mix": self.mix, "nat": self.nat, "compute": self.compute,
            "discount": self.discount, "support": self.support, "operations": self.operations,
            "share": self.share, "cut": self.cut, "step_up": self.step_up,
        }  # fmt: skip
        return {**own, **self._asserted(), **_ARITHMETIC}

    def _asserted(self) -> dict[str, Function]:
        """Facts that the reference asserts without parts, as the product's advice uses them."""
        model = self.model
        facts: dict[str, Function] = {
            "phase": lambda users, end: getattr(budgets.phase_for(model, int(users)), end),
            "grow": lambda by, n, end: getattr(budgets.expected_spend(model, by, int(n)), end),
            "year": lambda end: budgets.year_budget(model)[0 if end == "low" else 1],
            "alert": lambda number: budgets.alerts(model)[int(number) - 1].at_usd,
            "budget": lambda: model.budget_usd,
            "uplift": lambda name: model.option(name).uplift_percent,
            "free": lambda name: Decimal(getattr(model.free, name)),
            "traffic": lambda name: Decimal(getattr(model.traffic, name)),
        }
        return {name: self._marked(function) for name, function in facts.items()}

    def _marked(self, function: Function) -> Function:
        def call(*arguments: Any) -> Decimal:
            self.touched.add("asserted")
            return function(*arguments)

        return call

    def price(self, key: str) -> Decimal:
        entry = self.book.entry(key, REGION)
        self.touched.add(entry.kind if entry else "unknown")
        return _known(entry.usd if entry else None, key)

    def month(self, key: str) -> Decimal:
        return self.price(key) * HOURS

    def middle(self, key: str) -> Decimal:
        return (self.price(f"{key}.low") + self.price(f"{key}.high")) / 2

    def _platform(self, stage: str, tenants: Decimal) -> Estimate:
        self.touched.add("list")
        key = (stage, int(tenants))
        if key not in self._platforms:
            self._platforms[key] = estimate_platform(self.model, self.rates, BLUEPRINT, *key)
        if "headline" in self._platforms[key].by_component():
            self.touched.add("calibration")  # a published ratio: there are no lines to compute
        return self._platforms[key]

    def line(self, stage: str, tenants: Decimal, component: str) -> Decimal:
        return _known(self._platform(stage, tenants).component(component), component)

    def part(self, stage: str, tenants: Decimal, component: str, number: Decimal) -> Decimal:
        """The n-th printed addend of a component."""
        lines = [x for x in self._platform(stage, tenants).lines if x.component == component]
        return _known(lines[int(number) - 1].monthly_usd, component)

    def total(self, stage: str, tenants: Decimal) -> Decimal:
        return _known(self._platform(stage, tenants).total, f"{stage} {tenants}")

    def headline(self, stage: str, tenants: Decimal) -> Decimal:
        return round_to(self.total(stage, tenants), WHOLE)

    def quantity(self, stage: str, tenants: Decimal, name: str) -> Decimal:
        self.touched.add("list")
        profile = self.model.profile(BLUEPRINT, stage)
        return Decimal(getattr(quantities(profile, int(tenants)), name))

    def task(self, vcpu: Decimal, memory_gb: Decimal) -> Decimal:
        self.touched.add("list")
        return _known(components.task_month(self.rates, vcpu, memory_gb), "fargate")

    def tier(self, size: str) -> Decimal:
        """A production database of a size at the rates."""
        self.touched.add("list")
        shape = Database(self.model.size(size).instance_class, multi_az=True)
        return _known(add(line.monthly_usd for line in components.database(self.rates, shape)), size)

    def mix(self, tenants: Decimal, customers: str) -> Decimal:
        return Decimal(spread(int(tenants), MIX)[customers])

    def nat(self, kind: str, gb: Decimal) -> Decimal:
        self.touched.add("estimate")
        return _known(add(line.monthly_usd for line in components.nat(self.rates, kind, 1, gb)), kind)

    def compute(self, millions: Decimal, memory_gb: Decimal, seconds: Decimal) -> Decimal:
        """The duration part of functions; their requests are a line of their own."""
        self.touched.add("list")
        line = components.function(self.rates, millions, memory_gb, seconds)[1]
        return _known(line.monthly_usd, "lambda")

    def discount(self, product: str, years: Decimal, upfront: str, end: str) -> Decimal:
        self.touched.add("asserted")
        term = find_term(self.model, product, int(years), upfront)
        return term.discount_low if end == "low" else term.discount_high

    def support(self, name: str, bill: Decimal) -> Decimal:
        self.touched.add("list")
        return _known(support_cost(support_plan(self.model, name), self.rates, bill), name)

    def _ownership(self, tenants: Decimal) -> ownership.Ownership:
        infrastructure = self.total("production", tenants)
        return ownership.ownership(self.model, infrastructure, int(tenants))

    def operations(self, tenants: Decimal) -> Decimal:
        self.touched.add("asserted")
        return ownership.operations_usd(self.model, int(tenants))

    def share(self, tenants: Decimal) -> Decimal:
        return _known(self._ownership(tenants).infrastructure_percent, "share")

    def cut(self, tenants: Decimal, infrastructure: Decimal, operations: Decimal) -> Decimal:
        whole = self._ownership(tenants)
        return _known(whole.saved_percent(int(infrastructure), int(operations)), "cut")

    def step_up(self, usd: Decimal) -> Decimal:
        self.touched.add("calibration")
        return round_up_to(usd, self.rates.calibration["step.scenario"])


_ARITHMETIC: Mapping[str, Function] = {
    "r2": cents,
    "r1": lambda value: value.quantize(TENTH, "ROUND_HALF_UP"),
    "r0": lambda value: round_to(value, WHOLE),
    "min": min,
    "max": max,
}


def _known(usd: Decimal | None, what: str) -> Decimal:
    if usd is None:
        raise Unknown(f"the reference tables need a price for {what}, and the book has none")
    return usd
