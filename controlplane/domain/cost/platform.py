"""A whole blueprint at a scale: quantities from the number of tenants, then the line rules.

The stepped rows (tasks, capacity units, metrics, …) are known for bands that end at 1, 5, 10, 25, 50 and
100 tenants; between two ends the higher band counts. Beyond the last end another platform (a cell) is
opened: quantities of full cells and of the rest are added. Per-tenant rows simply multiply.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from controlplane.domain.cost import components
from controlplane.domain.cost.book import Rates
from controlplane.domain.cost.components import Database
from controlplane.domain.cost.estimate import HOURS, ZERO, Estimate, Line, charge, check_numbers, round_to
from controlplane.domain.cost.model import CostModel, Item, Profile
from controlplane.domain.errors import FieldError, Invalid

MULTI_AZ_STAGE = "production"
WHOLE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Quantities:
    tenants: int
    cells: int
    tasks: int
    tasks_most: int
    lcu: Decimal
    metrics: int
    alarms: int
    dashboards: int
    s3_gb: Decimal
    s3_requests: int
    log_gb: Decimal
    secrets: int
    dns_queries: int
    backup_gb: Decimal
    transfer_gb: Decimal


def cells_of(profile: Profile, tenants: int) -> list[int]:
    """Tenants in each platform: full ones, then the rest."""
    full, rest = divmod(tenants, profile.cell)
    return [profile.cell] * full + ([rest] if rest else [])


def quantities(profile: Profile, tenants: int) -> Quantities:
    check_numbers(tenants=tenants)
    full, rest = divmod(tenants, profile.cell)
    last = bisect_left(profile.tenants, rest)  # the band that holds the rest

    def stepped(row: tuple[int, ...]) -> int:
        return full * row[-1] + (row[last] if rest else 0)

    lcu = full * profile.lcu[-1] + (profile.lcu[last] if rest else 0)
    single = 1 if rest == 1 else 0  # a platform's first tenant shares the base secrets
    return Quantities(
        tenants=tenants,
        cells=full + (1 if rest else 0),
        tasks=stepped(profile.tasks),
        tasks_most=stepped(profile.tasks_most),
        lcu=Decimal(lcu),
        metrics=stepped(profile.metrics),
        alarms=stepped(profile.alarms),
        dashboards=stepped(profile.dashboards),
        s3_gb=Decimal(profile.s3_gb * tenants),
        s3_requests=profile.s3_requests * tenants,
        log_gb=max(profile.log_gb_least, profile.log_gb * tenants) if tenants else ZERO,
        secrets=(full + (1 if rest else 0)) * profile.secrets_base + tenants - single,
        dns_queries=profile.dns_queries * tenants,
        backup_gb=Decimal(profile.backup_gb * tenants),
        transfer_gb=Decimal(max(profile.transfer_gb_least, profile.transfer_gb * tenants) if tenants else 0),
    )


def spread(tenants: int, mix: Mapping[str, Decimal | int]) -> dict[str, int]:
    """Tenants by size for a mix in percent; whole tenants, the largest remainders get the odd ones."""
    check_numbers(tenants=tenants, **dict(mix))
    if sum(mix.values()) != 100:
        message = f"the mix adds up to {sum(mix.values())} percent, not 100"
        raise Invalid(message, errors=[FieldError("mix", message)])
    exact = {size: Decimal(tenants) * percent / 100 for size, percent in mix.items()}
    counts = {size: int(value) for size, value in exact.items()}
    by_remainder = sorted(exact, key=lambda size: counts[size] - exact[size])
    for size in by_remainder[: tenants - sum(counts.values())]:
        counts[size] += 1
    return counts


def estimate_platform(
    model: CostModel,
    rates: Rates,
    blueprint: str,
    stage: str,
    tenants: int,
    mix: Mapping[str, Decimal | int] | None = None,
) -> Estimate:
    """A blueprint with `tenants` tenants; `mix` spreads them over sizes, else all have the profile's."""
    check_numbers(tenants=tenants)
    if blueprint in model.plans:
        return _plan(model, rates, blueprint, tenants)
    profile = model.profile(blueprint, stage)
    if stage != MULTI_AZ_STAGE and tenants > profile.cell:
        return _headline(model, rates, blueprint, stage, tenants)
    q = quantities(profile, tenants)
    lines = [
        *components.fargate(rates, q.tasks, profile.task_vcpu, profile.task_memory_gb),
        *_databases(model, rates, profile, spread(tenants, mix or {profile.size: 100})),
        *components.load_balancer(rates, q.cells, q.lcu),
        *components.bucket(rates, q.s3_gb, q.s3_requests),
        *components.logs(rates, q.log_gb),
        *components.watching(rates, model.free, q.metrics, q.alarms, q.dashboards),
        *components.secrets(rates, q.secrets),
        *components.dns(rates, q.cells, q.dns_queries),
    ]
    if profile.backup_gb:
        lines += components.backup(rates, q.backup_gb)
    lines += components.transfer(rates, model.free, q.transfer_gb)
    listed = tenants in (0, *profile.tenants)
    note = "" if listed else "stepped quantities of the next listed size, or of several cells"
    return Estimate(tuple(lines), rates.book, rates.region, note)


def _databases(model: CostModel, rates: Rates, profile: Profile, counts: Mapping[str, int]) -> list[Line]:
    lines = []
    for size, count in counts.items():
        facts = model.size(size)
        shape = Database(
            facts.instance_class, profile.stage == MULTI_AZ_STAGE, profile.storage_gb, True, profile.stage
        )
        if count:
            lines += components.database(rates, shape, count, size if len(counts) > 1 else "")
    return lines


def _headline(model: CostModel, rates: Rates, blueprint: str, stage: str, tenants: int) -> Estimate:
    """PoC beyond its five tenants has no quantities: a published ratio of production's whole dollars."""
    production = estimate_platform(model, rates, blueprint, MULTI_AZ_STAGE, tenants).total
    ratio = rates.calibration["poc.headline_ratio"]
    usd = None if production is None else round_to(ratio * round_to(production, WHOLE), WHOLE)
    each = None if usd is None else usd / tenants
    rule = f"published headline: {ratio} of production's whole dollars, no lines exist"
    line = Line("headline", Decimal(tenants), "tenant", each, usd, rule)
    note = f"{stage} is meant for at most {model.profile(blueprint, stage).cell} tenants; headline only"
    return Estimate((line,), rates.book, rates.region, note)


def _plan(model: CostModel, rates: Rates, blueprint: str, tenants: int) -> Estimate:
    lines = tuple(item_line(rates, item, {"tenants": Decimal(tenants)}) for item in model.plans[blueprint])
    return Estimate(lines, rates.book, rates.region, "shared database: tenants are schemas")


def item_line(rates: Rates, item: Item, bases: Mapping[str, Decimal]) -> Line:
    """A line that is data: (fixed + per tenant) × basis × price."""
    quantity = item.quantity + item.per_tenant * bases.get("tenants", ZERO)
    if item.basis:
        quantity *= bases[item.basis]
    if item.hours:
        quantity *= HOURS
    return charge(item.component, quantity, "hour" if item.hours else "unit", rates[item.key], item.rule)
