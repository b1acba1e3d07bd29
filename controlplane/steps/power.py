"""Stopping and starting databases. Each look decides what is asked for: run twice, nothing doubles."""

from __future__ import annotations

import time
from typing import Any

from controlplane.domain.errors import Conflict
from controlplane.ports import DatabaseInstance
from controlplane.steps import subject
from controlplane.steps.story import effect, say
from controlplane.steps.world import world

_WAIT_SECONDS = 3600
_ON, _OFF = "available", "stopped"
_LOST = frozenset({"failed", "deleting", "inaccessible-encryption-credentials", "incompatible-restore"})


@effect("stop_database", "stopping the database")
def stop(operation_id: str) -> dict[str, Any]:
    found = subject.load(operation_id)
    return {"stopped": [_bring(slot.identifier, _OFF) for slot in found.slots]}


@effect("start_database", "starting the database")
def start(operation_id: str) -> dict[str, Any]:
    found = subject.load(operation_id)
    return {"started": [_bring(slot.identifier, _ON) for slot in found.slots]}


@effect("wake_database", "starting the database for the change")
def wake(operation_id: str) -> dict[str, Any]:
    """RDS changes no database that is stopped."""
    found = subject.load(operation_id)
    woken = []
    for slot in found.slots:
        instance = world().ports.cloud.database(slot.identifier)
        if instance is not None and instance.status in (_OFF, "stopping", "starting"):
            say(operation_id, "warning", f"{slot.identifier} is {instance.status}: it is started first")
            woken.append(_bring(slot.identifier, _ON))
    return {"woken": woken}


def _bring(identifier: str, status: str) -> str:
    """Ask when it can be asked, wait otherwise."""
    cloud = world().ports.cloud
    ask, from_ = (cloud.stop_database, _ON) if status == _OFF else (cloud.start_database, _OFF)
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        instance = _living(identifier)
        if instance.status == status:
            return identifier
        if time.monotonic() > deadline:
            raise Conflict(
                f"the database {identifier} is {instance.status} and not {status} after {_WAIT_SECONDS} s",
                hint="look at it in AWS, then: controlplane operation settle ID",
            )
        if instance.status == from_:
            ask(identifier)
        time.sleep(world().poll_seconds)


def _living(identifier: str) -> DatabaseInstance:
    instance = world().ports.cloud.database(identifier)
    if instance is None or instance.status in _LOST:
        status = instance.status if instance else "not there"
        raise Conflict(
            f"the database {identifier} is {status}",
            hint="`catalog orphans` tells what became of it; `tenant restore` brings its data back",
        )
    return instance
