"""What an operation wants its tenant's slots to be, round by round: pure overlays on what is recorded.

The recorded desired spec changes when a change begins to be applied, not when it is asked for: a plan that
is rejected leaves nothing to take back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from controlplane.domain.names import Slug, TenantUid, database_identifier
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Size, Stage
from controlplane.domain.workspace import SlotSpec

POC_BACKUP_DAYS, PRODUCTION_BACKUP_DAYS = 1, 7


def first_slot(slug: Slug, uid: TenantUid, epoch: int, stage: Stage, size: Size, storage_gb: int) -> SlotSpec:
    """The slot of a new tenant. Its password is sent while it is created, and by no later plan."""
    production = stage is Stage.PRODUCTION
    return SlotSpec(
        epoch=epoch,
        identifier=database_identifier(slug, uid, epoch),
        size=size,
        storage_gb=storage_gb,
        multi_az=production,
        backup_days=PRODUCTION_BACKUP_DAYS if production else POC_BACKUP_DAYS,
        credential_write=True,
    )


def wanted_slots(
    kind: Kind, round_: int, payload: Mapping[str, Any], slots: Sequence[SlotSpec], route_epoch: int
) -> tuple[SlotSpec, ...]:
    """The slots as the given round of an operation wants them."""
    if kind is Kind.RESIZE:
        return tuple(_resized(s, payload) if s.epoch == route_epoch else s for s in slots)
    if kind is Kind.DESTROY:
        # Two applies: what protects goes first, since alarms would be destroyed before the delete is refused.
        return tuple(replace(s, protected=False, alarms=False, credential_write=False) for s in slots)
    return tuple(slots)


def _resized(slot: SlotSpec, payload: Mapping[str, Any]) -> SlotSpec:
    size, storage = payload.get("size"), payload.get("storage_gb")
    return replace(
        slot,
        size=Size(size) if size else slot.size,
        storage_gb=int(storage) if storage else slot.storage_gb,
        credential_write=False,
    )
