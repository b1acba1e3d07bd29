"""Bad points: each kind is counted, none is taken for a value, and none stops the rest."""

from __future__ import annotations

from math import inf, nan

from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.rightsizing import Finding, Window, advise, clean
from controlplane.domain.tenant import Size
from tests.unit.rightsizing.traces import LADDER, NOW, Load, T, flat, measure, subject

W = Window(0, 600, 60)


def test_bad_points_are_counted_and_left_out() -> None:
    points = [
        (0, 1.0),
        (60, nan),
        (120, -1.0),
        (180, inf),
        (240, None),
        (None, 5.0),
        (300, 101.0),
        (999, 2.0),
    ]
    found = clean(points, W, ceiling=100)
    assert (found.times, found.values) == ((0,), (1.0,))
    assert found.faults == {"impossible": 1, "negative": 1, "not_a_number": 4, "outside_window": 1}
    assert found.coverage == 0.1
    assert found.longest_gap == 540


def test_disorder_is_put_in_order_and_said() -> None:
    found = clean([(120, 3.0), (0, 1.0), (60, 2.0), (60, 2.5)], W)
    assert (found.times, found.values) == ((0, 60, 120), (1.0, 2.5, 3.0))
    assert found.faults == {"out_of_order": 3, "repeated": 1}


def test_a_gap_at_either_end_or_between_is_a_gap() -> None:
    full = [(at, 1.0) for at in range(0, 600, 60)]
    assert clean(full, W).longest_gap == 0
    assert clean(full[3:], W).longest_gap == 180
    assert clean(full[:-2], W).longest_gap == 120
    assert clean(full[:4] + full[6:], W).longest_gap == 120
    assert clean([], W).longest_gap == 600


def test_an_empty_series_has_no_percentiles_in_its_evidence() -> None:
    assert clean([], W).evidence() == {
        "points": 0,
        "expected": 10,
        "coverage_percent": 0.0,
        "longest_gap_hours": 0.2,
        "faults": {},
    }


def test_percentiles_lie_between_their_neighbours() -> None:
    found = clean([(60 * i, float(i)) for i in range(10)], W)
    assert [found.percentile(p) for p in (0, 50, 95, 100)] == [0, 4.5, 8.55, 9]


values = st.none() | st.floats()
points = st.lists(st.tuples(st.none() | st.floats(), values), max_size=40)


@given(points)
def test_whatever_comes_every_point_is_a_value_or_a_fault(given_points: list[tuple[float, float]]) -> None:
    found = clean(given_points, W, ceiling=100)
    assert list(found.times) == sorted(set(found.times))
    assert all(0 <= value <= 100 for value in found.values)
    lost = sum(n for name, n in found.faults.items() if name != "out_of_order")
    assert lost + len(found.values) == len(given_points)


@given(st.dictionaries(st.sampled_from(["cpu", "freeable_memory", "swap", "credits", "connections"]), points))
def test_no_measurement_whatever_stops_the_advisor(made: dict[str, list[tuple[float, float]]]) -> None:
    w = Window(NOW - 14 * 86_400, NOW, 7200)
    found = advise(subject(), LADDER, {name: clean(p, w) for name, p in made.items()}, T, NOW)
    assert found.finding is not Finding.OVERPROVISIONED  # a handful of points proves no low load


def test_holes_and_rubbish_in_a_low_load_turn_it_unknown_and_never_low() -> None:
    measured = dict(measure(Load(flat(5)), Size.SMALL))
    w = measured["cpu"].window
    for share, finding in ((0.1, Finding.OVERPROVISIONED), (0.3, None)):
        spoilt = int(w.expected * share)
        values = [nan] * spoilt + list(measured["cpu"].values)[spoilt:]
        broken = {**measured, "cpu": clean(zip(measured["cpu"].times, values, strict=True), w)}
        found = advise(subject(), LADDER, broken, T, NOW)
        assert found.finding is finding
        assert found.evidence["metrics"]["cpu"]["faults"] == {"not_a_number": spoilt}
