"""A wave as doors ask for it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from controlplane.services import waves
from controlplane.services.actor import Actor
from controlplane.services.bodies import NewWave
from controlplane.services.control import Ask, Control


def start(control: Control, actor: Actor, body: NewWave, ask: Ask) -> dict[str, Any]:
    percent = None if body.abort_after_percent is None else Decimal(str(body.abort_after_percent))
    bulk = waves.Bulk(body.kind, body.selector, body.body, body.size, body.canary, percent)
    return waves.start(control, actor, bulk, ask)
