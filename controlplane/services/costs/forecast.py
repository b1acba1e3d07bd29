"""What so many tenants would cost, month by month, and from when on something must change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from controlplane.domain.cost import forecast
from controlplane.domain.cost.advice.ownership import ownership
from controlplane.domain.cost.book import Rates
from controlplane.domain.cost.forecast import Growth, Point, Scenario, TurningPoint
from controlplane.domain.cost.model import CostModel
from controlplane.domain.cost.report.chart import forecast_chart, scale_chart
from controlplane.domain.cost.report.marks import Mark
from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.money import cents
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Control
from controlplane.services.costs import asked, book
from controlplane.services.costs.book import usd

_COUNTS = (1, 2, 5, 10, 25, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


def show(control: Control, actor: Actor, wanted: asked.Forecast) -> dict[str, Any]:
    actor.require(Action.READ_FLEET)
    by = book.in_force(control)
    region = book.check_region(control, by.book, wanted.region)
    model, rates = by.model, by.rates(region)
    mix = asked.parse_mix(wanted.mix)
    scenario = Scenario(wanted.blueprint, wanted.stage.value, mix, tuple(wanted.option), wanted.high)
    estimate = forecast.what_if(model, rates, wanted.tenants, scenario)
    points = _months(model, rates, wanted, scenario)
    scale = [(n, e.total) for n, e in forecast.sweep(model, rates, _counts(wanted), scenario)]
    turning = forecast.turning_points(model, scenario, wanted.tenants)
    view: dict[str, Any] = {
        "price_book": book.about(by.book),
        "tenants": wanted.tenants,
        "blueprint": wanted.blueprint,
        "stage": wanted.stage.value,
        "mix": mix,
        "options": list(wanted.option),
        "estimate": estimate.as_json(),
        "per_tenant_usd": usd(_each(estimate.total, wanted.tenants)),
        "scale": [_at(n, amount) for n, amount in scale],
        "months": [point.as_json() for point in points],
        "turning_points": [_turning(t) for t in turning],
        "against_one_size": _against_one_size(model, rates, wanted.tenants, scenario),
        "ownership": _ownership(model, estimate.total, wanted.tenants),
    }
    if wanted.chart:
        view["chart"] = _chart(model, rates, scenario, points, scale, turning)
    return view


def _months(model: CostModel, rates: Rates, wanted: asked.Forecast, scenario: Scenario) -> list[Point]:
    """Until the wanted number of tenants is reached, or the months are over; none without growth."""
    if not wanted.growth:
        return []
    tenants, percent = asked.parse_growth(wanted.growth)
    start = wanted.start or 1
    if start > wanted.tenants:
        message = f"growth from {start} does not end at {wanted.tenants} tenants"
        raise Invalid(message, errors=[FieldError("start", message)])
    counts = Growth(start, wanted.months, tenants, percent).counts()
    before = [n for n in counts if n < wanted.tenants]
    growth = Growth(start, min(len(before), wanted.months), tenants, percent)
    points = forecast.forecast(model, rates, growth, scenario)
    return [_capped(model, rates, p, wanted.tenants, scenario) for p in points]


def _capped(model: CostModel, rates: Rates, point: Point, most: int, scenario: Scenario) -> Point:
    """The last month does not overshoot the number that was asked for."""
    if point.tenants <= most:
        return point
    total = forecast.what_if(model, rates, most, scenario).total
    passed = tuple(t for t in point.turning if t.tenants <= most)
    each = _each(total, most)
    return replace(point, tenants=most, monthly_usd=total, per_tenant_usd=each, turning=passed)


def _counts(wanted: asked.Forecast) -> list[int]:
    """Round numbers between the first and the last."""
    first = min(wanted.start or 1, wanted.tenants)
    between = [n for n in _COUNTS if first < n < wanted.tenants]
    return list(dict.fromkeys([first, *between, wanted.tenants]))


def _each(total: Decimal | None, tenants: int) -> Decimal | None:
    return None if total is None else cents(total / tenants)


def _at(tenants: int, total: Decimal | None) -> dict[str, Any]:
    return {
        "tenants": tenants,
        "monthly_usd": usd(total),
        "per_tenant_usd": usd(_each(total, tenants)),
    }


def _turning(point: TurningPoint) -> dict[str, Any]:
    return {"tenants": point.tenants, "kind": point.kind, "what": point.what, "action": point.action}


def _against_one_size(
    model: CostModel, rates: Rates, tenants: int, scenario: Scenario
) -> dict[str, Any] | None:
    """What the mix saves, where databases are counted at all."""
    if scenario.mix is None or scenario.blueprint not in model.profiles:
        return None
    if scenario.stage != "production" and tenants > model.profile(scenario.blueprint, scenario.stage).cell:
        return None  # a published headline has no databases to compare
    found = forecast.compare_mixes(model, rates, tenants, scenario.mix, scenario)
    money = ("uniform_usd", "mixed_usd", "saving_monthly_usd", "saving_yearly_usd")
    return {"counts": found["counts"], **{name: usd(found[name]) for name in money}}


def _ownership(model: CostModel, total: Decimal | None, tenants: int) -> dict[str, Any]:
    found = ownership(model, total, tenants)
    percent = found.infrastructure_percent
    return {
        "infrastructure_usd": usd(found.infrastructure_usd),
        "operations_usd": usd(found.operations_usd),
        "total_usd": usd(found.total_usd),
        "infrastructure_percent": None if percent is None else str(percent),
    }


def _chart(
    model: CostModel,
    rates: Rates,
    scenario: Scenario,
    points: Sequence[Point],
    scale: Sequence[tuple[int, Decimal | None]],
    turning: Sequence[TurningPoint],
) -> str:
    """Against all tenants on one size, where there is a mix; with the turning points."""
    name = "this mix" if scenario.mix else "all on one size"
    if points:
        marks = [Mark(float(p.month), f"{t.tenants}: {t.what}") for p in points for t in p.turning]
        return forecast_chart("Monthly cost as the fleet grows", [(name, points)], marks)
    lines = [(name, scale)]
    if scenario.mix:
        plain = replace(scenario, mix=None)
        uniform = forecast.sweep(model, rates, [n for n, _ in scale], plain)
        lines.append(("all on one size", [(n, e.total) for n, e in uniform]))
    marks = [Mark(float(t.tenants), f"{t.tenants}: {t.what}") for t in turning]
    return scale_chart("Monthly cost by number of tenants", lines, marks)
