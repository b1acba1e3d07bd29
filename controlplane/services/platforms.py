"""Platforms: a blueprint's shared part in one environment and cell."""

from __future__ import annotations

from typing import Any

from controlplane.domain.errors import Missing
from controlplane.domain.names import platform_workspace
from controlplane.domain.operation import Kind
from controlplane.operations import Platform
from controlplane.services import views
from controlplane.services.accept import Intake
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Ask, Control, plain
from controlplane.store import platforms


def apply(control: Control, actor: Actor, blueprint: str, body: Platform, ask: Ask) -> dict[str, Any]:
    """Apply the platform; answers the operation."""
    actor.require(Action.CHANGE_PLATFORM)
    if blueprint not in control.catalog.blueprints:
        known = ", ".join(sorted(control.catalog.blueprints))
        raise Missing(
            f"there is no blueprint {blueprint!r}; known: {known}", hint="controlplane blueprint list"
        )
    region = body.region or control.region
    workspace = platform_workspace(blueprint, body.environment.value, control.cell)
    payload = {
        "blueprint": blueprint,
        "environment": body.environment.value,
        "cell": control.cell,
        "region": region,
        "options": body.options,
    }
    with control.db.write() as session:
        platforms.ensure(
            session,
            workspace,
            blueprint=blueprint,
            environment=body.environment.value,
            cell=control.cell,
            region=region,
            options=body.options,
            now=control.now(),
        )
        operation = Intake(control, session, actor, ask).accept(Kind.PLATFORM, workspace, payload)
        return views.operation(session, operation)


def every(control: Control, actor: Actor) -> list[dict[str, Any]]:
    actor.require(Action.READ_FLEET)
    keys = (
        "workspace_id",
        "blueprint",
        "environment",
        "cell",
        "region",
        "phase",
        "outputs_version",
        "updated_at",
    )
    with control.db.read() as session:
        return [{key: plain(getattr(row, key)) for key in keys} for row in platforms.every(session)]
