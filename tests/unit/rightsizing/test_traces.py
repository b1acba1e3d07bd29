"""A hundred synthetic tenants against what an engineer would say, and loads that tempt one to flap."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.domain.rightsizing import Advice, Finding, Measured, advise
from controlplane.domain.tenant import Size, is_down
from tests.unit.rightsizing.traces import (
    DAY,
    LADDER,
    NOW,
    Curve,
    Load,
    T,
    daily,
    flat,
    look,
    measure,
    nightly,
    recent,
    saw,
    subject,
    window,
)

UP, DOWN, STAY = Finding.UNDERPROVISIONED, Finding.OVERPROVISIONED, Finding.OPTIMIZED
M, S, D, L = Size.MICRO, Size.SMALL, Size.MEDIUM, Size.LARGE

# What it is, on which class, and what an engineer who knows it would say.
CASES: list[tuple[str, Size, Load, Finding]] = [
    *((f"idle {cpu} %", S, Load(flat(cpu), 250), DOWN) for cpu in (0.5, 1, 2, 4, 7)),
    *((f"idle {cpu} %", D, Load(flat(cpu), 700), DOWN) for cpu in (0.5, 1, 5, 12, 18)),
    *((f"idle {cpu} %", L, Load(flat(cpu), 1500), DOWN) for cpu in (0.5, 1, 5, 12, 18)),
    *((f"office hours to {high} %", S, Load(daily(1, high), 400), DOWN) for high in (5, 10, 15)),
    *((f"office hours to {high} %", L, Load(daily(3, high), 2500), DOWN) for high in (8, 15, 19)),
    *((f"office hours to {high} %", D, Load(daily(5, high), 2200), STAY) for high in (25, 35, 45)),
    *((f"office hours to {high} %", L, Load(daily(10, high), 4000), STAY) for high in (25, 45, 65)),
    *((f"nightly batch at {high} %", S, Load(nightly(3, high), 900), STAY) for high in (40, 70, 95)),
    *((f"nightly batch at {high} %", L, Load(nightly(5, high), 3000), STAY) for high in (30, 60, 69)),
    *((f"cache of {mib} MiB", S, Load(flat(5), mib), STAY) for mib in (900, 1200, 1700)),
    *((f"cache of {mib} MiB", D, Load(flat(5), mib), STAY) for mib in (1700, 2500, 3500)),
    *((f"{n} connections", S, Load(flat(5), 300, connections=n), STAY) for n in (100, 150, 190)),
    *((f"{n} connections", S, Load(flat(5), 300, connections=n), UP) for n in (195, 210, 225)),
    *((f"steady {cpu} %", M, Load(flat(cpu), 400), UP) for cpu in (15, 30, 60, 90)),
    *((f"steady {cpu} %", S, Load(flat(cpu), 900), UP) for cpu in (25, 40, 75, 99)),
    *((f"steady {cpu} %", L, Load(flat(cpu), 3000), UP) for cpu in (75, 85, 99)),
    *((f"steady {cpu} %", L, Load(flat(cpu), 3000), STAY) for cpu in (25, 45, 65)),
    *((f"working set {mib} MiB", M, Load(flat(5), mib), UP) for mib in (950, 1100, 1500)),
    *((f"working set {mib} MiB", S, Load(flat(5), mib), UP) for mib in (1900, 2200, 3000)),
    *((f"micro at {cpu} %", M, Load(flat(cpu), 500), STAY) for cpu in (1, 5, 9)),
]


def test_the_confusion_matrix_is_a_diagonal() -> None:
    matrix: Counter[tuple[str, str]] = Counter()
    wrong = []
    for name, size, load, expected in CASES:
        found = look(load, size).finding
        matrix[expected.value, str(found)] += 1
        if found is not expected:
            wrong.append((name, size.value, expected.value, found))
    assert not wrong
    assert {said: n for (_, said), n in matrix.items()} == {DOWN.value: 21, STAY.value: 27, UP.value: 20}


@pytest.mark.parametrize("days", [1, 5, 11])
def test_a_tenant_that_is_young_gets_no_step_down_however_idle(days: int) -> None:
    w = window()
    young = {k: s.since(w.end - days * DAY) for k, s in measure(Load(flat(1), 200), S, w).items()}
    assert advise(subject(S), LADDER, young, T, NOW).finding is not DOWN


# --- flapping ---------------------------------------------------------------------------------------


def live(load: Load, size: Size, days: int, every_hours: int = 24) -> list[tuple[int, Size]]:
    """A life under the advisor: whatever it proposes is done at once. When, and to which size."""
    changes: list[tuple[int, Size]] = []
    begun = NOW - days * DAY
    changed_at: int | None = None
    down = False
    for now in range(begun + 14 * DAY, NOW, every_hours * 3600):
        found = _look(load, size, now, begun, changed_at, down)
        if found.target_now is not None:
            down = is_down(size, found.target_now)
            size, changed_at = found.target_now, now
            changes.append((now, size))
    return changes


def _look(load: Load, size: Size, now: int, begun: int, changed_at: int | None, down: bool) -> Advice:
    w = window(14, now)
    measured: Measured = {
        **measure(load, size, w, begun),
        "cpu_recent": recent(load, now, origin=begun),
    }
    return advise(subject(size, last_change_at=changed_at, stepped_down=down), LADDER, measured, T, now)


def assert_one_change_a_cool_down(size: Size, changes: list[tuple[int, Size]]) -> None:
    """But for a step down that is taken back because it burns: that is none, and is done once a cool-down."""
    whole = [(0, size), *changes]
    taken_back = [
        later
        for before, earlier, later in zip(whole, whole[1:], whole[2:], strict=False)
        if is_down(before[1], earlier[1]) and later[1] is before[1]
    ]
    for some in ([change for change in whole if change not in taken_back], taken_back):
        assert all(later[0] - earlier[0] >= T.cool_down_days * DAY for earlier, later in pairwise(some))


@pytest.mark.parametrize("period_hours", [6, 84, 336])
@pytest.mark.parametrize("size", [M, D])
def test_a_saw_tooth_gives_at_most_one_change_a_cool_down(period_hours: int, size: Size) -> None:
    changes = live(Load(saw(96, 2, period_hours), 300), size, 60, every_hours=12)
    assert_one_change_a_cool_down(size, changes)


curves: st.SearchStrategy[Curve] = st.one_of(
    st.builds(flat, st.floats(0, 100)),
    st.builds(daily, st.floats(0, 30), st.floats(30, 100)),
    st.builds(nightly, st.floats(0, 30), st.floats(0, 100), st.floats(0.2, 6)),
    st.builds(saw, st.floats(0, 100), st.floats(0, 100), st.floats(1, 400)),
)
loads = st.builds(
    Load,
    cpu=curves,
    working_set_mib=st.floats(50, 9000),
    connections=st.integers(0, 900),
    latency_ms=st.floats(0, 40),
)
steady = st.builds(
    Load,
    cpu=st.one_of(st.builds(flat, st.floats(0, 79)), st.builds(daily, st.floats(0, 30), st.floats(30, 79))),
    working_set_mib=st.floats(50, 9000),
    connections=st.integers(0, 900),
)
few = settings(deadline=None, max_examples=8)
many = settings(deadline=None, max_examples=100)


@few
@given(loads, st.sampled_from(list(Size)))
def test_no_load_whatever_gives_two_changes_in_a_cool_down(load: Load, size: Size) -> None:
    assert_one_change_a_cool_down(size, live(load, size, 40))


@few
@given(steady, st.sampled_from(list(Size)))
def test_a_load_that_stays_the_same_is_never_moved_back(load: Load, size: Size) -> None:
    """Down and then up, or up and then down, of the same load would be an error of one of the two."""
    sizes = [size, *(to for _, to in live(load, size, 70, every_hours=72))]
    ladder = list(Size)
    places = [ladder.index(one) for one in sizes]
    assert places == sorted(places) or places == sorted(places, reverse=True)


@many
@given(loads, st.sampled_from(list(Size)))
def test_steps_are_of_one_and_stay_on_the_ladder(load: Load, size: Size) -> None:
    found = look(load, size)
    ladder = list(Size)
    if found.target is not None:
        step = ladder.index(found.target) - ladder.index(size)
        assert step == (1 if found.finding is UP else -1)


@many
@given(loads, st.sampled_from(list(Size)), st.sampled_from(list(Size)))
def test_no_load_goes_below_its_floor(load: Load, size: Size, floor: Size) -> None:
    ladder = list(Size)
    found = look(load, size, floor=floor)
    if found.finding is DOWN and found.target is not None:
        assert ladder.index(found.target) >= ladder.index(floor)
