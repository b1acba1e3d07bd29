"""A blueprint's launch checklist: what its rendering proves, and what people answered for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy.orm import Session

from controlplane.catalog.values import Blueprint
from controlplane.domain import launch
from controlplane.domain.launch import Acknowledgement, LaunchAnswer
from controlplane.domain.names import platform_workspace
from controlplane.domain.tenant import Environment
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Control
from controlplane.store import platforms


def checklist(
    control: Control, actor: Actor, blueprint: str, environment: Environment = Environment.PRODUCTION
) -> dict[str, Any]:
    """Every item with its evidence, or with what it still needs."""
    actor.require(Action.READ_FLEET)
    found = control.catalog.blueprint(blueprint)
    workspace = platform_workspace(blueprint, environment.value, control.cell)
    with control.db.read() as session:
        row = platforms.by_workspace(session, workspace)
        options = dict(row.options) if row else {}
        given = answers(control, session, found, environment, options)
    return {
        "blueprint": blueprint,
        "environment": environment.value,
        "open": sum(not answer.is_met for answer in given),
        "items": [answer.to_json() for answer in given],
    }


def answers(
    control: Control,
    session: Session,
    blueprint: Blueprint,
    environment: Environment,
    options: Mapping[str, Any],
    now_said: Mapping[str, Acknowledgement] | None = None,
) -> list[LaunchAnswer]:
    workspace = platform_workspace(blueprint.name, environment.value, control.cell)
    said = {
        name: Acknowledgement(word["by"], word["at"])
        for payload in platforms.payloads(session, workspace)
        for name, word in payload.get("acknowledged", {}).items()
    }
    values = blueprint.option_values(environment, options)
    return launch.answers(control.catalog.launch, _wired(blueprint, values), {**said, **(now_said or {})})


def say(control: Control, actor: Actor, names: Collection[str]) -> dict[str, Acknowledgement]:
    """What the caller answers for, from now on."""
    launch.check_known(control.catalog.launch, names)
    at = control.now().isoformat(timespec="seconds")
    return {name: Acknowledgement(actor.name, at) for name in names}


def _wired(blueprint: Blueprint, values: Mapping[str, Any]) -> dict[str, list[str]]:
    """The calls of each module, of platform and tenants, but for those that an option leaves out."""
    calls = defaultdict[str, list[str]](list)
    for wired in (*blueprint.platform.modules, *blueprint.tenant.modules):
        if not wired.when or values.get(wired.when.removeprefix("var.")):
            calls[wired.module].append(wired.name)
    return calls
