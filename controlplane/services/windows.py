"""Change windows: when changes are allowed or denied; deny wins."""

from __future__ import annotations

from typing import Any

from controlplane.domain.windows import parse_window
from controlplane.services.actor import Action, Actor
from controlplane.services.bodies import NewWindow
from controlplane.services.control import Ask, Control, new_id, plain
from controlplane.store import audit
from controlplane.store.guard import windows
from controlplane.store.tables import Window

_FIELDS = ("id", "name", "effect", "cron", "minutes", "zone", "selector", "created_by", "created_at")


def page(control: Control, actor: Actor) -> dict[str, Any]:
    actor.require(Action.READ_FLEET)
    with control.db.read() as session:
        return {"items": [_view(row) for row in windows.every(session)], "next_page_token": None}


def add(control: Control, actor: Actor, body: NewWindow, ask: Ask) -> dict[str, Any]:
    actor.require(Action.CHANGE_FLEET)
    parse_window(body.name, body.effect, body.cron, body.minutes, body.zone, selector=body.selector)
    row = Window(
        id=new_id("win"), created_by=actor.name, created_at=control.now(), **body.model_dump(mode="json")
    )
    with control.db.write() as session:
        view = _view(row)
        windows.add(session, row)
        _record(control, session, actor, ask, "window.added", view)
    return view


def remove(control: Control, actor: Actor, window_id: str, ask: Ask) -> dict[str, Any]:
    actor.require(Action.CHANGE_FLEET)
    with control.db.write() as session:
        windows.remove(session, window_id)
        _record(control, session, actor, ask, "window.removed", {"id": window_id})
    return {"id": window_id}


def _view(row: Window) -> dict[str, Any]:
    return {name: plain(getattr(row, name)) for name in _FIELDS}


def _record(
    control: Control, session: Any, actor: Actor, ask: Ask, action: str, view: dict[str, Any]
) -> None:
    audit.append(
        session,
        at=control.now(),
        actor=actor.name,
        action=action,
        subject=f"window/{view['id']}",
        reason=ask.reason,
        request_id=ask.request_id,
        origin=actor.origin,
        after=view,
    )
