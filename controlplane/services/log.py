"""Terraform's own lines of an operation, over all of its runs, from where a reader left off."""

from __future__ import annotations

import re
from typing import Any

from controlplane.domain.errors import FieldError, Invalid
from controlplane.services import operations
from controlplane.services.actor import Actor
from controlplane.services.control import Control
from controlplane.store import story as stories
from controlplane.store.runs import log_lines

_CURSOR = re.compile(r"(\d{1,6})\.(\d{1,9})")


def lines(
    control: Control, actor: Actor, operation_id: str, after: str = "", limit: int = 500
) -> dict[str, Any]:
    """Redacted lines, and the cursor behind them; the same cursor comes back when nothing is new."""
    run, number = _place(after)
    operations.require_seen(control, actor, operation_id)
    with control.db.read() as session:
        found = log_lines(session, operation_id, run, number, limit)
    items = [
        {"run": f.run_id, "verb": f.verb, "at": f.at.isoformat(), "stream": f.stream, "text": f.text}
        for f in found
    ]
    cursor = f"{found[-1].run}.{found[-1].number}" if found else f"{run}.{number}"
    return {"items": items, "next_page_token": None, "cursor": cursor}


def _place(cursor: str) -> tuple[int, int]:
    if not cursor:
        return 0, 0
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        message = "this cursor is not one of ours: begin again without one"
        raise Invalid(message, errors=[FieldError("after", message)])
    return int(match[1]), int(match[2])


def news(control: Control, after: int) -> tuple[int, set[str]]:
    """For a door that wakes its followers: who has something new. It names operations, and nothing else."""
    with control.db.read() as session:
        return stories.news(session, after)
