"""What a restore stands on: a snapshot that is there, whole, of the key that it was recorded with; or backups
that reach the moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from controlplane.domain.errors import Refused
from controlplane.domain.workspace import SlotSpec
from controlplane.ports import BackupWindow
from controlplane.steps import subject
from controlplane.steps.credentials import login
from controlplane.steps.story import effect
from controlplane.steps.world import world


@effect("check_snapshot", "looking at what it is restored from")
def check_snapshot(operation_id: str) -> dict[str, Any]:
    """Reads only."""
    found = subject.load(operation_id)
    slot = next(s for s in found.wanted() if s.epoch == found.payload["slot"]["epoch"])
    if world().ports.cloud.database(slot.identifier) is not None:
        return {}  # an earlier try has made it: from what, is past
    return _check_backups(found, slot) if slot.backup_source else _check_snapshot(found, slot)


def _check_backups(found: subject.Subject, slot: SlotSpec) -> dict[str, Any]:
    slug, source = found.payload.get("from") or found.the_tenant().slug, str(slot.backup_source)
    window = world().ports.cloud.backup_window(source)
    if window is None or window.earliest is None or window.latest is None:
        raise Refused(
            f"{slug} has no backups that anything could be restored from ({source})",
            hint="a torn-down tenant's final snapshot needs no time: leave --at out",
        )
    reach = f"{window.earliest:%Y-%m-%dT%H:%M:%SZ} to {window.latest:%Y-%m-%dT%H:%M:%SZ}"
    if slot.backup_time and not _reaches(window, slot.backup_time):
        raise Refused(
            f"the backups of {window.identifier} reach from {reach}: {slot.backup_time} is not within",
            hint="say a time within: --at",
        )
    return {"backups": window.arn, "reach": reach, "storage_gb": window.storage_gb}


def _reaches(window: BackupWindow, time: str) -> bool:
    at = datetime.fromisoformat(time)
    return bool(window.earliest and window.latest and window.earliest <= at <= window.latest)


def _check_snapshot(found: subject.Subject, slot: SlotSpec) -> dict[str, Any]:
    """A snapshot of another key would plan the replacement of the database."""
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
