"""An upgrade on the same database: class, storage, standby and backups, after a snapshot of its own."""

from __future__ import annotations

from typing import Any

from controlplane.domain.errors import Conflict, Refused
from controlplane.domain.migration.states import State
from controlplane.steps import moving, subject
from controlplane.steps.credentials import application_role, login
from controlplane.steps.story import effect
from controlplane.steps.world import world


@effect("check_in_place", "looking whether it can be done in place")
def check(operation_id: str) -> dict[str, Any]:
    """What RDS would refuse in the middle of it. Reads only."""
    found, row = subject.load(operation_id), moving.of(operation_id)
    slot = moving.slot_at(found, row.from_epoch)
    instance = world().ports.cloud.database(slot.identifier)
    if instance is None:
        raise Conflict(
            f"the database {slot.identifier} is not there", hint="controlplane tenant explain SLUG"
        )
    wanted = int(found.payload["slot"]["storage_gb"])
    if instance.storage_gb > wanted:
        raise Refused(
            f"{slot.identifier} has grown to {instance.storage_gb} GB by itself: storage never shrinks",
            hint=f"--storage-gb {instance.storage_gb}",
        )
    if instance.pending:
        raise Refused(f"{slot.identifier} still holds back {', '.join(sorted(instance.pending))}")
    return {"class": instance.instance_class, "storage_gb": instance.storage_gb}


@effect("canary", "asking the database as the application would")
def verify(operation_id: str) -> dict[str, Any]:
    found, row = subject.load(operation_id), moving.of(operation_id)
    moving.reach(row.id, State.TARGET_READY)
    tenant, slot = found.the_tenant(), found.route_slot()
    answer = world().ports.database.probe(login(tenant, slot, application_role(tenant, slot)))
    check_ = {"id": "V6", "name": "canary write", "passed": answer.reachable, "detail": answer.detail}
    report = {"passed": answer.reachable, "at": world().now().isoformat(), "checks": [check_], "digest": ""}
    moving.keep(row.id, "verification", report)
    if not answer.reachable:
        raise Conflict(
            f"{slot.identifier} was changed and does not answer: {answer.detail}",
            hint=f"controlplane operation settle {operation_id}",
        )
    moving.reach(row.id, State.VERIFIED)
    return {"server_version": answer.server_version}


@effect("finish_in_place", "ending the migration")
def finish(operation_id: str) -> dict[str, Any]:
    """There is no other database to keep: the way back is another change, or the snapshot."""
    row = moving.of(operation_id)
    for state in (State.OPEN, State.COMPLETE):
        moving.reach(row.id, state)
    return {"migration": "complete", "epoch": row.to_epoch}
