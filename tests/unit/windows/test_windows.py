"""Change windows: deny wins, clocks change, and somebody else's window does not matter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.domain.errors import Invalid
from controlplane.domain.windows import Window, is_open, look, next_open, parse_window

MONDAY = datetime(2025, 6, 2, 12, 0, tzinfo=UTC)
ANYBODY: dict[str, str] = {}
PRODUCTION = {"stage": "production", "size": "large"}


def _allow(cron: str, minutes: int, zone: str = "UTC", selector: str = "", name: str = "allow") -> Window:
    return parse_window(name, "allow", cron, minutes, zone, selector=selector)


def _deny(cron: str, minutes: int, zone: str = "UTC", selector: str = "", name: str = "deny") -> Window:
    return parse_window(name, "deny", cron, minutes, zone, selector=selector)


def test_without_windows_it_is_always_open() -> None:
    assert is_open([], ANYBODY, MONDAY) and next_open([], ANYBODY, MONDAY) == MONDAY


def test_an_allow_window_closes_everything_around_it() -> None:
    nights = [_allow("0 2 * * *", 120)]
    assert not is_open(nights, ANYBODY, MONDAY)
    assert next_open(nights, ANYBODY, MONDAY) == datetime(2025, 6, 3, 2, 0, tzinfo=UTC)
    within = datetime(2025, 6, 3, 3, 59, 59, tzinfo=UTC)
    assert next_open(nights, ANYBODY, within) == within
    assert not is_open(nights, ANYBODY, datetime(2025, 6, 3, 4, 0, tzinfo=UTC))


def test_a_deny_window_wins_over_an_allow_window() -> None:
    windows = [_allow("0 2 * * *", 120), _deny("0 3 * * *", 30)]
    at_three = datetime(2025, 6, 3, 3, 0, tzinfo=UTC)
    assert not is_open(windows, ANYBODY, at_three)
    assert next_open(windows, ANYBODY, at_three) == at_three + timedelta(minutes=30)


def test_a_deny_window_alone_closes_only_itself() -> None:
    freeze = [_deny("0 0 24 12 *", 3 * 24 * 60, "Europe/Berlin")]
    christmas = datetime(2025, 12, 25, tzinfo=UTC)
    assert is_open(freeze, ANYBODY, MONDAY) and not is_open(freeze, ANYBODY, christmas)
    assert next_open(freeze, ANYBODY, christmas) == datetime(2025, 12, 26, 23, 0, tzinfo=UTC)


def test_windows_of_others_do_not_matter() -> None:
    windows = [
        _allow("0 2 * * *", 60, selector="stage=poc"),
        _deny("* * * * *", 60, selector="size in (micro)"),
    ]
    assert is_open(windows, PRODUCTION, MONDAY)
    assert not is_open(windows, {"stage": "poc"}, MONDAY)
    assert next_open(windows, {"size": "micro"}, MONDAY) is None


def test_what_is_never_open_has_no_next_opening() -> None:
    assert next_open([_allow("0 2 * * *", 60), _deny("0 2 * * *", 60)], ANYBODY, MONDAY) is None
    assert next_open([_allow("0 0 29 2 *", 60)], ANYBODY, MONDAY) is None, "2028 is too far away"


def test_the_reason_names_the_window_that_decides() -> None:
    assert (
        "denied by the window freeze"
        in look([_deny("0 12 * * *", 60, name="freeze")], ANYBODY, MONDAY).reason
    )
    both = [_deny("0 12 * * *", 60, name="short"), _deny("0 12 * * *", 90, name="long")]
    assert "long" in look(both, ANYBODY, MONDAY).reason
    reason = look([_allow("0 2 * * *", 60, name="nights")], ANYBODY, MONDAY).reason
    assert "nights" in reason and "2025-06-03 02:00 UTC" in reason


@pytest.mark.parametrize(
    ("night", "hours"), [(datetime(2025, 3, 30, tzinfo=UTC), 4), (datetime(2025, 10, 26, tzinfo=UTC), 4)]
)
def test_a_window_lasts_as_long_on_a_night_when_clocks_change(night: datetime, hours: int) -> None:
    windows = [_allow("0 1 * * *", hours * 60, "Europe/Berlin")]
    minutes = [night + timedelta(minutes=m) for m in range(-120, 600)]
    assert sum(is_open(windows, ANYBODY, minute) for minute in minutes) == hours * 60


def test_local_hours_stay_local_in_summer_and_winter() -> None:
    windows = [_allow("0 2 * * *", 60, "Europe/Berlin")]
    assert next_open(windows, ANYBODY, MONDAY) == datetime(2025, 6, 3, 0, 0, tzinfo=UTC)
    winter = datetime(2025, 12, 2, 12, 0, tzinfo=UTC)
    assert next_open(windows, ANYBODY, winter) == datetime(2025, 12, 3, 1, 0, tzinfo=UTC)


crons = st.builds(
    "{} {} * * {}".format, st.sampled_from(["0", "30", "*/15"]), st.sampled_from(["*", "2", "1-5/2"]),
    st.sampled_from(["*", "mon-fri", "sun"]),
)  # fmt: skip
windows_of = st.lists(
    st.builds(
        parse_window,
        st.just("w"),
        st.sampled_from(["allow", "deny"]),
        crons,
        st.integers(1, 200),
        st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    ),
    max_size=3,
)
moments = st.integers(0, 2 * 365 * 1_440).map(
    lambda m: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=m)
)


@settings(max_examples=40, deadline=None)
@given(windows=windows_of, now=moments)
def test_the_next_opening_is_the_first_open_minute(windows: list[Window], now: datetime) -> None:
    found = next_open(windows, ANYBODY, now)
    reach = now + timedelta(days=2)
    minute = now
    while minute < min(found or reach, reach):
        assert not is_open(windows, ANYBODY, minute)
        minute += timedelta(minutes=13)
    assert found is None or is_open(windows, ANYBODY, found)
    assert found is None or found == now or not is_open(windows, ANYBODY, found - timedelta(seconds=1))


@settings(deadline=None)
@given(windows=windows_of, more=windows_of, now=moments)
def test_another_deny_window_never_opens_anything(
    windows: list[Window], more: list[Window], now: datetime
) -> None:
    denies = [w for w in more if w.effect == "deny"]
    assert is_open(windows, ANYBODY, now) or not is_open([*windows, *denies], ANYBODY, now)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"effect": "maybe"}, "effect"),
        ({"cron": "x"}, "cron"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": 10**9}, "minutes"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"zone": ""}, "zone"),
        ({"selector": "a;b"}, "selector"),
    ],
)
def test_a_window_that_cannot_be_read_is_refused_by_its_field(wrong: dict[str, Any], field: str) -> None:
    right = {"name": "w", "effect": "allow", "cron": "0 2 * * *", "minutes": 60, "zone": "UTC"}
    with pytest.raises(Invalid) as caught:
        parse_window(**{**right, **wrong})
    assert caught.value.errors[0].field == field


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        is_open([], ANYBODY, MONDAY.replace(tzinfo=None))
