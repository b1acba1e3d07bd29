"""Snapshots that a tenant's life depends on: of deterministic names, and proven, or nothing goes on; and the
archive that the last of them is exported to."""

from __future__ import annotations

import time
from typing import Any

from controlplane.domain.errors import Conflict
from controlplane.domain.names import slot_key
from controlplane.domain.tenant import Environment
from controlplane.domain.workspace import SlotSpec
from controlplane.ports import ArchivePlace, Export, Snapshot
from controlplane.steps import subject
from controlplane.steps.credentials import login, secret_of, tags_of
from controlplane.steps.story import effect, say
from controlplane.steps.world import world
from controlplane.store import slots

_WAIT_SECONDS = 7200
_EXPORT_SECONDS = 24 * 3600  # RDS restores the snapshot first; large ones take hours
_SLOWEST_LOOK = 30.0
_OVER = ("complete", "failed", "canceled")


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
    for slot in (*found.slots, *found.beside):
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


@effect("archive", "exporting what is left to the archive")
def archive(operation_id: str) -> dict[str, Any]:
    """Raises unless every final snapshot's rows are in the bucket: then nothing is deleted."""
    found = subject.load(operation_id)
    uid = found.the_tenant().uid
    with world().db.read() as session:
        every = (*found.slots, *found.beside)
        taken = {slot.epoch: dict(slots.get(session, uid, slot.epoch).final_snapshot) for slot in every}
    kept = [archived(operation_id, found, s, taken[s.epoch]) for s in every if taken[s.epoch]]
    with world().db.write() as session:
        for one in kept:
            slots.record_final_snapshot(session, uid, one)
    return {"final_snapshots": kept}


def archived(
    operation_id: str, found: subject.Subject, slot: SlotSpec, taken: dict[str, Any]
) -> dict[str, Any]:
    """The receipt of a proven snapshot, with where its rows lie as files, or why they do not."""
    place = _archive_of(found, slot)
    wanted = found.payload.get("archive", True)
    if place is None or not wanted:
        why = "its platform has no archive" if wanted else f"{found.operation.requested_by} wanted none"
        say(operation_id, "warning", f"{slot.identifier} is not archived: {why}")
        return {**taken, "archive": {"skipped": why}}
    done = _await_export(operation_id, _exported(found, slot, taken["arn"], place))
    return {**taken, "archive": {"export": done.identifier, "bucket": done.bucket, "prefix": done.prefix}}


def _archive_of(found: subject.Subject, slot: SlotSpec) -> ArchivePlace | None:
    home = found.homes.get(slot.environment or Environment(found.the_tenant().environment), {})
    bucket, role = home.get("archive_bucket"), home.get("archive_role_arn")
    return ArchivePlace(str(bucket), str(role), str(home["database_key_arn"])) if bucket and role else None


def _exported(found: subject.Subject, slot: SlotSpec, arn: str, place: ArchivePlace) -> Export:
    """What an earlier try began is gone on with; only after one that failed another is begun."""
    cloud = world().ports.cloud
    tries = cloud.exports(arn)
    good = [one for one in tries if one.status not in ("failed", "canceling", "canceled")]
    if good:
        return good[-1]
    name = f"{found.the_tenant().uid}-{slot_key(slot.epoch)}-archive-{len(tries) + 1}"
    return cloud.export_snapshot(name, arn, f"databases/{slot.identifier}", place)


def _await_export(operation_id: str, begun: Export) -> Export:
    deadline, pause = time.monotonic() + _EXPORT_SECONDS, world().poll_seconds
    while begun.status not in _OVER and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(1.5 * pause, _SLOWEST_LOOK)
        seen = world().ports.cloud.exports(begun.snapshot_arn)
        begun = next((one for one in seen if one.identifier == begun.identifier), begun)
    if begun.status != "complete":
        raise Conflict(
            f"the export {begun.identifier} to {begun.bucket} is {begun.status}, and nothing goes without it"
            + (f" ({begun.problem})" if begun.problem else ""),
            hint=f"mend it, then: controlplane operation settle {operation_id}; `destroy --no-archive` does "
            "without",
        )
    return begun


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
