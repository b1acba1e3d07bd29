"""Bulk changes in waves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.errors import Invalid
from controlplane.domain.waves import ENDED, FAILED, GOOD, Item, Wave, WaveStatus, check_wave, next_actions

RUNNING, ABORTED, DONE, PAUSED = WaveStatus.RUNNING, WaveStatus.ABORTED, WaveStatus.DONE, WaveStatus.PAUSED


def _items(*statuses: str) -> list[Item]:
    return [Item(i, status) for i, status in enumerate(statuses)]


def _next(wave: Wave, *statuses: str) -> tuple[WaveStatus, tuple[int, ...]]:
    found = next_actions(wave, _items(*statuses))
    return found.status, found.start


def test_the_canary_goes_alone() -> None:
    wave = Wave(size=2, canary=1)
    assert _next(wave, *["waiting"] * 4) == (RUNNING, (0,))
    assert _next(wave, "started", "waiting", "waiting", "waiting") == (RUNNING, ())
    assert _next(wave, "succeeded", "waiting", "waiting", "waiting") == (RUNNING, (1, 2))


def test_the_next_batch_waits_for_the_whole_one_before() -> None:
    wave = Wave(size=2)
    assert _next(wave, "succeeded", "started", "waiting") == (RUNNING, ())
    assert _next(wave, "succeeded", "no_changes", "waiting") == (RUNNING, (2,))
    assert _next(wave, "waiting", "started", "waiting") == (RUNNING, (0,)), "a start that got lost is made up"


@pytest.mark.parametrize("bad", sorted(ENDED - GOOD))
def test_a_canary_that_did_not_succeed_aborts_the_wave(bad: str) -> None:
    found = next_actions(Wave(size=5, canary=1), _items(bad, "waiting"))
    assert found.status is ABORTED and bad in found.reason and not found.start


@pytest.mark.parametrize("bad", sorted(FAILED))
def test_too_many_failures_abort_and_as_many_as_allowed_do_not(bad: str) -> None:
    wave = Wave(size=100, abort_after_percent=Decimal("2"))
    assert _next(wave, *[bad] * 2, *["started"] * 98) == (RUNNING, ())
    found = next_actions(wave, _items(*[bad] * 3, *["started"] * 97))
    assert found.status is ABORTED and found.reason == "3 of 100 failed, more than 2 percent"


def test_zero_percent_aborts_at_the_first_failure_and_none_never() -> None:
    assert _next(Wave(1, abort_after_percent=Decimal(0)), "failed", "waiting")[0] is ABORTED
    assert _next(Wave(1), "failed", "waiting") == (RUNNING, (1,))


def test_refusals_and_rejections_harm_nobody() -> None:
    wave = Wave(size=1, abort_after_percent=Decimal(0))
    assert _next(wave, "refused", "rejected", "cancelled", "waiting") == (RUNNING, (3,))


def test_a_paused_wave_starts_nothing_and_still_ends() -> None:
    wave = Wave(size=2, status=PAUSED)
    assert _next(wave, "succeeded", "waiting") == (PAUSED, ())
    assert _next(wave, "succeeded", "succeeded") == (DONE, ())


@pytest.mark.parametrize("status", [ABORTED, DONE])
def test_a_wave_that_ended_starts_nothing(status: WaveStatus) -> None:
    assert _next(Wave(size=2, status=status), "waiting") == (status, ())


def test_a_wave_without_items_is_done() -> None:
    assert _next(Wave(size=2, canary=1)) == (DONE, ())


@given(size=st.integers(1, 7), canary=st.integers(0, 3), count=st.integers(0, 30), data=st.data())
def test_every_item_is_started_once_and_never_more_than_a_batch_at_a_time(
    size: int, canary: int, count: int, data: st.DataObject
) -> None:
    wave, items, started = Wave(size, canary), ["waiting"] * count, []
    while (found := next_actions(wave, _items(*items))).status is RUNNING:
        for position in found.start:
            started.append(position)
            items[position] = "started"
        going = [i for i, status in enumerate(items) if status == "started"]
        assert going and len(going) <= max(size, canary)
        items[data.draw(st.sampled_from(going))] = "succeeded"
    assert found.status is DONE and started == list(range(count))


@pytest.mark.parametrize(
    "wrong", [{"size": 0}, {"size": 1, "canary": -1}, {"size": 1, "abort_after_percent": Decimal(101)}]
)
def test_a_wave_that_cannot_run_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        check_wave(Wave(**wrong))
    check_wave(Wave(1, 0, Decimal(100)))
