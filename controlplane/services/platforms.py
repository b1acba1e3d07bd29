"""Platforms: a blueprint's shared part in one environment and cell."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain import launch as checklists
from controlplane.domain.errors import Conflict, Missing
from controlplane.domain.names import WorkspaceId, platform_workspace
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Environment
from controlplane.operations import Platform, PlatformDestruction, PlatformPlan
from controlplane.services import launch, views
from controlplane.services.accept import Intake, invalid_field
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Ask, Control, plain
from controlplane.services.costs.budgets import allowance
from controlplane.store import platforms

_LISTED = (
    "workspace_id",
    "blueprint",
    "environment",
    "cell",
    "region",
    "phase",
    "outputs_version",
    "updated_at",
)


def apply(control: Control, actor: Actor, blueprint: str, body: Platform, ask: Ask) -> dict[str, Any]:
    """Apply the platform; answers the operation. Production waits for every item of the launch checklist."""
    actor.require(Action.CHANGE_PLATFORM)
    workspace, payload = _wanted(control, blueprint, body)
    said = launch.say(control, actor, body.acknowledge)
    with control.db.write() as session:
        if body.environment is Environment.PRODUCTION:
            found = control.catalog.blueprint(blueprint)
            given = launch.answers(control, session, found, body.environment, body.options, said)
            command = f"controlplane blueprint apply {blueprint} --environment production"
            checklists.require(f"applying {blueprint} in production", given, command)
        _require_same_life(control, session, workspace, blueprint, body)
        payload["options"] = _with_budget(control, session, payload)
        platforms.ensure(
            session,
            workspace,
            blueprint=blueprint,
            environment=body.environment.value,
            cell=control.cell,
            region=payload["region"],
            options=payload["options"],
            now=control.now(),
        )
        payload["acknowledged"] = {name: asdict(word) for name, word in said.items()}
        operation = Intake(control, session, actor, ask).accept(Kind.PLATFORM, workspace, payload)
        return views.operation(session, operation)


def plan(control: Control, actor: Actor, blueprint: str, body: PlatformPlan, ask: Ask) -> dict[str, Any]:
    """What an apply would do: an operation that ends with its plan."""
    actor.require(Action.CHANGE_PLATFORM)
    workspace, payload = _wanted(control, blueprint, body)
    with control.db.write() as session:
        payload |= {"variant": "plan", "options": _with_budget(control, session, payload)}
        operation = Intake(control, session, actor, ask).accept(Kind.PLATFORM, workspace, payload)
        return views.operation(session, operation)


def destroy(
    control: Control, actor: Actor, blueprint: str, body: PlatformDestruction, ask: Ask
) -> dict[str, Any]:
    """Take protection off, then everything down; refused while a tenant lives there."""
    actor.require(Action.CHANGE_PLATFORM)
    _require_blueprint(control, blueprint)
    if body.confirm != blueprint:
        raise invalid_field("confirm", f"repeats the blueprint's name: {blueprint}")
    workspace = platform_workspace(blueprint, body.environment.value, control.cell)
    with control.db.write() as session:
        row = platforms.by_workspace(session, workspace)
        if row is None:
            raise Missing(
                f"there is no platform {blueprint} in {body.environment}", hint="controlplane blueprint list"
            )
        _require_empty(session, workspace)
        unprotected = (
            {"protected": False} if "protected" in control.catalog.blueprint(blueprint).options else {}
        )
        payload = {
            **_place(control, blueprint, body.environment, row.region),
            "options": {**row.options, **unprotected},
            "variant": "destroy",
            "destroy": True,
        }
        operation = Intake(control, session, actor, ask).accept(Kind.PLATFORM, workspace, payload)
        return views.operation(session, operation)


def every(control: Control, actor: Actor) -> list[dict[str, Any]]:
    actor.require(Action.READ_FLEET)
    with control.db.read() as session:
        return [{key: plain(getattr(row, key)) for key in _LISTED} for row in platforms.every(session)]


def _wanted(
    control: Control, blueprint: str, body: Platform | PlatformPlan
) -> tuple[WorkspaceId, dict[str, Any]]:
    """The workspace and the payload that is frozen; raises for what the blueprint does not have."""
    _require_blueprint(control, blueprint)
    found = control.catalog.blueprint(blueprint)
    found.option_values(body.environment, body.options)
    place = _place(control, blueprint, body.environment, body.region or control.region)
    return platform_workspace(blueprint, body.environment.value, control.cell), {
        **place,
        "options": body.options,
    }


def _with_budget(control: Control, session: Session, payload: dict[str, Any]) -> dict[str, Any]:
    environment = Environment(payload["environment"])
    place = allowance.Place(payload["blueprint"], environment, payload["region"], payload["cell"])
    return allowance.with_budget(control, session, place, payload["options"])


def _place(control: Control, blueprint: str, environment: Environment, region: str) -> dict[str, Any]:
    return {
        "blueprint": blueprint,
        "environment": environment.value,
        "cell": control.cell,
        "region": region,
    }


def _require_blueprint(control: Control, blueprint: str) -> None:
    if blueprint not in control.catalog.blueprints:
        known = ", ".join(sorted(control.catalog.blueprints))
        raise Missing(
            f"there is no blueprint {blueprint!r}; known: {known}", hint="controlplane blueprint list"
        )


def _require_same_life(
    control: Control, session: Session, workspace: str, blueprint: str, body: Platform
) -> None:
    """The shared database's name and secrets carry its life: of one that is there it cannot change."""
    found, row = control.catalog.blueprint(blueprint), platforms.by_workspace(session, workspace)
    if not found.is_shared or row is None or not row.outputs:
        return
    lives = [
        found.option_values(body.environment, options)["database_life"]
        for options in (row.options, body.options)
    ]
    if lives[0] != lives[1]:
        raise Conflict(
            f"the database of {workspace} is there in its life {lives[0]}, which stays until it is destroyed",
            hint=f"--option database_life={lives[0]}",
        )


def _require_empty(session: Session, workspace: str) -> None:
    living = platforms.tenants_on(session, workspace)
    if living:
        raise Conflict(
            f"{len(living)} tenants live on {workspace}: {', '.join(living[:5])}",
            hint=f"controlplane tenant destroy {living[0]} --confirm {living[0]}",
            details={"tenants": living},
        )
