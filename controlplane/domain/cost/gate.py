"""The cost gate of a plan: before → after, thresholds, budget and the band of the cost tier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

from controlplane.domain.cost.estimate import MONTHS, ZERO, Estimate, Line, add, check_numbers
from controlplane.domain.cost.model import CostModel, Gate
from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.money import cents, show_usd


class Level(StrEnum):
    ADVISE = "advise"
    APPROVE = "approve"
    FORBID = "forbid"


@dataclass(frozen=True, slots=True)
class Finding:
    rule: str
    level: Level
    message: str
    evidence: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LineChange:
    component: str
    before: Decimal | None
    after: Decimal | None
    delta: Decimal | None


@dataclass(frozen=True, slots=True)
class CostChange:
    """What a plan changes, per month; years are twelve of them."""

    before: Estimate
    after: Estimate

    @property
    def delta(self) -> Decimal | None:
        before, after = self.before.total, self.after.total
        return None if before is None or after is None else after - before

    @property
    def delta_yearly(self) -> Decimal | None:
        return None if self.delta is None else self.delta * MONTHS

    @property
    def percent(self) -> Decimal | None:
        """One decimal; None from nothing or where something is unknown."""
        before, delta = self.before.total, self.delta
        if not before or delta is None:
            return None
        return (delta * 100 / before).quantize(Decimal("0.1"), ROUND_HALF_UP)

    def lines(self) -> list[LineChange]:
        """By component and subject, what is there first; unchanged ones too."""
        before, after = _by_name(self.before), _by_name(self.after)
        names = list(dict.fromkeys([*before, *after]))
        return [_line_change(name, before.get(name, ZERO), after.get(name, ZERO)) for name in names]

    def as_json(self) -> dict[str, Any]:
        return {
            "before": self.before.as_json(),
            "after": self.after.as_json(),
            "delta_monthly_usd": _text(self.delta),
            "delta_yearly_usd": _text(self.delta_yearly),
            "percent": None if self.percent is None else str(self.percent),
            "lines": [
                {
                    "component": x.component,
                    "before": _text(x.before),
                    "after": _text(x.after),
                    "delta": _text(x.delta),
                }
                for x in self.lines()
            ],
        }


def _by_name(estimate: Estimate) -> dict[str, Decimal | None]:
    groups: dict[str, list[Line]] = {}
    for line in estimate.lines:
        groups.setdefault(f"{line.component} {line.subject}".strip(), []).append(line)
    return {name: add(x.monthly_usd for x in lines) for name, lines in groups.items()}


def _line_change(name: str, before: Decimal | None, after: Decimal | None) -> LineChange:
    delta = None if before is None or after is None else after - before
    return LineChange(name, before, after, delta)


def _text(usd: Decimal | None) -> str | None:
    return None if usd is None else str(cents(usd))


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent a month by whoever the plan belongs to, and what the others already take."""

    monthly_usd: Decimal
    others_usd: Decimal | None = ZERO
    name: str = "budget"


def check_change(
    change: CostChange, gate: Gate, budget: Budget | None = None, *, ceiling_usd: Decimal | None = None
) -> list[Finding]:
    """What stands between this plan and its apply; empty: nothing.

    `ceiling_usd` is what the stage allows without anybody's approval (a PoC inside its ceiling).
    """
    check_numbers(approve_usd=gate.approve_usd, approve_percent=gate.approve_percent, ceiling_usd=ceiling_usd)
    unknown = _unknown(change)
    if unknown:
        return [unknown]
    findings = [
        _over_usd(change, gate),
        _over_percent(change, gate),
        _over_ceiling(change, ceiling_usd),
        _over_budget(change, budget),
    ]
    return [f for f in findings if f]


def check_budgets(change: CostChange, budgets: Iterable[Budget]) -> list[Finding]:
    """Several budgets may hold at once, as the fleet's and a stage's; an unknown cost is told elsewhere."""
    if change.delta is None:
        return []
    return [finding for budget in budgets if (finding := _over_budget(change, budget))]


def _unknown(change: CostChange) -> Finding | None:
    """An unknown cost afterwards closes the gate; one that goes away only needs somebody who says yes."""
    after, before = change.after.unknown, change.before.unknown
    if not after and not before:
        return None
    listed = ", ".join(after or before)
    evidence = {"unknown": listed, "known_after_usd": str(change.after.known_usd)}
    if after:
        where = f" in {change.after.region}" if change.after.region else ""
        message = (
            f"the cost of this plan is not known: no price for {listed}{where}; add it to the price book"
        )
        return Finding("cost.unknown", Level.FORBID, message, evidence)
    message = f"what this plan saves or adds is not known: no price for {listed} as it is now"
    return Finding("cost.unknown", Level.APPROVE, message, evidence)


def _evidence(change: CostChange, **more: object) -> dict[str, str]:
    return {
        "before_usd": show_usd(change.before.total),
        "after_usd": show_usd(change.after.total),
        "delta_usd": show_usd(change.delta),
        **{name: str(value) for name, value in more.items()},
    }


def _over_usd(change: CostChange, gate: Gate) -> Finding | None:
    delta = change.delta or ZERO
    if delta <= gate.approve_usd:
        return None
    message = (
        f"{show_usd(delta)} USD a month more than before; above {show_usd(gate.approve_usd)} needs approval"
    )
    return Finding("cost.step", Level.APPROVE, message, _evidence(change, threshold=gate.approve_usd))


def _over_percent(change: CostChange, gate: Gate) -> Finding | None:
    percent = change.percent
    if percent is None or percent <= gate.approve_percent:
        return None
    message = f"{percent} percent more than before; above {gate.approve_percent} percent needs approval"
    return Finding("cost.percent", Level.APPROVE, message, _evidence(change, threshold=gate.approve_percent))


def _over_ceiling(change: CostChange, ceiling: Decimal | None) -> Finding | None:
    after = change.after.total or ZERO
    if ceiling is None or after <= ceiling:
        return None
    message = f"{show_usd(after)} USD a month is above the ceiling of {show_usd(ceiling)}"
    return Finding("cost.ceiling", Level.APPROVE, message, _evidence(change, ceiling=ceiling))


def _over_budget(change: CostChange, budget: Budget | None) -> Finding | None:
    """A budget refuses a plan that raises the cost beyond it; one that lowers it always passes."""
    if budget is None or (change.delta or ZERO) <= 0:
        return None
    if budget.others_usd is None:
        message = f"{budget.name}: what is already spent is not known, so nothing can be added"
        return Finding("cost.budget", Level.FORBID, message, _evidence(change))
    whole = (change.after.total or ZERO) + budget.others_usd
    if whole <= budget.monthly_usd:
        return None
    message = (
        f"{budget.name}: {show_usd(whole)} USD a month would pass the {show_usd(budget.monthly_usd)} allowed"
    )
    return Finding("cost.budget", Level.FORBID, message, _evidence(change, budget=budget.monthly_usd))


def check_band(model: CostModel, cost_tier: str, after: Estimate) -> Finding | None:
    """A steady state outside the band of its cost tier needs a tier change, not a bare resize."""
    floor, ceiling = band_of(model, cost_tier)
    total = after.total
    evidence = {"tier": cost_tier, "floor_usd": str(floor), "ceiling_usd": str(ceiling)}
    if total is None:
        message = f"whether {cost_tier} still fits is not known: no price for {', '.join(after.unknown)}"
        return Finding("cost.tier", Level.FORBID, message, evidence)
    if floor <= total < ceiling:
        return None
    fitting = ", ".join(tiers_for(model, cost_tier.partition("-")[0], total)) or "none"
    message = (
        f"{show_usd(total)} USD a month leaves the band of {cost_tier} ({show_usd(floor)} to "
        f"{show_usd(ceiling)}): change the tier (fitting: {fitting})"
    )
    return Finding(
        "cost.tier", Level.FORBID, message, {**evidence, "after_usd": str(total), "fitting": fitting}
    )


def band_of(model: CostModel, cost_tier: str) -> tuple[Decimal, Decimal]:
    if cost_tier not in model.bands:
        message = f"there is no cost tier {cost_tier!r}; tiers are {', '.join(model.bands)}"
        raise Invalid(message, errors=[FieldError("cost_tier", f"unknown: {cost_tier!r}")])
    return model.bands[cost_tier]


def tiers_for(model: CostModel, stage: str, monthly_usd: Decimal) -> list[str]:
    """The tiers of a stage whose band holds this cost."""
    return [
        tier
        for tier, (floor, ceiling) in model.bands.items()
        if tier.startswith(f"{stage}-") and floor <= monthly_usd < ceiling
    ]
