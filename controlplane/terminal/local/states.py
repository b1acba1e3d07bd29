"""Terraform states in this process: those that the catalog keeps, opened with this machine's key."""

from __future__ import annotations

import json
from typing import Any

from controlplane import wiring
from controlplane.services.actor import Actor
from controlplane.services.asking import Way
from controlplane.services.control import Control
from controlplane.services.workspaces import states
from controlplane.settings import Settings

Answer = dict[str, Any]


def page(settings: Settings, control: Control, actor: Actor, workspace: str) -> Answer:
    found = states.versions(_desk(settings, control), actor, workspace)
    return {"items": found, "next_page_token": None}


def read(settings: Settings, control: Control, actor: Actor, workspace: str, serial: int | None) -> Answer:
    """Empty where there is none yet."""
    found = states.read(_desk(settings, control), actor, workspace, serial)
    return dict(json.loads(found)) if found else {}


def restore(
    settings: Settings, control: Control, actor: Actor, workspace: str, serial: int, way: Way
) -> Answer:
    return states.put_back(_desk(settings, control), actor, workspace, serial, way)


def _desk(settings: Settings, control: Control) -> states.Desk:
    return states.Desk(control, wiring.states(settings, control.db))
