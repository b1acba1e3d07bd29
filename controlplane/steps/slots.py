"""The recorded slots of a tenant: wanted, present, gone."""

from __future__ import annotations

from dataclasses import replace

from controlplane.steps import subject
from controlplane.steps.story import effect
from controlplane.steps.world import world
from controlplane.store import moves, slots


@effect("settle_slots", "recording the slots as they are now")
def settle(operation_id: str) -> None:
    """What the operation wanted is what is there; the password's gate is closed again."""
    here = world()
    wanted = subject.load(operation_id).wanted()
    seen = [here.ports.cloud.database(slot.identifier) for slot in wanted]
    with here.db.write() as session:
        uid = subject.read(session, operation_id).the_tenant().uid
        for slot, instance in zip(wanted, seen, strict=True):
            slots.save(session, uid, replace(slot, credential_write=False), status="present")
            if instance is not None:
                slots.record_resource(session, uid, slot.epoch, instance.resource_id)


@effect("retire_slots", "recording that the slots are gone")
def retire(operation_id: str) -> None:
    here = world()
    with here.db.write() as session:
        found = subject.read(session, operation_id)
        slots.retire(session, found.the_tenant().uid)
        moves.end_with_tenant(session, found.the_tenant().uid, here.now(), found.operation.requested_by)
