"""Whether rows still come back while a tenant soaks, and when waiting for them costs more than it is worth.

The new database keeps the log of what the old one has not taken yet: that fills the disk of who serves.
"""

from __future__ import annotations

from enum import StrEnum

from controlplane.domain.migration.evidence import SlotLook

_GIB = 2**30
_SHARE = 5  # the log that a slot keeps may take a fifth of its publisher's storage
_WARNED_AT = 2  # half of that is worth a warning


class Level(StrEnum):
    WELL = "well"
    BEHIND = "behind"  # worth a warning
    UNKNOWN = "unknown"  # worth one, too
    OVER = "over"  # it keeps more than it may
    GONE = "gone"  # it can bring nothing back any more


WARNED = frozenset({Level.BEHIND, Level.UNKNOWN})
LOST = frozenset({Level.OVER, Level.GONE})


def log_limit(storage_gb: int) -> int:
    """How many bytes of its publisher's log a slot may keep."""
    return storage_gb * _GIB // _SHARE


def judge(slot: SlotLook, storage_gb: int) -> tuple[Level, str]:
    """How it stands, and why in words. What was not told is no zero."""
    if not slot.exists:
        return Level.GONE, "the slot is not there any more"
    if slot.is_lost:
        return Level.GONE, "the server has thrown away the log that the slot needs"
    if slot.retained_bytes is None:
        return Level.UNKNOWN, "the server does not say how much log the slot keeps"
    return _by_size(slot.retained_bytes, log_limit(storage_gb), active=slot.active)


def _by_size(kept: int, limit: int, *, active: bool) -> tuple[Level, str]:
    said = f"the slot keeps {kept} bytes of the new database's disk"
    if kept > limit:
        return Level.OVER, f"{said}, {limit} at most"
    if kept > limit // _WARNED_AT:
        return Level.BEHIND, f"{said}; beyond {limit} it is dropped"
    if not active:
        return Level.BEHIND, "nobody reads from the slot: the old database takes nothing"
    return Level.WELL, ""
