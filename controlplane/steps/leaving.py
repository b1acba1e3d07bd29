"""The slot that a migration leaves behind: its last snapshot is proven, and only then it goes."""

from __future__ import annotations

from typing import Any

from controlplane.domain.errors import Conflict
from controlplane.domain.migration.states import FINAL, State
from controlplane.steps import credentials, moving, probing, subject
from controlplane.steps.snapshots import archived, prove_final
from controlplane.steps.story import effect, say
from controlplane.steps.world import world
from controlplane.store import moves, slots


@effect("last_snapshot", "taking the leaving database's last snapshot and proving it")
def take_last(operation_id: str) -> dict[str, Any]:
    """Raises unless it is available: then nothing is removed."""
    found = subject.load(operation_id)
    slot = moving.slot_at(found, moving.leaving_epoch(found))
    if slot.epoch == found.the_tenant().epoch:
        raise Conflict(f"e{slot.epoch} is what the tenant's route points to: it is not removed")
    taken = prove_final(operation_id, found, slot)
    if taken is None:
        return {"final_snapshot": None}
    with world().db.write() as session:
        slots.record_final_snapshot(session, found.the_tenant().uid, taken)
    return {"final_snapshot": taken}


@effect("archive_last", "exporting what it holds to the archive")
def archive_last(operation_id: str) -> dict[str, Any]:
    """Raises unless it is there: then nothing is removed."""
    found = subject.load(operation_id)
    slot, uid = moving.slot_at(found, moving.leaving_epoch(found)), found.the_tenant().uid
    with world().db.read() as session:
        taken = dict(slots.get(session, uid, slot.epoch).final_snapshot)
    if not taken:
        return {"final_snapshot": None}
    kept = archived(operation_id, found, slot, taken)
    with world().db.write() as session:
        slots.record_final_snapshot(session, uid, kept)
    return {"final_snapshot": kept}


@effect("require_slot_gone", "making sure that the slot is gone")
def require_gone(operation_id: str) -> None:
    found = subject.load(operation_id)
    for slot in (*found.slots, *found.beside):
        if slot.epoch == moving.leaving_epoch(found):
            probing.require_absent(operation_id, slot)


@effect("forget_slot_secrets", "scheduling the deletion of the slot's secrets")
def forget(operation_id: str) -> None:
    found = subject.load(operation_id)
    credentials.forget_logins(found.the_tenant(), moving.leaving_epoch(found))


@effect("retire_slot", "recording that the slot is gone")
def retire(operation_id: str) -> dict[str, Any]:
    """The migration is over; the snapshot that the target was made from served its purpose."""
    here, row = world(), moving.of(operation_id)
    found = subject.load(operation_id)
    epoch = moving.leaving_epoch(found)
    with here.db.write() as session:
        slots.set_status(session, found.the_tenant().uid, epoch, slots.GONE)
        if row.fenced_epoch == epoch:
            moves.note(session, row.id, fenced_epoch=None, fenced_at=None)
        if State(row.state) not in FINAL:
            moves.enter(session, row.id, State.COMPLETE, here.now(), found.operation.requested_by)
    for name in ("snapshot", "copy"):
        if name in row.receipts:
            here.ports.cloud.delete_snapshot(row.receipts[name]["identifier"])
            say(
                operation_id, "snapshot", f"the temporary snapshot {row.receipts[name]['identifier']} is gone"
            )
    return {"removed": f"e{epoch}", "migration": "complete" if row.state == State.FINALIZING else row.state}
