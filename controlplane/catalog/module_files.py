"""What the Terraform modules take and give, read from their own files so that nothing is said twice."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from controlplane.catalog.toml_files import Table, read
from controlplane.catalog.values import CostLine, ModuleFacts
from controlplane.domain.errors import Invalid

# Modules are formatted by `terraform fmt`: a block opens in the first column and closes there.
_VARIABLE = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
_OUTPUT = re.compile(r'^output "(\w+)" \{', re.MULTILINE)
_DEFAULT = re.compile(r"^  default\s*= ?(.*)$", re.MULTILINE)


def read_modules(folder: Path) -> dict[str, ModuleFacts]:
    return {path.parent.name: _read_module(path) for path in sorted(folder.glob("*/module.toml"))}


def _read_module(file: Path) -> ModuleFacts:
    table = read(file)
    variables = _VARIABLE.findall(_source(file.parent / "variables.tf"))
    required = tuple(name for name, body in variables if not _DEFAULT.search(body))
    inputs = tuple(name for name, _ in variables)
    outputs = tuple(_OUTPUT.findall(_source(file.parent / "outputs.tf")))
    facts = ModuleFacts(
        name=file.parent.name,
        version=table.text("version"),
        summary=table.text("summary"),
        required_inputs=required,
        optional_inputs=tuple(name for name in inputs if name not in required),
        outputs=outputs,
        costs=tuple(_read_cost(cost, inputs) for cost in table.tables("costs")),
        defaults={name: value for name, body in variables for value in _plain_default(body)},
        late_inputs=_names(table, "late_inputs", inputs),
        early_outputs=_names(table, "early_outputs", outputs),
    )
    table.done()
    return facts


def _names(table: Table, key: str, allowed: tuple[str, ...]) -> frozenset[str]:
    return frozenset(table.texts(key, allowed)) if key in table.values else frozenset()


def _plain_default(body: str) -> list[Any]:
    """The default, where JSON reads it as HCL does: a plain value, or a list of them on one line."""
    found = _DEFAULT.search(body)
    try:
        return [json.loads(found[1])] if found else []
    except ValueError:
        return []


def _source(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise Invalid(f"module {file.parent.name}: {file.name} cannot be read: {error}") from error


def _read_cost(table: Table, inputs: tuple[str, ...]) -> CostLine:
    ways = [key for key in ("fixed", "value_of", "count_of") if key in table.values]
    if len(ways) != 1:
        table.fail("fixed", "a cost line has exactly one of fixed, value_of, count_of")
    select = table.table("select")
    line = CostLine(
        component=table.text("component"),
        fixed=table.number("fixed", 0, 1_000_000) if ways == ["fixed"] else None,
        value_of=_path(table, "value_of", inputs),
        count_of=_path(table, "count_of", inputs),
        times=_path(table, "times", inputs),
        select={key: _path(select, key, inputs) for key in select.values},
        when=_conditions(table.table("when"), inputs),
    )
    table.done()
    return line


def _path(table: Table, key: str, inputs: tuple[str, ...]) -> str:
    path = table.text(key, default="")
    if path and path.split(".")[0] not in inputs:
        table.fail(key, f"starts with no input of the module; allowed: {', '.join(sorted(inputs))}")
    return path


def _conditions(table: Table, inputs: tuple[str, ...]) -> dict[str, Any]:
    for key in table.values:
        if key not in inputs:
            table.fail(key, f"is no input of the module; allowed: {', '.join(sorted(inputs))}")
    return dict(table.values)
