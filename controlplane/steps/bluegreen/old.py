"""The side that a switchover left: it is only read, and belongs to the migration, not to Terraform."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from controlplane.domain.errors import Conflict
from controlplane.domain.migration.states import Strategy
from controlplane.steps import credentials, moving, subject
from controlplane.steps.bluegreen import green
from controlplane.steps.story import effect
from controlplane.steps.subject import Subject
from controlplane.steps.world import world
from controlplane.store import moves

_WAIT_SECONDS = 3600.0
_GONE = ("",)
_TO_BE_DELETED = ("available", "stopped", "failed", "deleting", *_GONE)


@effect("remove_old_side", "removing the side that the switchover left")
def remove(operation_id: str) -> dict[str, Any]:
    """Its last snapshot is proven. The deployment goes first: RDS deletes no side of one, and needs a moment
    to let it go."""
    found = subject.load(operation_id)
    _end_deployment(found)
    for slot in found.beside:
        name = slot.identifier
        _await(partial(_is, name, _TO_BE_DELETED), f"RDS does not let {name} go")
        world().ports.cloud.delete_database(name)
        _await(partial(_is, name, _GONE), f"{name} is still there")
    return {"gone": [slot.identifier for slot in found.beside]}


@effect("free_old_side", "making the side that was left one that may be written")
def free(operation_id: str) -> None:
    """RDS keeps it read-only as long as the deployment stands; without that it is a database like any."""
    found = subject.load(operation_id)
    _end_deployment(found)
    for slot in found.beside:
        name = slot.identifier
        if not _status(name):
            raise Conflict(f"{name} is gone: there is nothing to go back to")
        _await(partial(_is, name, ("available",)), f"{name} does not become available")


def _status(identifier: str) -> str:
    """Empty: it is gone."""
    found = world().ports.cloud.database(identifier)
    return found.status if found is not None else ""


def _is(identifier: str, statuses: Collection[str]) -> bool:
    return _status(identifier) in statuses


def _end_deployment(found: Subject) -> None:
    """Of the migration that is not over, whatever became of it; a green side goes with it."""
    with world().db.read() as session:
        row = moves.current(session, found.the_tenant().uid)
    if row is not None and row.strategy == Strategy.RDS_BLUE_GREEN:
        _await(lambda: green.end(row), "RDS does not let the deployment go")


def _await(holds: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise Conflict(f"{otherwise} after {_WAIT_SECONDS:.0f} s", hint="look at it in RDS, then go on")
        time.sleep(world().poll_seconds)


@effect("old_side_logins", "giving the side that was left its own passwords")
def make_logins(operation_id: str) -> None:
    """It has those of its twin as they were; from now on it is a database of its own."""
    found, row = subject.load(operation_id), moving.of(operation_id)
    credentials.make_logins(found.the_tenant(), moving.slot_at(found, row.from_epoch))
