"""Questions about cost in this process: each name with the model of its question and who answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from controlplane.services import asking, bodies
from controlplane.services.actor import Actor
from controlplane.services.asking import Change, Way
from controlplane.services.control import Control
from controlplane.services.costs import (
    actuals,
    asked,
    book,
    commitments,
    daily,
    estimate,
    fleet,
    forecast,
    tables,
    tenant,
)
from controlplane.services.costs.budgets import limits

Answer = dict[str, Any]

_READS: Mapping[str, tuple[type[Any], Callable[[Control, Actor, Any], Answer]]] = {
    "fleet": (asked.Fleet, fleet.show),
    "forecast": (asked.Forecast, forecast.show),
    "tables": (asked.Tables, tables.show),
    "actuals": (asked.Actuals, actuals.show),
    "prices": (asked.Prices, book.show),
    "commitments": (bodies.Nothing, lambda control, actor, _: commitments.show(control, actor)),
    "budget": (bodies.Nothing, lambda control, actor, _: limits.show(control, actor)),
}


def read(control: Control, actor: Actor, what: str, query: Mapping[str, Any]) -> Answer:
    model, show = _READS[what]
    return show(control, actor, bodies.parse(model, dict(query)))


def of_tenant(control: Control, actor: Actor, slug: str, query: Mapping[str, Any]) -> Answer:
    return tenant.show(control, actor, slug, bodies.parse(asked.OfTenant, dict(query)))


def send(control: Control, actor: Actor, what: str, body: Mapping[str, Any], way: Way) -> Answer:
    """estimate, budget, prices/refresh, actuals/refresh or fleet/record."""
    if what == "prices/refresh":
        return dict(book.refresh(control, actor, bodies.parse(asked.Refreshing, dict(body)), way).body)
    if what == "actuals/refresh":
        return actuals.ask(control, actor, way)
    return dict(asking.do(control, actor, way, _change(actor, what, body), 200).body)


def _change(actor: Actor, what: str, body: Mapping[str, Any]) -> Change:
    if what == "estimate":
        question = bodies.parse(asked.Estimate, dict(body))
        return lambda control, _: estimate.estimate(control, actor, question)
    if what == "budget":
        wanted = bodies.parse(asked.NewBudget, dict(body))
        return lambda control, ask: limits.save(control, actor, wanted, ask)
    return lambda control, _: daily.record(control, actor)
