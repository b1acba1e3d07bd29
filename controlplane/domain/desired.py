"""What an operation wants its tenant's slots to be: pure overlays on what is recorded.

The recorded desired spec changes when a change begins to be applied, not when it is asked for: a plan that
is rejected leaves nothing to take back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Size
from controlplane.domain.workspace import SlotSpec


def wanted_slots(
    kind: Kind, payload: Mapping[str, Any], slots: Sequence[SlotSpec], route_epoch: int
) -> tuple[SlotSpec, ...]:
    """The slots as an operation wants them."""
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
