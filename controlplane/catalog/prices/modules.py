"""What a module costs, from the cost lines that stand in its own `module.toml`."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from controlplane.catalog.prices import FOLDER
from controlplane.catalog.values import CostLine, ModuleFacts, WiredModule
from controlplane.domain.cost.book import Rates
from controlplane.domain.cost.estimate import HOURS, ZERO, Estimate, Line, charge

UNKNOWN = object()  # stands for an input that is another module's output


def estimate_module(costs: Iterable[CostLine], inputs: Mapping[str, Any], rates: Rates) -> Estimate:
    """The lines of one use of a module with these inputs; a component without a price is unknown."""
    lines = [
        _line(cost, inputs, rates)
        for cost in costs
        if all(inputs.get(name) in (value, UNKNOWN) for name, value in cost.when.items())
    ]
    return Estimate(tuple(lines), rates.book, rates.region)


def wired_inputs(wired: WiredModule, module: ModuleFacts, known: Mapping[str, Any]) -> dict[str, Any]:
    """A module's inputs as far as they are known before anything was applied."""
    return {**module.defaults, **{name: wire.known(known, UNKNOWN) for name, wire in wired.inputs}}


def known_components() -> frozenset[str]:
    return frozenset(_components())


def _line(cost: CostLine, inputs: Mapping[str, Any], rates: Rates) -> Line:
    how = _components().get(cost.component)
    if how is None:
        return Line(cost.component, Decimal(1), "unit", None, None, "no price is named for this component")
    if how.get("use"):
        return Line(how["component"], ZERO, "use", ZERO, ZERO, f"{cost.component}: billed by use")
    quantity = _quantity(cost, inputs)
    if quantity is None:
        return Line(
            how["component"], Decimal(1), "month", None, None, f"{cost.component}: how much is not known"
        )
    dimensions = defaultdict(lambda: "?", {name: _at(inputs, path) for name, path in cost.select.items()})
    dimensions["zones"] = "multi" if dimensions.get("multi_az") else "single"
    price = rates[how["key"].format_map(dimensions)]
    quantity /= how.get("parts", 1)
    if how.get("hours"):
        return charge(how["component"], quantity * HOURS, "hour", price, f"{cost.component} × 730 h")
    return charge(how["component"], quantity, "month", price, cost.component)


def _quantity(cost: CostLine, inputs: Mapping[str, Any]) -> Decimal | None:
    """None: an input that it depends on is known only when it was applied."""
    if cost.fixed is not None:
        quantity: Decimal | None = Decimal(cost.fixed)
    else:
        quantity = _measure(_at(inputs, cost.value_of or cost.count_of))
    times = _measure(_at(inputs, cost.times)) if cost.times else Decimal(1)
    return None if quantity is None or times is None else quantity * times


def _measure(value: Any) -> Decimal | None:
    """A number as it is, of anything else how many there are."""
    if value is UNKNOWN:
        return None
    return Decimal(value) if isinstance(value, int) else Decimal(len(value or ()))


def _at(inputs: Mapping[str, Any], path: str) -> Any:
    """`slot.storage_gb` of the inputs; None where there is nothing."""
    value: Any = inputs
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


@cache
def _components() -> Mapping[str, dict[str, Any]]:
    return tomllib.loads((FOLDER / "components.toml").read_text(encoding="utf-8"))
