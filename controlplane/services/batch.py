"""Many tenants in one request: each row is accepted or refused by itself, and says which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from controlplane.domain.errors import ControlPlaneError, FieldError, Invalid
from controlplane.operations import Create
from controlplane.services import bodies, tenants
from controlplane.services.actor import Action, Actor
from controlplane.services.asking import Way
from controlplane.services.control import Ask, Control
from controlplane.services.once import once, rehearse

MOST = 1000
_PRIORITY = 20  # who asks for one tenant does not wait behind a thousand


def create(control: Control, actor: Actor, rows: Sequence[dict[str, Any]], way: Way) -> dict[str, Any]:
    """A result a row, in their order: the operation, or the problem."""
    actor.require(Action.CREATE_TENANT)
    if not 1 <= len(rows) <= MOST:
        message = f"a batch has 1 to {MOST} rows, not {len(rows)}"
        raise Invalid(message, errors=[FieldError("items", message)])
    ask = replace(way.ask, priority=_PRIORITY)
    if way.request is not None and not way.dry_run:
        done = once(control, actor, way.request, lambda c: _all(c, actor, rows, ask, dry_run=False), 200)
        return dict(done.body)
    return _all(control, actor, rows, ask, dry_run=way.dry_run)


def _all(
    control: Control, actor: Actor, rows: Sequence[dict[str, Any]], ask: Ask, *, dry_run: bool
) -> dict[str, Any]:
    items = [_one(control, actor, row, ask, dry_run=dry_run) for row in rows]
    good = sum(1 for item in items if item["accepted"])
    return {"items": items, "next_page_token": None, "accepted": good, "refused": len(items) - good}


def _one(control: Control, actor: Actor, row: dict[str, Any], ask: Ask, *, dry_run: bool) -> dict[str, Any]:
    slug = str(row.get("slug", ""))
    try:
        body = bodies.parse(Create, row)
        if dry_run:
            found = rehearse(control, lambda within: tenants.create(within, actor, body, ask))
        else:
            found = tenants.create(control, actor, body, ask)
    except ControlPlaneError as error:
        return {"slug": slug, "accepted": False, "operation": None, "problem": error.problem()}
    return {"slug": slug, "accepted": True, "operation": found["id"], "problem": None}
