"""What a module costs, from the cost lines that stand in its own `module.toml`."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from controlplane.catalog.prices import FOLDER
from controlplane.catalog.values import CostLine
from controlplane.domain.cost.book import Rates
from controlplane.domain.cost.estimate import HOURS, ZERO, Estimate, Line, charge


def estimate_module(costs: Iterable[CostLine], inputs: Mapping[str, Any], rates: Rates) -> Estimate:
    """The lines of one use of a module with these inputs; a component without a price is unknown."""
    return Estimate(tuple(_line(cost, inputs, rates) for cost in costs), rates.book, rates.region)


def known_components() -> frozenset[str]:
    return frozenset(_components())


def _line(cost: CostLine, inputs: Mapping[str, Any], rates: Rates) -> Line:
    how = _components().get(cost.component)
    if how is None:
        return Line(cost.component, Decimal(1), "unit", None, None, "no price is named for this component")
    if how.get("use"):
        return Line(how["component"], ZERO, "use", ZERO, ZERO, f"{cost.component}: billed by use")
    quantity = _quantity(cost, inputs)
    dimensions = defaultdict(lambda: "?", {name: _at(inputs, path) for name, path in cost.select.items()})
    dimensions["zones"] = "multi" if dimensions.get("multi_az") else "single"
    price = rates[how["key"].format_map(dimensions)]
    if how.get("hours"):
        return charge(how["component"], quantity * HOURS, "hour", price, f"{cost.component} × 730 h")
    return charge(how["component"], quantity, "month", price, cost.component)


def _quantity(cost: CostLine, inputs: Mapping[str, Any]) -> Decimal:
    if cost.fixed is not None:
        return Decimal(cost.fixed)
    if cost.value_of:
        return Decimal(_at(inputs, cost.value_of) or 0)
    return Decimal(len(_at(inputs, cost.count_of) or ()))


def _at(inputs: Mapping[str, Any], path: str) -> Any:
    """`slot.storage_gb` of the inputs; None where there is nothing."""
    value: Any = inputs
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


@cache
def _components() -> Mapping[str, dict[str, Any]]:
    return tomllib.loads((FOLDER / "components.toml").read_text(encoding="utf-8"))
