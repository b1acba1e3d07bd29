"""When a slot is well, when somebody is warned, and when it is given up."""

from __future__ import annotations

import pytest

from controlplane.domain.migration.evidence import SlotLook
from controlplane.domain.migration.soaking import Level, judge, log_limit

LIMIT = 4 * 2**30  # of 20 GB


def seen(kept: int | None, *, active: bool = True, is_lost: bool = False) -> SlotLook:
    return SlotLook(exists=True, active=active, lag_bytes=kept, retained_bytes=kept, is_lost=is_lost)


@pytest.mark.parametrize(
    ("slot", "level", "why"),
    [
        (seen(0), Level.WELL, ""),
        (seen(LIMIT // 2), Level.WELL, ""),
        (seen(LIMIT // 2 + 1), Level.BEHIND, f"beyond {LIMIT} it is dropped"),
        (seen(LIMIT), Level.BEHIND, f"keeps {LIMIT} bytes"),
        (seen(LIMIT + 1), Level.OVER, f"{LIMIT} at most"),
        (seen(0, active=False), Level.BEHIND, "nobody reads"),
        (seen(LIMIT + 1, active=False), Level.OVER, "at most"),
        (seen(None), Level.UNKNOWN, "does not say"),
        (seen(None, is_lost=True), Level.GONE, "thrown away"),
        (SlotLook(exists=False), Level.GONE, "not there"),
    ],
)
def test_what_a_slot_keeps_is_judged_by_its_publishers_storage(
    slot: SlotLook, level: Level, why: str
) -> None:
    found, said = judge(slot, 20)
    assert found is level
    assert why in said
    assert bool(said) is (level is not Level.WELL)


def test_more_storage_may_hold_more_of_it() -> None:
    assert log_limit(20) == LIMIT
    assert judge(seen(LIMIT + 1), 100)[0] is Level.WELL
