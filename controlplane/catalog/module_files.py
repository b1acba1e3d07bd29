"""What the Terraform modules take and give, read from their own files so that nothing is said twice."""

from __future__ import annotations

import re
from pathlib import Path

from controlplane.catalog.toml_files import Table, read
from controlplane.catalog.values import CostLine, ModuleFacts
from controlplane.domain.errors import Invalid

# Modules are formatted by `terraform fmt`: a block opens in the first column and closes there.
_VARIABLE = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
_OUTPUT = re.compile(r'^output "(\w+)" \{', re.MULTILINE)
_DEFAULT = re.compile(r"^  default\s*=", re.MULTILINE)


def read_modules(folder: Path) -> dict[str, ModuleFacts]:
    return {path.parent.name: _read_module(path) for path in sorted(folder.glob("*/module.toml"))}


def _read_module(file: Path) -> ModuleFacts:
    table = read(file)
    variables = _VARIABLE.findall(_source(file.parent / "variables.tf"))
    required = tuple(name for name, body in variables if not _DEFAULT.search(body))
    inputs = tuple(name for name, _ in variables)
    facts = ModuleFacts(
        name=file.parent.name,
        version=table.text("version"),
        summary=table.text("summary"),
        required_inputs=required,
        optional_inputs=tuple(name for name in inputs if name not in required),
        outputs=tuple(_OUTPUT.findall(_source(file.parent / "outputs.tf"))),
        costs=tuple(_read_cost(cost, inputs) for cost in table.tables("costs")),
    )
    table.done()
    return facts


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
        select={key: _path(select, key, inputs) for key in select.values},
    )
    table.done()
    return line


def _path(table: Table, key: str, inputs: tuple[str, ...]) -> str:
    path = table.text(key, default="")
    if path and path.split(".")[0] not in inputs:
        table.fail(key, f"starts with no input of the module; allowed: {', '.join(sorted(inputs))}")
    return path
