"""What may differ between platforms of one blueprint: options, what follows from them, what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from controlplane.catalog.toml_files import Table
from controlplane.catalog.values import Band, BlueprintEnvironment, Option, Refusal
from controlplane.domain.tenant import Environment, Stage

_CHECKS: dict[str, type] = {"string": str, "number": int, "bool": bool, "list(string)": list}


def read_option(name: str, table: Table) -> Option:
    option = Option(
        name=name,
        type=table.text("type", tuple(_CHECKS)),
        description=table.text("description"),
        default=table.anything("default"),
        minimum=table.anything("minimum"),
        maximum=table.anything("maximum"),
        allowed=tuple(table.anything("allowed") or ()),
        pattern=table.text("pattern", default=""),
    )
    table.done()
    problem = option_problem(option, option.default)
    if problem:
        table.fail("default", problem)
    return option


def option_problem(option: Option, value: Any) -> str:
    """What is wrong with a value for this option; empty when nothing is."""
    said = f"is {value!r}; allowed: {option.range()}"
    kind = _CHECKS[option.type]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        return said
    if isinstance(value, list) and len(value) < (1 if option.minimum is None else option.minimum):
        return said
    members = value if isinstance(value, list) else [value]
    return said if any(_is_outside(option, member) for member in members) else ""


def _is_outside(option: Option, value: Any) -> bool:
    if option.type == "list(string)":
        return not isinstance(value, str) or _is_strange(option, value)
    too_low = option.minimum is not None and value < option.minimum
    return _is_strange(option, value) or too_low or (option.maximum is not None and value > option.maximum)


def _is_strange(option: Option, value: Any) -> bool:
    if option.allowed and value not in option.allowed:
        return True
    return bool(option.pattern) and not re.fullmatch(option.pattern, value)


def read_environment(name: str, table: Table, options: Mapping[str, Option]) -> BlueprintEnvironment:
    chosen = table.table("options")
    _check_chosen(chosen, options)
    stages = tuple(Stage(stage) for stage in table.texts("stages", tuple(Stage)))
    bands = _read_bands(table.table("bands"), options)
    table.done()
    return BlueprintEnvironment(Environment(name), stages, dict(chosen.values), bands)


def _check_chosen(chosen: Table, options: Mapping[str, Option]) -> None:
    for key, value in chosen.values.items():
        if key not in options:
            chosen.fail(key, f"is no option of this blueprint; allowed: {', '.join(sorted(options))}")
        problem = option_problem(options[key], value)
        if problem:
            chosen.fail(key, problem)


def _read_bands(table: Table, options: Mapping[str, Option]) -> dict[str, Band]:
    bands = {}
    numbers = [name for name, option in options.items() if option.type == "number"]
    for name, child in table.children():
        if name in options:
            table.fail(name, "is an option already; what follows from one has a name of its own")
        steps = child.table("steps")
        bands[name] = Band(
            name=name,
            description=child.text("description"),
            by=child.text("by", numbers),
            steps=tuple((_end(steps, key), steps.number(key, 0, 1_000_000)) for key in steps.values),
        )
        ends = [end for end, _ in bands[name].steps]
        if not ends or ends != sorted(set(ends)):
            child.fail("steps", f"end at {ends}; allowed: rising numbers, one at least")
        child.done()
    return bands


def _end(steps: Table, key: str) -> int:
    if not key.isdigit():
        steps.fail(key, "is no number; a step is named by the number that it goes up to")
    return int(key)


def check_bands(table: Table, environments: Iterable[BlueprintEnvironment]) -> tuple[str, ...]:
    """Their names: each environment has the same, since its HCL is the same."""
    named = {environment.name: tuple(sorted(environment.bands)) for environment in environments}
    for name, bands in named.items():
        if bands != next(iter(named.values())):
            table.fail(f"{name}.bands", f"are {', '.join(bands) or 'none'}, unlike those of the others")
    return next(iter(named.values()), ())


def read_refusals(tables: Iterable[Table], options: Mapping[str, Option]) -> tuple[Refusal, ...]:
    return tuple(_read_refusal(table, options) for table in tables)


def _read_refusal(table: Table, options: Mapping[str, Option]) -> Refusal:
    chosen = table.table("options")
    _check_chosen(chosen, options)
    refusal = Refusal(dict(chosen.values), table.text("reason"))
    table.done()
    return refusal
