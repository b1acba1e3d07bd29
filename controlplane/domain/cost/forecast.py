"""What-if for any number of tenants, growth by month, and the points where something must change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from controlplane.domain.cost.book import Rates
from controlplane.domain.cost.estimate import HOURS, ZERO, Estimate, check_numbers
from controlplane.domain.cost.model import CostModel, Profile
from controlplane.domain.cost.options import add_options
from controlplane.domain.cost.platform import cells_of, estimate_platform, quantities, spread
from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.money import cents

MOST_TENANTS = 10_000
MOST_MONTHS = 120
TYPICAL_MIX: Mapping[str, Decimal | int] = {"micro": 60, "small": 30, "medium": 10}
_SECONDS = HOURS * 3600


@dataclass(frozen=True, slots=True)
class Scenario:
    """What to forecast: a blueprint, a stage, a mix of sizes and the options that are taken."""

    blueprint: str = "fargate_db_per_tenant"
    stage: str = "production"
    mix: Mapping[str, Decimal | int] | None = None
    options: tuple[str, ...] = ()
    high: bool = False
    zones: int = 2


@dataclass(frozen=True, slots=True)
class TurningPoint:
    """From this number of tenants on something must change."""

    tenants: int
    what: str
    action: str
    kind: str  # quota, cell, milestone, commitment, transfer, nat, proxy


@dataclass(frozen=True, slots=True)
class Point:
    month: int
    tenants: int
    monthly_usd: Decimal | None
    per_tenant_usd: Decimal | None
    turning: tuple[TurningPoint, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "month": self.month,
            "tenants": self.tenants,
            "monthly_usd": None if self.monthly_usd is None else str(cents(self.monthly_usd)),
            "per_tenant_usd": None if self.per_tenant_usd is None else str(self.per_tenant_usd),
            "turning": [{"at": t.tenants, "what": t.what, "action": t.action} for t in self.turning],
        }


def what_if(model: CostModel, rates: Rates, tenants: int, scenario: Scenario | None = None) -> Estimate:
    """The whole bill with so many tenants."""
    chosen = scenario or Scenario()
    check_count(tenants)
    base = estimate_platform(model, rates, chosen.blueprint, chosen.stage, tenants, chosen.mix)
    if not chosen.options:
        return base
    return add_options(model, rates, base, chosen.options, _bases(model, chosen, tenants), high=chosen.high)


def _bases(model: CostModel, scenario: Scenario, tenants: int) -> dict[str, Decimal | int]:
    stages = model.profiles.get(scenario.blueprint)
    if not stages:
        return {"databases": 1, "zones": scenario.zones, "tenants": tenants}
    profile = model.profile(scenario.blueprint, scenario.stage)
    moved = quantities(profile, tenants).transfer_gb
    zones = scenario.zones * max(1, len(cells_of(profile, tenants)))
    return {"databases": tenants, "zones": zones, "tenants": tenants, "transfer_gb": moved}


def check_count(tenants: int) -> None:
    check_numbers(tenants=tenants)
    if tenants > MOST_TENANTS:
        message = f"forecasts go up to {MOST_TENANTS} tenants, not {tenants}"
        raise Invalid(message, errors=[FieldError("tenants", message)])


def sweep(
    model: CostModel, rates: Rates, counts: Sequence[int], scenario: Scenario | None = None
) -> list[tuple[int, Estimate]]:
    return [(n, what_if(model, rates, n, scenario)) for n in counts]


@dataclass(frozen=True, slots=True)
class Growth:
    """How the number of tenants moves: so many more and so many percent more each month."""

    start: int
    months: int
    tenants_a_month: int = 0
    percent_a_month: Decimal = ZERO

    def counts(self) -> list[int]:
        check_numbers(start=self.start, months=self.months, tenants_a_month=self.tenants_a_month)
        check_numbers(percent_a_month=self.percent_a_month)
        if self.months > MOST_MONTHS:
            message = f"forecasts go up to {MOST_MONTHS} months, not {self.months}"
            raise Invalid(message, errors=[FieldError("months", message)])
        exact, counts = Decimal(self.start), []
        for _ in range(self.months + 1):
            counts.append(min(MOST_TENANTS, int(exact.to_integral_value(ROUND_HALF_UP))))
            exact = min(
                Decimal(MOST_TENANTS), exact * (1 + self.percent_a_month / 100) + self.tenants_a_month
            )
        return counts


def forecast(model: CostModel, rates: Rates, growth: Growth, scenario: Scenario | None = None) -> list[Point]:
    """A point a month, each with what had to change since the month before."""
    chosen = scenario or Scenario()
    turning = turning_points(model, chosen)
    points: list[Point] = []
    before = growth.start - 1 if growth.start else 0
    for month, tenants in enumerate(growth.counts()):
        passed = tuple(t for t in turning if before < t.tenants <= tenants)
        usd = what_if(model, rates, tenants, chosen).total
        each = None if usd is None or not tenants else cents(usd / tenants)
        points.append(Point(month, tenants, usd, each, passed))
        before = max(before, tenants)
    return points


def turning_points(
    model: CostModel, scenario: Scenario | None = None, upto: int = MOST_TENANTS
) -> list[TurningPoint]:
    """Where quotas, cells, NAT, proxy, transfer tiers, commitments and stages force a change."""
    chosen = scenario or Scenario()
    points = [TurningPoint(m.tenants, m.what, m.action, "milestone") for m in model.milestones]
    for limit in model.limits:
        points += _quota_points(limit.name, limit.limit, limit.per_tenant, limit.reserve, limit.action)
    if chosen.blueprint in model.profiles:
        profile = model.profile(chosen.blueprint, chosen.stage)
        points += [*_cell_points(profile), *_traffic_points(model, profile)]
    return sorted((p for p in points if p.tenants <= upto), key=lambda p: (p.tenants, p.kind, p.what))


def _quota_points(name: str, limit: Decimal, each: Decimal, reserve: int, action: str) -> list[TurningPoint]:
    """Admission warns at 70 percent and refuses at 90, keeping a reserve for running migrations."""

    def first(percent: int) -> int:
        return int((limit * percent / 100 - reserve) / each) + 1

    return [
        TurningPoint(first(70), f"{name}: 70 percent of {limit} used", f"ask for more: {action}", "quota"),
        TurningPoint(
            first(90), f"{name}: 90 percent of {limit} used, new tenants are refused", action, "quota"
        ),
    ]


def _cell_points(profile: Profile) -> list[TurningPoint]:
    full = profile.cell
    if profile.stage != "production":
        return []
    what = f"a platform serves {full} tenants"
    return [
        TurningPoint(n + 1, what, f"open cell {n // full + 1}", "cell")
        for n in range(full, MOST_TENANTS, full)
    ]


def _traffic_points(model: CostModel, profile: Profile) -> list[TurningPoint]:
    facts, free = model.traffic, Decimal(model.free.transfer_gb)
    # At how many tenants one platform's peak passes a bandwidth: GB a month → Gbit/s at peak.
    gbps_each = profile.transfer_gb * 8 * facts.peak / _SECONDS
    candidates = [
        (
            free / profile.transfer_gb,
            "outgoing data passes the free allowance",
            "it is billed from here",
            "transfer",
        ),
        (
            (free + 10 * 1024) / profile.transfer_gb,
            "outgoing data passes 10 TB",
            "the next price tier",
            "transfer",
        ),
        (facts.instance_gbps / gbps_each, "NAT traffic passes 1 Gbit/s", "review the NAT instance", "nat"),
        (facts.gateway_gbps / gbps_each, "NAT traffic passes 5 Gbit/s", "NAT gateway", "nat"),
    ]
    points = [TurningPoint(int(at) + 1, what, action, kind) for at, what, action, kind in candidates]
    return [*points, *_proxy_point(model, profile)]


def _proxy_point(model: CostModel, profile: Profile) -> list[TurningPoint]:
    """Every task keeps a pool to every database: the first band whose pools exceed what one can take."""
    facts, start = model.traffic, 1
    for end, tasks in zip(profile.tenants, profile.tasks, strict=True):
        if tasks * facts.pool_per_task > facts.database_connections:
            what = f"{tasks} tasks × {facts.pool_per_task} connections exceed {facts.database_connections}"
            return [TurningPoint(start, what, "RDS Proxy, or smaller pools", "proxy")]
        start = end + 1
    return []


def compare_mixes(
    model: CostModel,
    rates: Rates,
    tenants: int,
    mix: Mapping[str, Decimal | int],
    scenario: Scenario | None = None,
) -> dict[str, Any]:
    """All tenants on the profile's size against a mix of sizes: what right-sizing saves."""
    chosen = scenario or Scenario()
    uniform = estimate_platform(model, rates, chosen.blueprint, chosen.stage, tenants)
    mixed = estimate_platform(model, rates, chosen.blueprint, chosen.stage, tenants, mix)
    before, after = uniform.component("rds"), mixed.component("rds")
    saving = None if before is None or after is None else before - after
    return {
        "counts": spread(tenants, mix),
        "uniform_usd": before,
        "mixed_usd": after,
        "saving_monthly_usd": saving,
        "saving_yearly_usd": None if saving is None else saving * 12,
    }
