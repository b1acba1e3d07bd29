"""When a schedule is due: its zone, its jitter, and what was missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.errors import Invalid
from controlplane.domain.windows.ticks import MOST_COUNTED, Ticks

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_it_is_due_at_the_time_of_its_zone() -> None:
    assert Ticks("drift", "30 3 * * *").after(NOON) == datetime(2026, 3, 3, 3, 30, tzinfo=UTC)
    berlin = Ticks("drift", "30 3 * * *", "Europe/Berlin").after(NOON)
    assert berlin == datetime(2026, 3, 3, 2, 30, tzinfo=UTC)


def test_a_time_that_is_now_is_not_after_now() -> None:
    assert Ticks("x", "0 12 * * *").after(NOON) == NOON + timedelta(days=1)


def test_jitter_is_the_same_for_every_worker_and_another_for_every_name() -> None:
    offsets = {
        name: Ticks(name, "0 * * * *", jitter_seconds=600).after(NOON) for name in ("a", "b", "c", "d", "e")
    }
    assert offsets["a"] == Ticks("a", "0 * * * *", jitter_seconds=600).after(NOON)
    assert len(set(offsets.values())) > 1


def test_missed_times_are_counted_and_a_thousand_is_enough() -> None:
    hourly = Ticks("x", "0 * * * *")
    assert hourly.missed(NOON, NOON + timedelta(minutes=59)) == 0
    assert hourly.missed(NOON, NOON + timedelta(hours=5)) == 5
    assert Ticks("x", "* * * * *").missed(NOON, NOON + timedelta(days=9)) == MOST_COUNTED


@pytest.mark.parametrize(
    ("cron", "zone"), [("0 0 * *", "UTC"), ("0 0 * * *", "Mars/Base"), ("99 * * * *", "UTC")]
)
def test_what_cannot_be_read_is_refused(cron: str, zone: str) -> None:
    with pytest.raises(Invalid):
        Ticks("x", cron, zone)


@given(
    st.integers(0, 3600), st.integers(0, 10**6), st.sampled_from(["*/10 * * * *", "0 * * * *", "15 4 * * *"])
)
def test_due_times_go_on_and_lie_within_the_jitter(jitter: int, seconds: int, cron: str) -> None:
    ticks, plain = Ticks("x", cron, jitter_seconds=jitter), Ticks("x", cron)
    moment = NOON + timedelta(seconds=seconds)
    due = ticks.after(moment)
    assert due is not None
    assert due > moment
    before = plain.cron.last(due, plain.zone)
    assert before is not None
    assert due - before <= timedelta(seconds=jitter)
