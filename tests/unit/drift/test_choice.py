"""Who is planned in a full look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.drift.choice import AGE, SAMPLE, SEEN, Chosen, Limits, choose

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
FRESH = NOW - timedelta(days=1)


def test_what_was_seen_goes_before_who_is_old_and_the_oldest_before_the_old() -> None:
    planned = {"a": NOW - timedelta(days=8), "b": FRESH, "c": NOW - timedelta(days=30)}
    chosen = choose(["a", "b", "c", "d"], ["b", "gone"], planned, NOW, Limits(most=4, sample_percent=0))
    assert chosen == [Chosen("b", SEEN), Chosen("d", AGE), Chosen("c", AGE), Chosen("a", AGE)]


def test_of_a_fleet_that_is_all_fresh_a_sample_is_planned_and_another_one_the_next_day() -> None:
    uids = [f"t{number:03}" for number in range(100)]
    planned = dict.fromkeys(uids, FRESH)
    today, again, tomorrow = (
        [one.uid for one in choose(uids, [], planned, at, Limits(sample_percent=5))]
        for at in (NOW, NOW + timedelta(hours=2), NOW + timedelta(days=1))
    )
    assert len(today) == 5
    assert today == again
    assert today != tomorrow
    assert {one.why for one in choose(uids, [], planned, NOW, Limits())} == {SAMPLE}


def test_with_fewer_plans_than_fleet_everybody_has_a_turn() -> None:
    uids, planned, now = [f"t{number}" for number in range(10)], dict[str, datetime](), NOW
    for _ in range(5):
        for one in choose(uids, [], planned, now, Limits(most=2, days=0, sample_percent=0)):
            planned[one.uid] = now
        now += timedelta(days=1)
    assert sorted(planned) == uids


@given(
    st.sets(st.sampled_from("abcdefgh")),
    st.sets(st.sampled_from("abcdefghxyz")),
    st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([FRESH, NOW - timedelta(days=9)])),
    st.integers(1, 10),
)
def test_each_once_never_more_than_allowed_and_only_who_is_there(
    uids: set[str], seen: set[str], planned: dict[str, datetime], most: int
) -> None:
    chosen = [one.uid for one in choose(sorted(uids), seen, planned, NOW, Limits(most=most))]
    assert len(chosen) == len(set(chosen)) <= most
    assert set(chosen) <= uids
