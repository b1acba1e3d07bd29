"""Cron against a brute-force reading of every minute, and against changes of the clock."""

from __future__ import annotations

import contextlib
import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.domain.errors import Invalid
from controlplane.domain.windows.cron import parse_cron

BERLIN, NEW_YORK, LORD_HOWE = (
    ZoneInfo("Europe/Berlin"),
    ZoneInfo("America/New_York"),
    ZoneInfo("Australia/Lord_Howe"),
)
ZONES = [ZoneInfo("UTC"), BERLIN, NEW_YORK, LORD_HOWE, ZoneInfo("Asia/Kolkata"), ZoneInfo("Africa/Cairo")]
moments = st.integers(0, 4 * 365 * 86_400).map(
    lambda s: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=s)
)


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda p: f"{min(p)}-{max(p)}")
    item = st.one_of(
        st.just("*"),
        number.map(str),
        span,
        st.tuples(st.one_of(st.just("*"), span), st.integers(1, 20)).map(lambda p: f"{p[0]}/{p[1]}"),
    )
    return st.one_of(item, st.lists(item, min_size=1, max_size=3).map(",".join))


crons = st.tuples(_field(0, 59), _field(0, 23), st.just("*"), st.just("*"), _field(0, 7)).map(" ".join)
# Dense ones: something is due within the hours that brute force can afford to read.
dense = st.tuples(_field(0, 59), st.just("*"), st.just("*"), st.just("*"), st.just("*")).map(" ".join)


def _expand(part: str, low: int, high: int) -> set[int]:
    """A second, naive reading of a field."""
    found: set[int] = set()
    for item in part.split(","):
        span, _, step = item.partition("/")
        first, last = (low, high) if span == "*" else map(int, (span.split("-") * 2)[:2])
        found |= set(list(range(first, last + 1))[:: int(step or 1)])
    return found


@settings(max_examples=150)
@given(text=crons, now=moments)
def test_the_next_start_is_the_first_matching_minute(text: str, now: datetime) -> None:
    minutes, hours, _, _, days = text.split()
    wanted = (_expand(minutes, 0, 59), _expand(hours, 0, 23), {d % 7 for d in _expand(days, 0, 6)})
    expected = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while not (expected.hour in wanted[1] and expected.isoweekday() % 7 in wanted[2]):
        expected = expected.replace(minute=0) + timedelta(hours=1)
    while (
        expected.minute not in wanted[0]
        or expected.hour not in wanted[1]
        or expected.isoweekday() % 7 not in wanted[2]
    ):
        expected += timedelta(minutes=1)
    assert parse_cron(text).following(now, ZONES[0]) == expected


@given(text=dense, now=moments, zone=st.sampled_from(ZONES))
def test_a_start_of_every_hour_is_every_matching_minute_in_any_zone(
    text: str, now: datetime, zone: ZoneInfo
) -> None:
    wanted = _expand(text.split(maxsplit=1)[0], 0, 59)
    expected = now.replace(second=0, microsecond=0)
    while expected.astimezone(zone).minute not in wanted:
        expected -= timedelta(minutes=1)
    found = parse_cron(text).last(now, zone)
    # A start in a skipped half hour comes later instead: then the last one is nearer still.
    assert found is not None and (found == expected or (zone is LORD_HOWE and expected < found <= now))


@given(text=crons, now=moments, zone=st.sampled_from(ZONES))
def test_no_start_lies_between_the_last_and_the_following(text: str, now: datetime, zone: ZoneInfo) -> None:
    cron = parse_cron(text)
    last, following = cron.last(now, zone), cron.following(now, zone)
    assert last is not None and following is not None and last <= now < following
    assert cron.following(last, zone) == following and cron.last(following, zone) == following
    assert cron.last(following - timedelta(seconds=1), zone) == last


def _berlin(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=BERLIN, fold=fold).astimezone(UTC)


def test_a_time_that_is_skipped_in_spring_starts_as_much_later() -> None:
    found = parse_cron("30 2 * * *").following(_berlin(2025, 3, 30, 0, 0), BERLIN)
    assert found == _berlin(2025, 3, 30, 3, 30)


def test_a_time_that_comes_twice_in_autumn_starts_once() -> None:
    cron = parse_cron("30 2 * * *")
    first = cron.following(_berlin(2025, 10, 26, 0, 0), BERLIN)
    assert first == _berlin(2025, 10, 26, 2, 30)
    assert cron.following(first, BERLIN) == _berlin(2025, 10, 27, 2, 30)


def test_a_shifted_start_does_not_hide_an_earlier_one() -> None:
    # On Lord Howe Island clocks skip half an hour at 02:00: 02:15 starts at 02:45, after 02:30.
    spring = datetime(2025, 10, 5, tzinfo=LORD_HOWE)
    found = parse_cron("15,30 2 * * *").following(spring.astimezone(UTC), LORD_HOWE)
    assert found == spring.replace(hour=2, minute=30).astimezone(UTC)


def test_an_hourly_start_comes_in_the_repeated_hour_too_and_not_in_the_skipped_one() -> None:
    cron = parse_cron("30 * * * *")
    found = [_berlin(2025, 10, 26, 1, 0)]
    for _ in range(4):
        found.append(cron.following(found[-1], BERLIN))
    assert [b - a for a, b in itertools.pairwise(found[1:])] == [timedelta(hours=1)] * 3
    assert cron.following(_berlin(2025, 3, 30, 1, 45), BERLIN) == _berlin(2025, 3, 30, 3, 30)


@pytest.mark.parametrize(
    ("text", "now", "expected"),
    [
        ("0 0 13 * fri", (2025, 6, 1), (2025, 6, 6)),  # either day field
        ("0 0 */2 * mon", (2025, 6, 1), (2025, 6, 9)),  # a wildcard step: both
        ("0 0 29 2 *", (2025, 1, 1), (2028, 2, 29)),
        ("0 22 * jan,MAR Sun", (2025, 1, 30), (2025, 3, 2, 22)),
        ("0 0 * * 7", (2025, 6, 2), (2025, 6, 8)),
        ("5/20 3 * * mon-fri", (2025, 6, 6, 3, 46), (2025, 6, 9, 3, 5)),
        ("0 0 31 * *", (2025, 4, 1), (2025, 5, 31)),
        ("0 0 * * */3", (2025, 6, 4, 1), (2025, 6, 7)),  # Sunday, Wednesday, Saturday
    ],
)
def test_days_names_and_steps(text: str, now: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert parse_cron(text).following(datetime(*now, tzinfo=UTC), ZONES[0]) == datetime(*expected, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "a * * * *",
        "*/0 * * * *",
        "5-1 * * * *",
        "1- * * * *",
        "-1 * * * *",
        "1,,2 * * * *",
        "* * 30 feb *",
        "* * 31 4,6 *",
        "@daily",
        "* * * * mon#1",
        "*/x * * * *",
        "١ * * * *",
    ],
)
def test_what_is_no_cron_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_cron(text)
    assert "for example" in caught.value.hint and caught.value.errors[0].field == "cron"


@given(st.text(alphabet="0123456789*/,- monfeb", max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(Invalid):
        assert parse_cron(text).following(datetime(2025, 1, 1, tzinfo=UTC), ZONES[0]) is not None
