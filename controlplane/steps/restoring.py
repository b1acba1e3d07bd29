"""What a restore stands on: a snapshot that is there, whole, and of the key that it was recorded with."""

from __future__ import annotations

from typing import Any

from controlplane.domain.errors import Refused
from controlplane.steps import subject
from controlplane.steps.credentials import login
from controlplane.steps.story import effect
from controlplane.steps.world import world


@effect("check_snapshot", "looking at the snapshot")
def check_snapshot(operation_id: str) -> dict[str, Any]:
    """Reads only. A snapshot of another key would plan the replacement of the database."""
    found = subject.load(operation_id)
    slot = next(s for s in found.wanted() if s.epoch == found.payload["slot"]["epoch"])
    name = str(slot.snapshot_identifier)
    snapshot = world().ports.cloud.snapshot(name)
    if snapshot is None or snapshot.status != "available":
        state = snapshot.status if snapshot else "not there"
        raise Refused(
            f"{found.the_tenant().slug} cannot be restored: its snapshot {name} is {state}",
            hint="`tenant show` names the snapshots that were recorded",
        )
    if slot.kms_key_id and snapshot.kms_key_id != slot.kms_key_id:
        raise Refused(
            f"the snapshot {name} is of the key {snapshot.kms_key_id}, recorded was {slot.kms_key_id}",
            hint="copy it with the recorded key, or find out who replaced it",
        )
    return {"snapshot": snapshot.arn, "storage_gb": snapshot.storage_gb}


@effect("open_logins", "opening the application's logins again")
def open_logins(operation_id: str) -> None:
    """The snapshot was taken behind a fence, which it brings with it."""
    found = subject.load(operation_id)
    world().ports.database.unfence(login(found.the_tenant(), found.route_slot(), "cp_control"))
