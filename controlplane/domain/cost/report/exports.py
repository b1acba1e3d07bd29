"""Estimates and bills as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from controlplane.domain.cost.estimate import Estimate, Line, line_json, plain
from controlplane.domain.money import cents

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
CSV_COLUMNS = ("tenant", "component", "subject", "quantity", "unit", "unit_price", "monthly_usd", "rule")


def to_csv(estimates: Iterable[tuple[str, Estimate]]) -> str:
    """A row a line; an unknown price is the word `unknown`, and text cannot become a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for tenant, estimate in estimates:
        for line in estimate.lines:
            writer.writerow([_safe(cell) for cell in _cells(tenant, line)])
    return out.getvalue()


def _cells(tenant: str, line: Line) -> tuple[str, ...]:
    price, usd = line.unit_price, line.monthly_usd
    shown_price = "unknown" if price is None else plain(price)
    shown_usd = "unknown" if usd is None else str(cents(usd))
    what = (tenant, line.component, line.subject, plain(line.quantity), line.unit)
    return (*what, shown_price, shown_usd, line.rule)


def _safe(cell: str) -> str:
    """A spreadsheet runs a cell that begins like a formula; a negative number is one only for people."""
    return f"'{cell}" if cell.startswith(_FORMULA) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    return cell.lstrip("-").replace(".", "", 1).isdigit()


def rows_csv(rows: Sequence[Mapping[str, object]]) -> str:
    """Any list of flat rows, as they are, with the columns of the first."""
    out = io.StringIO()
    columns = list(rows[0]) if rows else []
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_safe("" if row[c] is None else str(row[c])) for c in columns])
    return out.getvalue()


def to_json(estimates: Iterable[tuple[str, Estimate]]) -> str:
    """Money as text with two decimals, unknown as null."""
    items = [{"tenant": tenant, **estimate.as_json()} for tenant, estimate in estimates]
    return json.dumps({"items": items}, indent=2)


def estimate_table(estimate: Estimate) -> list[dict[str, Any]]:
    """The lines as flat rows for a terminal or a page."""
    return [line_json(line) for line in estimate.lines]
