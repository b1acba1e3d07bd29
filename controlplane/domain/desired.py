"""What an operation wants its tenant's slots to be: pure overlays on what is recorded.

The recorded desired spec changes when a change begins to be applied, not when it is asked for: a plan that
is rejected leaves nothing to take back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from enum import StrEnum
from typing import Any

from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Environment, Size, Stage, cost_tier
from controlplane.domain.workspace import SlotSpec


def wanted_slots(
    kind: Kind, payload: Mapping[str, Any], slots: Sequence[SlotSpec], route_epoch: int
) -> tuple[SlotSpec, ...]:
    """The slots as an operation wants them."""
    if kind is Kind.RESIZE:
        return tuple(_resized(s, payload) if s.epoch == route_epoch else s for s in slots)
    if kind is Kind.ROTATE and "credential_version" in payload:
        return tuple(_with_new_master(s, payload) if s.epoch == route_epoch else s for s in slots)
    if kind in (Kind.RESTORE, Kind.UPGRADE, Kind.DRILL):
        new = slot_from(payload["slot"])
        if kind is Kind.DRILL and payload.get("round"):
            new = _bare(new)
        return (*(s for s in slots if s.epoch != new.epoch), new)
    if kind in (Kind.FINALIZE, Kind.ROLLBACK):
        slots = (*slots, *_taken_again(payload, slots))
        return _without(slots, int(payload["leaving"]), int(payload["removed_in"]) - int(payload["round"]))
    if kind is Kind.DESTROY:
        # Two applies: what protects goes first, since alarms would be destroyed before the delete is refused.
        return tuple(_bare(s) for s in slots)
    return tuple(slots)


def _taken_again(payload: Mapping[str, Any], slots: Sequence[SlotSpec]) -> tuple[SlotSpec, ...]:
    """What a switchover left becomes a slot again, for a way back; once it is one, it stays as it is."""
    old = slot_from(payload["slot"]) if "slot" in payload else None
    return () if old is None or any(s.epoch == old.epoch for s in slots) else (old,)


def _bare(slot: SlotSpec) -> SlotSpec:
    return replace(slot, protected=False, alarms=False, credential_write=False)


def _without(slots: Sequence[SlotSpec], epoch: int, rounds_left: int) -> tuple[SlotSpec, ...]:
    """A slot leaves in two rounds: what protects it goes first, then the slot itself."""
    if rounds_left > 1:
        return tuple(slots)
    if rounds_left == 1:
        return tuple(_bare(s) if s.epoch == epoch else s for s in slots)
    return tuple(s for s in slots if s.epoch != epoch)


def _resized(slot: SlotSpec, payload: Mapping[str, Any]) -> SlotSpec:
    size, storage = payload.get("size"), payload.get("storage_gb")
    return replace(
        slot,
        size=Size(size) if size else slot.size,
        storage_gb=int(storage) if storage else slot.storage_gb,
        credential_write=False,
    )


def _with_new_master(slot: SlotSpec, payload: Mapping[str, Any]) -> SlotSpec:
    """The version was fixed when the request was accepted: planned twice, it is the same one."""
    version = int(payload["credential_version"])
    return replace(slot, credential_version=version, credential_write=True, adopted=False)


def wanted_of_tenant(
    kind: Kind, payload: Mapping[str, Any], slots: Sequence[SlotSpec], route_epoch: int, stage: Stage
) -> dict[str, Any]:
    """What of the tenant's own row follows from the slots that an operation wants."""
    if kind is Kind.UPGRADE and payload["slot"]["epoch"] == payload["source_epoch"]:
        return dict(payload["after"])  # in place; otherwise the tenant's row follows the switch
    if kind is not Kind.RESIZE:
        return {}
    slot = next(s for s in wanted_slots(kind, payload, slots, route_epoch) if s.epoch == route_epoch)
    tier = cost_tier(stage, slot.size)
    return {"size": slot.size.value, "storage_gb": slot.storage_gb, "cost_tier": tier}


def slot_to_json(slot: SlotSpec) -> dict[str, Any]:
    """A slot within a payload, frozen with it."""
    return {name: str(v) if isinstance(v, StrEnum) else v for name, v in asdict(slot).items()}


_WORDS: Mapping[str, type[StrEnum]] = {"size": Size, "stage": Stage, "environment": Environment}


def slot_from(values: Mapping[str, Any]) -> SlotSpec:
    words = {name: kind(values[name]) for name, kind in _WORDS.items() if values.get(name) is not None}
    return SlotSpec(**{**values, **words})
