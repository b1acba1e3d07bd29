"""Snapshots that a tenant's life depends on: of deterministic names, and proven, or nothing goes on."""

from __future__ import annotations

import time
from typing import Any

from controlplane.domain.errors import Conflict
from controlplane.domain.workspace import SlotSpec
from controlplane.ports import Snapshot
from controlplane.steps import subject
from controlplane.steps.credentials import login, secret_of, tags_of
from controlplane.steps.story import effect, say
from controlplane.steps.world import world
from controlplane.store import slots

_WAIT_SECONDS = 7200


@effect("fence", "closing the application's logins")
def fence(operation_id: str) -> dict[str, Any]:
    """Before the last snapshot nobody may write any more. Running it again finds nobody to end."""
    found = subject.load(operation_id)
    tenant, slot = found.the_tenant(), found.route_slot()
    instance = world().ports.cloud.database(slot.identifier)
    if slot.adopted:
        say(operation_id, "warning", f"{slot.identifier} was adopted and no login is known: nobody is fenced")
        return {"fenced": False}
    if instance is None or instance.status == "stopped":
        say(operation_id, "warning", f"{slot.identifier} is not running: there is nobody to fence")
        return {"fenced": False}
    if not world().ports.cloud.secret_exists(secret_of(tenant, slot.epoch, "cp_control")):
        say(operation_id, "warning", f"{slot.identifier} never got its logins: there is nobody to fence")
        return {"fenced": False}
    ended = world().ports.database.fence(login(tenant, slot, "cp_control"))
    return {"fenced": True, "sessions_ended": ended}


@effect("final_snapshot", "taking the final snapshot and proving it")
def take_final(operation_id: str) -> dict[str, Any]:
    """The teardown receipt. Raises unless every slot's snapshot is available: then nothing is deleted."""
    found = subject.load(operation_id)
    receipts = []
    for slot in found.slots:
        taken = prove_final(operation_id, found, slot)
        receipts += [taken] if taken else []
    here = world()
    with here.db.write() as session:
        for one in receipts:
            slots.record_final_snapshot(session, found.the_tenant().uid, one)
    return {"final_snapshots": receipts}


def prove_final(operation_id: str, found: subject.Subject, slot: SlotSpec) -> dict[str, Any] | None:
    """The last snapshot of one slot; None where there is no database any more."""
    if world().ports.cloud.database(slot.identifier) is None:
        say(operation_id, "warning", f"{slot.identifier} does not exist: there is nothing to snapshot")
        return None
    tags = tags_of(found.the_tenant(), slot)
    return receipt(prove(f"{slot.identifier}-teardown", slot.identifier, tags))


@effect("pre_snapshot", "taking a snapshot before the change")
def take_before(operation_id: str) -> dict[str, Any]:
    """One per operation, so that a change that goes wrong has its own way back."""
    found = subject.load(operation_id)
    slot = found.route_slot()
    name = f"{slot.identifier}-before-{operation_id.lower()}"
    return receipt(prove(name, slot.identifier, tags_of(found.the_tenant(), slot)))


def prove(identifier: str, database: str, tags: dict[str, str]) -> Snapshot:
    """Take it unless it is there, and wait until AWS calls it available."""
    cloud = world().ports.cloud
    return await_available(cloud.snapshot(identifier) or cloud.create_snapshot(identifier, database, tags))


def await_available(taken: Snapshot) -> Snapshot:
    cloud = world().ports.cloud
    deadline = time.monotonic() + _WAIT_SECONDS
    while taken.status != "available":
        if taken.status == "failed" or time.monotonic() > deadline:
            raise Conflict(
                f"the snapshot {taken.identifier} is {taken.status}: nothing is changed without it",
                hint="look at the snapshot in AWS, then: controlplane operation retry ID",
            )
        time.sleep(world().poll_seconds)
        taken = cloud.snapshot(taken.identifier) or taken
    return taken


def receipt(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "identifier": snapshot.identifier,
        "arn": snapshot.arn,
        "database": snapshot.database,
        "storage_gb": snapshot.storage_gb,
        "encrypted": snapshot.encrypted,
        "kms_key_id": snapshot.kms_key_id,
        "created_at": snapshot.created_at.isoformat() if snapshot.created_at else None,
    }
