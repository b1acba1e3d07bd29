"""Every reference table, row by row: what it states, what the engine computes, and the difference.

The data holds the stated figures and formulas; no computed figure is stored anywhere. A row says what its
computation rests on: `rates` (published unit prices and quantities), `flat` (a monthly figure that the
reference asserts, or a calibration), `derived` (only other rows), `asserted` (nothing to compute).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from controlplane.catalog.cost_tables.formulas import Function, evaluate
from controlplane.catalog.cost_tables.functions import Reference
from controlplane.catalog.pricebook import REFERENCE, load_book
from controlplane.catalog.prices.model import load_model
from controlplane.domain.cost.estimate import plain
from controlplane.domain.errors import FieldError, Invalid, Missing

_FOLDER = Path(__file__).parent / "data"
_FLAT = {"estimate", "calibration", "derived", "asserted"}
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class TableRow:
    name: str
    stated: str  # a figure, a range `low..high`, or empty where the reference gives none
    computed: Decimal | None
    difference: Decimal | None  # computed less stated; of a range: what it is outside by
    basis: str
    exception: str = ""
    reason: str = ""

    @property
    def stated_number(self) -> Decimal | None:
        return None if not self.stated or ".." in self.stated else Decimal(self.stated)

    @property
    def is_explained(self) -> bool:
        """It agrees, or it differs and says by which known fault of the reference."""
        return bool(self.exception) == bool(self.difference)


@dataclass(frozen=True, slots=True)
class TableResult:
    id: str
    title: str
    kind: str
    rows: tuple[TableRow, ...]

    def row(self, name: str) -> TableRow:
        for row in self.rows:
            if row.name == name:
                return row
        raise Missing(f"the reference table {self.id} has no row {name!r}")

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": self.title,
            "kind": self.kind,
            "rows": [_row_json(r) for r in self.rows],
        }


def _row_json(row: TableRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "stated": row.stated or None,
        "computed": None if row.computed is None else plain(row.computed),
        "difference": None if row.difference is None else plain(row.difference),
        "basis": row.basis,
        "exception": row.exception or None,
        "reason": row.reason or None,
    }


@cache
def tables() -> list[TableResult]:
    """All of them, in the order of the data; computed once a process."""
    evaluation = _Evaluation()
    return [evaluation.table(table_id) for table_id in evaluation.sources]


def table(table_id: str) -> TableResult:
    for result in tables():
        if result.id == table_id:
            return result
    raise Missing(f"there is no reference table {table_id!r}", hint="`controlplane cost tables` lists them")


class _Evaluation:
    """Tables refer to each other: each is computed when first asked for."""

    def __init__(self) -> None:
        self.reference = Reference(load_model(), load_book(REFERENCE))
        self.sources, self.reasons = _read()
        self.done: dict[str, TableResult] = {}
        self.open: list[str] = []

    def table(self, table_id: str) -> TableResult:
        if table_id not in self.done:
            if table_id in self.open or table_id not in self.sources:
                raise _broken(table_id, "is missing, or refers to itself")
            self.open.append(table_id)
            self.done[table_id] = self._compute(table_id)
            self.open.pop()
        return self.done[table_id]

    def _compute(self, table_id: str) -> TableResult:
        source = self.sources[table_id]
        rows: list[TableRow] = []
        for entry in source["rows"]:
            name, stated, formula, exception = (*entry, "")[:4]
            rows.append(self._row(table_id, rows, (name, stated, formula, exception)))
        return TableResult(table_id, source["title"], source["kind"], tuple(rows))

    def _row(self, table_id: str, rows: list[TableRow], entry: tuple[str, str, str, str]) -> TableRow:
        name, stated, formula, exception = entry
        if any(row.name == name for row in rows):
            raise _broken(table_id, f"has two rows {name!r}")
        if exception and exception not in self.reasons:
            raise _broken(table_id, f"names no known exception: {exception!r}")
        computed, basis = self._value(rows, formula)
        reason = self.reasons.get(exception, "")
        return TableRow(name, stated, computed, _difference(stated, computed), basis, exception, reason)

    def _value(self, rows: list[TableRow], formula: str) -> tuple[Decimal | None, str]:
        if not formula:
            return None, "asserted"
        outer, self.reference.touched = self.reference.touched, set()
        functions = {**self.reference.functions(), **self._references(rows)}
        value = evaluate(formula, {row.name: row.computed for row in rows}, functions)
        touched, self.reference.touched = self.reference.touched, outer
        if touched & _FLAT:
            return value, "flat"
        return value, "rates" if touched else "derived"

    def _references(self, rows: list[TableRow]) -> dict[str, Function]:
        """Sums of the rows so far, and rows of other tables: computed (`t`) and stated (`s`, `ts`)."""
        so_far = {row.name: row for row in rows}
        return {
            "lines": lambda: sum((_number(row.computed) for row in rows if "/" not in row.name), ZERO),
            "stated_lines": lambda: sum((_number(row.stated_number) for row in rows), ZERO),
            "s": lambda name: _number(so_far[name].stated_number),
            "t": lambda other, name: _number(self.table(other).row(name).computed),
            "ts": lambda other, name: _number(self.table(other).row(name).stated_number),
        }


def _number(value: Decimal | None) -> Decimal:
    if value is None:
        raise _broken("a row", "is referred to and has no number")
    return value


def _difference(stated: str, computed: Decimal | None) -> Decimal | None:
    if not stated or computed is None:
        return None
    if ".." not in stated:
        return computed - Decimal(stated)
    low, high = (Decimal(end) for end in stated.split(".."))
    return min(ZERO, computed - low) + max(ZERO, computed - high)


def _read() -> tuple[dict[str, Mapping[str, Any]], dict[str, str]]:
    sources: dict[str, Mapping[str, Any]] = {}
    reasons: dict[str, str] = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        reasons |= data["exceptions"]
        for source in data["tables"]:
            if source["id"] in sources:
                raise _broken(source["id"], "stands twice")
            sources[source["id"]] = source
    return sources, reasons


def _broken(what: str, why: str) -> Invalid:
    return Invalid(f"the reference table {what} {why}", errors=[FieldError(what, why)])


def unexplained(results: Sequence[TableResult]) -> list[tuple[str, TableRow]]:
    """Rows that differ without an exception, or carry one without differing: none, or the data is wrong."""
    return [(result.id, row) for result in results for row in result.rows if not row.is_explained]
