"""Wires: what stands at a module's input, written in TOML nearly as it will stand in HCL.

Text is a source (`var.name`, `module.network.vpc_id`, `module.nat.address["a"]`) or, in quotes of its own, a
text ('"require"'). Numbers and truth stand for themselves; lists and tables hold wires again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from controlplane.catalog.toml_files import Table

MODULE_SOURCE = re.compile(r'module\.(\w+)\.(\w+)((?:\[(?:"[\w.-]+"|\d+)\])?)')
# Nothing that HCL's quotes or templates mean something by.
_QUOTED_TEXT = re.compile(r'"[^"\\$%\n]*"')
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_LINE = 100


@dataclass(frozen=True)
class Wire:
    """One input's value: as HCL, and the sources that stand in it."""

    value: Any

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(_sources(self.value))

    @property
    def modules(self) -> set[str]:
        return {match[1] for source in self.sources if (match := MODULE_SOURCE.fullmatch(source))}

    def known(self, sources: Mapping[str, Any], otherwise: Any) -> Any:
        """The value with sources put in as far as they are known."""
        return _known(self.value, sources, otherwise)

    def hcl(self, counted: frozenset[str] = frozenset(), indent: str = "  ") -> str:
        """As `terraform fmt` lays it out; what a module that may be absent gives is null without it."""
        return _hcl(self.value, counted, indent)


def read_wire(table: Table, key: str) -> Wire:
    value = table.anything(key)
    problem = _problem(value)
    if problem:
        table.fail(key, problem)
    return Wire(value)


def source_hcl(source: str, counted: frozenset[str]) -> str:
    match = MODULE_SOURCE.fullmatch(source)
    if match is None or match[1] not in counted:
        return source
    each = f"one(module.{match[1]}[*].{match[2]})"
    return f"try({each}{match[3]}, null)" if match[3] else each


def _is_source(value: Any) -> bool:
    return isinstance(value, str) and not value.startswith('"')


def _sources(value: Any) -> Iterator[str]:
    if _is_source(value):
        yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _sources(inner)


def _known(value: Any, sources: Mapping[str, Any], otherwise: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _known(inner, sources, otherwise) for name, inner in value.items()}
    if isinstance(value, list):
        return [_known(inner, sources, otherwise) for inner in value]
    if isinstance(value, str):
        return sources.get(value, otherwise) if _is_source(value) else value[1:-1]
    return value


def _problem(value: Any) -> str:
    if isinstance(value, str) and not _is_source(value) and not _QUOTED_TEXT.fullmatch(value):
        return f"holds {value}, which is no plain text in quotes: no backslash, $ or % may stand in it"
    if isinstance(value, Mapping):
        return next((p for p in map(_problem, value.values()) if p), "")
    if isinstance(value, list):
        return next((p for p in map(_problem, value) if p), "")
    if not isinstance(value, str | int | bool):
        return f"holds {value!r}; allowed: a source, text in quotes, a whole number, truth, a list or a table"
    return ""


def _hcl(value: Any, counted: frozenset[str], indent: str) -> str:
    if isinstance(value, Mapping):
        return _table(value, counted, indent)
    if isinstance(value, list):
        return _list(value, counted, indent)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if not _is_source(value) else source_hcl(value, counted)


def _list(value: list[Any], counted: frozenset[str], indent: str) -> str:
    within = indent + "  "
    items = [_hcl(inner, counted, within) for inner in value]
    flat = f"[{', '.join(items)}]"
    if len(indent + flat) <= _LINE and "\n" not in flat:
        return flat
    return "[\n" + "".join(f"{within}{item},\n" for item in items) + f"{indent}]"


def _table(value: Mapping[str, Any], counted: frozenset[str], indent: str) -> str:
    within = indent + "  "
    pairs = [(_key(key), _hcl(inner, counted, within)) for key, inner in value.items()]
    flat = "{ " + ", ".join(f"{key} = {text}" for key, text in pairs) + " }" if pairs else "{}"
    if len(indent + flat) <= _LINE and "\n" not in flat:
        return flat
    return "{\n" + "".join(f"{within}{line}\n" for line in aligned(pairs)) + f"{indent}}}"


def _key(key: str) -> str:
    return key if _NAME.fullmatch(key) else json.dumps(key)


def aligned(pairs: list[tuple[str, str]]) -> list[str]:
    """`name = value` lines; a run of one-line values has its signs in one column, as in `terraform fmt`."""
    lines, run = [], list[tuple[str, str]]()
    for pair in pairs:
        run.append(pair)
        if "\n" in pair[1]:
            lines += _column(run)
            run = []
    return lines + _column(run)


def _column(run: list[tuple[str, str]]) -> list[str]:
    # A value of several lines ends the column, and stands outside it when it opens the run.
    width = max((len(key) for key, text in run if "\n" not in text), default=0)
    return [f"{key} = {text}" if "\n" in text else f"{key.ljust(width)} = {text}" for key, text in run]
