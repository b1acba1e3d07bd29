"""The reference tables, computed again: stated, computed, difference, and why where they differ."""

from __future__ import annotations

from typing import Any

from controlplane.catalog.cost_tables.tables import TableResult, table, tables, unexplained
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Control
from controlplane.services.costs import asked


def show(control: Control, actor: Actor, wanted: asked.Tables) -> dict[str, Any]:  # noqa: ARG001
    actor.require(Action.READ_FLEET)
    found = [table(wanted.table)] if wanted.table else tables()
    return {
        "items": [one.as_json() for one in found],
        "next_page_token": None,
        "summary": _summary(found),
    }


def _summary(found: list[TableResult]) -> dict[str, int]:
    rows = [row for one in found for row in one.rows]
    return {
        "tables": len(found),
        "rows": len(rows),
        "equal": sum(row.difference == 0 for row in rows),
        "different_with_a_reason": sum(bool(row.difference) and row.is_explained for row in rows),
        "unexplained": len(unexplained(found)),
        "not_computed": sum(row.computed is None for row in rows),
        "not_stated": sum(not row.stated for row in rows),
    }
