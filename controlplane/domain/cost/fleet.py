"""The fleet: totals by group, shared cost split to the cent, bills against estimates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor
from typing import Any

from controlplane.domain.cost.estimate import MONTHS, ZERO, Estimate, add, check_numbers
from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.money import CENT, cents

GROUPS = ("stage", "size", "region", "cell", "blueprint", "tier")
RULES = ("even", "weight", "usage")


@dataclass(frozen=True, slots=True)
class FleetTenant:
    """A tenant as the fleet's sums see it."""

    slug: str
    stage: str
    size: str
    region: str
    monthly_usd: Decimal | None
    labels: Mapping[str, str] = field(default_factory=dict)
    cell: str = "default"
    blueprint: str = ""

    @property
    def tier(self) -> str:
        return f"{self.stage}-{self.size}"


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    tenants: int
    monthly_usd: Decimal | None  # None: a member's cost is not known
    known_usd: Decimal
    unknown: tuple[str, ...] = ()

    @property
    def yearly_usd(self) -> Decimal | None:
        return None if self.monthly_usd is None else self.monthly_usd * MONTHS


def total(tenants: Iterable[FleetTenant], name: str = "fleet") -> Group:
    members = list(tenants)
    known = sum((t.monthly_usd for t in members if t.monthly_usd is not None), ZERO)
    unknown = tuple(t.slug for t in members if t.monthly_usd is None)
    return Group(name, len(members), add(t.monthly_usd for t in members), known, unknown)


def totals_by(tenants: Iterable[FleetTenant], by: str) -> list[Group]:
    """Sums by stage, size, region, cell, blueprint, tier or `label:<key>`; the dearest first."""
    groups: dict[str, list[FleetTenant]] = {}
    for tenant in tenants:
        groups.setdefault(_group_of(tenant, by), []).append(tenant)
    return sorted(
        (total(members, name) for name, members in groups.items()), key=lambda g: (-g.known_usd, g.name)
    )


def _group_of(tenant: FleetTenant, by: str) -> str:
    if by.startswith("label:"):
        return tenant.labels.get(by.removeprefix("label:"), "(none)")
    if by not in GROUPS:
        message = f"cannot group by {by!r}: use {', '.join(GROUPS)} or label:<key>"
        raise Invalid(message, errors=[FieldError("by", message)])
    return str(getattr(tenant, by))


def by_day(records: Iterable[tuple[date, Decimal | None]]) -> list[tuple[date, Decimal | None]]:
    """The fleet's cost day by day from the records of single tenants."""
    days: dict[date, list[Decimal | None]] = {}
    for day, usd in records:
        days.setdefault(day, []).append(usd)
    return [(day, add(days[day])) for day in sorted(days)]


def split_shared(
    shared_usd: Decimal | None, weights: Mapping[str, Decimal | int], rule: str = "even"
) -> dict[str, Decimal | None]:
    """Shares of a shared cost that add up to it exactly.

    `even` counts heads, `weight` takes the given weights, `usage` measured use (everybody pays evenly when
    nobody used anything). Cents that are left over go to the largest remainders, then by name.
    """
    if rule not in RULES:
        message = f"there is no split rule {rule!r}: use {', '.join(RULES)}"
        raise Invalid(message, errors=[FieldError("rule", message)])
    check_numbers(**{f"weights[{name}]": weight for name, weight in weights.items()})
    if not weights:
        return {}
    if shared_usd is None:
        return dict.fromkeys(weights)
    parts = {name: Decimal(1) if rule == "even" else Decimal(w) for name, w in weights.items()}
    if not sum(parts.values()):
        if rule == "weight":
            raise Invalid("all weights are zero", errors=[FieldError("weights", "must not all be zero")])
        parts = dict.fromkeys(weights, Decimal(1))
    return dict(_largest_remainder(cents(shared_usd), parts))


def _largest_remainder(usd: Decimal, parts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Whole cents by fractions, so that equal remainders are equal whatever their digits."""
    hundredths = Fraction(usd) * 100 / sum(Fraction(part) for part in parts.values())
    exact = {name: Fraction(part) * hundredths for name, part in parts.items()}
    counts = {name: floor(value) for name, value in exact.items()}
    missing = int(usd * 100) - sum(counts.values())
    ranked = sorted(parts, key=lambda name: (counts[name] - exact[name], name))
    for name in ranked[:missing]:
        counts[name] += 1
    return {name: count * CENT for name, count in counts.items()}


@dataclass(frozen=True, slots=True)
class Drift:
    """What was billed against what was estimated, for the same days."""

    slug: str
    estimated_usd: Decimal | None
    billed_usd: Decimal | None
    days: int
    month_days: int

    @property
    def expected_usd(self) -> Decimal | None:
        """The estimate's share of the billed days."""
        if self.estimated_usd is None:
            return None
        return cents(self.estimated_usd * self.days / self.month_days)

    @property
    def delta_usd(self) -> Decimal | None:
        if self.expected_usd is None or self.billed_usd is None:
            return None
        return cents(self.billed_usd) - self.expected_usd

    @property
    def percent(self) -> Decimal | None:
        if self.delta_usd is None or not self.expected_usd:
            return None
        return (self.delta_usd * 100 / self.expected_usd).quantize(Decimal("0.1"), ROUND_HALF_UP)

    def is_off(self, percent: Decimal, least_usd: Decimal = Decimal(1)) -> bool:
        """Off by more than a percentage and an amount; an unknown side is not called off."""
        if self.delta_usd is None or abs(self.delta_usd) < least_usd:
            return False
        return self.percent is None or abs(self.percent) > percent


def drifts(
    estimated: Mapping[str, Decimal | None], billed: Mapping[str, Decimal], days: int, month_days: int
) -> list[Drift]:
    """One row a tenant, also for who is billed without an estimate; the largest difference first."""
    check_numbers(days=days, month_days=month_days)
    if not 0 < days <= month_days:
        raise Invalid(
            f"{days} of {month_days} days are no period", errors=[FieldError("days", "out of range")]
        )
    slugs = dict.fromkeys([*estimated, *billed])
    rows = [Drift(s, estimated.get(s), billed.get(s), days, month_days) for s in slugs]
    return sorted(rows, key=lambda d: (-abs(d.delta_usd or ZERO), d.slug))


@dataclass(frozen=True, slots=True)
class TenantCost:
    """One tenant's cost side by side: now, after the open plan, as billed, and its part of the shared."""

    slug: str
    now: Estimate
    after: Estimate | None = None  # None: no plan is open
    drift: Drift | None = None  # None: nothing was billed yet
    shared_usd: Decimal | None = ZERO

    @property
    def with_shared_usd(self) -> Decimal | None:
        return add([self.now.total, self.shared_usd])

    def as_json(self) -> dict[str, Any]:
        drift = self.drift
        return {
            "tenant": self.slug,
            "now": self.now.as_json(),
            "after_plan": self.after.as_json() if self.after else None,
            "shared_usd": _text(self.shared_usd),
            "with_shared_usd": _text(self.with_shared_usd),
            "billed_usd": _text(drift.billed_usd) if drift else None,
            "billed_days": drift.days if drift else 0,
            "expected_usd": _text(drift.expected_usd) if drift else None,
            "drift_usd": _text(drift.delta_usd) if drift else None,
            "drift_percent": str(drift.percent) if drift and drift.percent is not None else None,
        }


def _text(usd: Decimal | None) -> str | None:
    return None if usd is None else str(cents(usd))


def database_share(by_component: Sequence[tuple[str, Decimal]]) -> Decimal | None:
    """Percent of all that databases take; they dominate every fleet."""
    whole = sum((usd for _, usd in by_component), ZERO)
    if not whole:
        return None
    part = sum((usd for name, usd in by_component if name == "rds"), ZERO)
    return (part * 100 / whole).quantize(Decimal("0.1"), ROUND_HALF_UP)
