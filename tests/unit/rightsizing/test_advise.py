"""Each rule of right-sizing alone, at its boundaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from controlplane.domain.rightsizing import Finding, Reason, Series, advise, clean
from controlplane.domain.tenant import Size
from tests.unit.rightsizing.traces import (
    DAY,
    GIB,
    LADDER,
    MIB,
    NOW,
    Load,
    T,
    daily,
    flat,
    look,
    measure,
    nightly,
    recent,
    subject,
    window,
)

UP, DOWN, STAY = Finding.UNDERPROVISIONED, Finding.OVERPROVISIONED, Finding.OPTIMIZED


def codes(signals: Any) -> set[Reason]:
    return {signal.code for signal in signals}


# --- CPU --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "finding", "target"),
    [(19.9, DOWN, Size.MEDIUM), (20, STAY, None), (45, STAY, None), (70, STAY, None), (70.1, UP, None)],
)
def test_a_class_without_credits_is_judged_by_its_cpu(
    percent: float, finding: Finding, target: Size | None
) -> None:
    found = look(Load(flat(percent), 1500), Size.LARGE)
    assert (found.finding, found.target) == (finding, target)


def test_over_seventy_goes_one_step_up_and_never_two() -> None:
    measured = measure(Load(flat(99), 300), Size.MICRO)
    assert advise(subject(Size.MICRO), LADDER, measured, T, NOW).target is Size.SMALL


def test_credits_decide_for_a_burstable_class_and_the_mean_does_not() -> None:
    calm = look(Load(nightly(3, 95), 300), Size.SMALL)  # 95 % every night, and credits to spare
    busy = look(Load(flat(30), 300), Size.SMALL)  # between 20 and 70, and living on surplus
    assert calm.finding is STAY
    assert (busy.finding, codes(busy.reasons)) == (UP, {Reason.CPU_UNDER})


def test_a_lower_class_that_would_earn_too_few_credits_is_not_proposed() -> None:
    fits, starves = look(Load(flat(8), 300)), look(Load(flat(15), 300))
    assert (fits.finding, fits.target) == (DOWN, Size.MICRO)
    assert (starves.finding, codes(starves.blocked)) == (STAY, {Reason.CREDITS})


def test_a_burstable_class_whose_credits_are_not_measured_is_not_made_smaller() -> None:
    measured = {k: v for k, v in measure(Load(flat(5)), Size.SMALL).items() if "credits" not in k}
    found = advise(subject(), LADDER, measured, T, NOW)
    assert (found.finding, codes(found.blocked)) == (STAY, {Reason.UNKNOWN})


def test_without_credits_measured_seventy_percent_still_goes_up() -> None:
    measured = {k: v for k, v in measure(Load(flat(75)), Size.SMALL).items() if "credits" not in k}
    assert advise(subject(), LADDER, measured, T, NOW).finding is UP


def test_an_exhausted_balance_counts_where_surplus_is_not_shown() -> None:
    measured = {k: v for k, v in measure(Load(flat(30)), Size.SMALL).items() if k != "surplus_credits"}
    found = advise(subject(), LADDER, measured, T, NOW)
    assert found.finding is UP
    assert "baseline of 20 %" in found.reasons[0].words


def test_a_step_up_to_as_many_vcpus_says_what_it_does_not_mend() -> None:
    assert "same 2 vCPUs" in look(Load(flat(40)), Size.MICRO).remarks[0]


# --- up now -----------------------------------------------------------------------------------------


def hot(values: list[float | None], ending: int = NOW) -> Series:
    w = window(0.25, NOW, 60)
    start = ending - 60 * len(values)
    return clean(((start + 60 * i, v) for i, v in enumerate(values)), w)


@pytest.mark.parametrize(
    ("values", "urgent"),
    [
        ([81.0] * 10, True),
        ([81.0] * 9, False),
        ([80.0] * 20, False),
        ([81.0] * 15 + [79.0], False),
        ([50.0] * 9 + [99.0] * 11, True),
        ([81.0] * 5 + [None] + [81.0] * 6, False),
        ([], False),
    ],
)
def test_over_eighty_for_ten_minutes_means_now(values: list[float | None], urgent: bool) -> None:
    found = advise(subject(), LADDER, {"cpu_recent": hot(values)}, T, NOW)
    assert found.urgent is urgent
    assert found.target is (Size.SMALL.MEDIUM if urgent else None)


def test_an_hour_ago_is_not_now() -> None:
    found = advise(subject(), LADDER, {"cpu_recent": hot([95.0] * 20, NOW - 3600)}, T, NOW)
    assert found.finding is None


# --- memory -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mib", "finding"), [(819, DOWN), (820, STAY)])
def test_the_peak_working_set_and_a_quarter_must_fit_the_lower_class(mib: float, finding: Finding) -> None:
    found = look(Load(flat(5), mib))
    assert found.finding is finding
    if finding is STAY:
        assert codes(found.blocked) == {Reason.MEMORY_UNDER}


def test_one_peak_of_memory_in_two_weeks_is_enough_to_stay() -> None:
    measured = dict(measure(Load(flat(5), 300), Size.SMALL))
    values = list(measured["freeable_memory"].values)
    values[50:55] = [400 * MIB] * 5
    measured["freeable_memory"] = replace(measured["freeable_memory"], values=tuple(values))
    assert advise(subject(), LADDER, measured, T, NOW).finding is STAY


@pytest.mark.parametrize(("mib", "finding"), [(1840, STAY), (1850, UP)])
def test_a_working_set_over_ninety_percent_goes_up(mib: float, finding: Finding) -> None:
    assert look(Load(flat(10), mib)).finding is finding


def test_swapping_goes_up() -> None:
    measured = dict(measure(Load(flat(10), 300), Size.SMALL))
    swap = measured["swap"]
    measured["swap"] = replace(swap, values=(200.0 * MIB,) * len(swap.values))
    found = advise(subject(), LADDER, measured, T, NOW)
    assert (found.finding, codes(found.reasons)) == (UP, {Reason.MEMORY_UNDER})


# --- floors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("peak", "finding"), [(89, DOWN), (90, STAY)])
def test_the_connections_of_the_peak_must_fit_with_a_margin(peak: float, finding: Finding) -> None:
    found = look(Load(flat(5), 300, connections=peak))
    assert found.finding is finding
    assert (Reason.CONNECTION_CEILING in codes(found.blocked)) is (finding is STAY)


def test_connections_near_the_ceiling_go_up_and_name_the_cheaper_way() -> None:
    found = look(Load(flat(5), 300, connections=200))
    assert (found.finding, codes(found.reasons)) == (UP, {Reason.CONNECTION_CEILING})
    assert "pool" in found.reasons[0].words


def test_no_step_goes_below_the_floor() -> None:
    found = look(Load(flat(3), 200), floor=Size.SMALL, floor_words="production is never below small")
    assert (found.finding, codes(found.blocked)) == (STAY, {Reason.FLOOR})
    assert "production" in found.blocked[0].words


@pytest.mark.parametrize(("size", "load"), [(Size.MICRO, Load(flat(1), 200)), (Size.LARGE, Load(flat(90)))])
def test_the_ladder_ends_on_both_sides(size: Size, load: Load) -> None:
    found = look(load, size)
    assert (found.target, codes(found.blocked)) == (None, {Reason.LADDER})


def test_a_slow_database_is_not_made_smaller() -> None:
    assert codes(look(Load(flat(3), 300, latency_ms=40)).blocked) == {Reason.LATENCY}


# --- what is not known ------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "finding"), [(11.25, DOWN), (11.0, None)])
def test_nothing_is_said_without_enough_data(days: float, finding: Finding | None) -> None:
    w = window()
    late = {k: s.since(w.end - days * DAY) for k, s in measure(Load(flat(5)), Size.SMALL, w).items()}
    found = advise(subject(), LADDER, late, T, NOW)
    assert found.finding is finding
    assert finding is DOWN or Reason.UNKNOWN in codes(found.blocked)


@pytest.mark.parametrize("missing", ["cpu", "freeable_memory"])
def test_a_metric_that_is_missing_leaves_the_finding_unknown(missing: str) -> None:
    measured = {k: v for k, v in measure(Load(flat(5)), Size.SMALL).items() if k != missing}
    found = advise(subject(), LADDER, measured, T, NOW)
    assert (found.finding, found.proposes) == (None, False)
    assert missing in found.evidence["not_measured"]


@pytest.mark.parametrize("missing", ["connections", "swap"])
def test_what_a_smaller_class_needs_must_be_measured(missing: str) -> None:
    measured = {k: v for k, v in measure(Load(flat(5)), Size.SMALL).items() if k != missing}
    assert Reason.UNKNOWN in codes(advise(subject(), LADDER, measured, T, NOW).blocked)


def test_nothing_at_all_is_no_finding_and_no_error() -> None:
    found = advise(subject(), LADDER, {}, T, NOW)
    assert (found.finding, found.storage, found.surplus_usd) == (None, None, None)


# --- changes ----------------------------------------------------------------------------------------


def test_within_the_cool_down_the_finding_stands_and_nothing_is_proposed() -> None:
    changed = NOW - 6 * DAY
    found = look(Load(flat(90), 300), last_change_at=changed)
    assert (found.finding, found.held_until, found.proposes) == (UP, changed + 7 * DAY, False)
    assert Reason.COOL_DOWN in codes(found.blocked)
    after = look(Load(flat(90), 300), last_change_at=NOW - 7 * DAY)
    assert (after.target, after.held_until) == (Size.MEDIUM, None)


def test_a_step_down_after_which_it_is_too_small_now_is_taken_back_at_once() -> None:
    burning = {"cpu_recent": hot([95.0] * 10)}
    down = subject(last_change_at=NOW - 3600, stepped_down=True)
    found = advise(down, LADDER, burning, T, NOW)
    assert (found.urgent, found.held_until, found.target_now) == (True, None, Size.MEDIUM)
    after = advise(replace(down, stepped_down=False), LADDER, burning, T, NOW)
    assert (after.urgent, after.target_now) == (True, None), "of an up the next one waits"
    calm = look(Load(flat(75), 300), last_change_at=NOW - 3 * DAY, stepped_down=True)
    assert (calm.finding, calm.urgent, calm.target_now) == (UP, False, None)


def test_what_was_measured_on_another_class_is_not_counted() -> None:
    found = look(Load(flat(3), 300), last_change_at=NOW - 8 * DAY)
    assert found.finding is None


# --- what a finding says of itself ------------------------------------------------------------------


def test_a_finding_brings_its_price_risk_outage_and_way_back() -> None:
    found = look(Load(flat(5), 300))
    assert found.delta_usd == Decimal("17.18") - Decimal("28.86")
    assert found.revert == "controlplane tenant resize acme --size small"
    assert (found.risk, found.outage) == ("medium", "180 s to 900 s of outage")
    metrics: Mapping[str, Any] = found.evidence["metrics"]
    assert metrics["cpu"]["p99"] == 5
    assert metrics["cpu"]["coverage_percent"] == 100
    assert found.evidence["look_back_days"] == 14


def test_an_unknown_price_stays_unknown() -> None:
    found = look(Load(flat(5), 300), monthly_usd={Size.SMALL: Decimal(29), Size.MICRO: None})
    assert (found.finding, found.delta_usd) == (DOWN, None)


def test_surplus_credits_are_priced_and_saved_by_a_step_up() -> None:
    found = look(Load(flat(30), 300))  # 10 % of two vCPUs over the baseline, all month
    assert found.surplus_usd == Decimal("0.2") * 730 * Decimal("0.075")
    assert found.delta_usd == Decimal("52.95") - Decimal("28.86") - found.surplus_usd


def test_a_class_without_credits_has_no_surplus() -> None:
    assert look(Load(flat(60), 1500), Size.LARGE).surplus_usd == 0


def test_what_aws_charged_goes_before_what_was_reckoned() -> None:
    measured = dict(measure(Load(flat(30)), Size.SMALL))
    w = measured["cpu"].window
    measured["charged_credits"] = clean(((at, 60.0) for at in measured["cpu"].times), w)
    found = advise(subject(), LADDER, measured, T, NOW)
    assert found.surplus_usd == Decimal("365") * Decimal("0.075")  # a vCPU-hour every two hours


def test_what_another_class_does_not_mend_is_a_remark() -> None:
    measured = dict(measure(Load(flat(5)), Size.SMALL))
    iops = measured["read_iops"]
    measured["read_iops"] = replace(iops, values=(2900.0,) * len(iops.values))
    assert "IOPS" in advise(subject(), LADDER, measured, T, NOW).remarks[0]


# --- storage ----------------------------------------------------------------------------------------


def test_storage_that_stands_still_asks_for_nothing() -> None:
    found = look(Load(daily(5, 30), 900)).storage
    assert found is not None
    assert (found.free_gb, found.days_until_full, found.target_gb) == (15.0, None, None)


def test_storage_says_when_it_is_full_and_what_would_be_enough() -> None:
    found = look(Load(daily(5, 30), 900, growth_gb_a_day=1.0, used_gb=3.0)).storage
    assert found is not None
    assert found.days_until_full == 3
    assert found.days_until_ceiling == 33  # autoscaling does it
    assert found.target_gb is None


def test_where_autoscaling_will_not_do_more_storage_is_proposed() -> None:
    found = look(Load(daily(5, 30), 900, growth_gb_a_day=0.5, used_gb=10.0), max_storage_gb=20)
    assert found.storage is not None
    assert found.storage.target_gb == 69  # used and ninety days of growth, a tenth free
    assert (found.finding, found.target, found.proposes) == (STAY, None, True)


def test_one_jump_by_autoscaling_does_not_turn_the_growth_round() -> None:
    measured = dict(measure(Load(flat(30), growth_gb_a_day=0.5), Size.LARGE))
    series = measured["free_storage"]
    half = len(series.values) // 2
    jumped = tuple(v + (10 * GIB if i >= half else 0) for i, v in enumerate(series.values))
    measured["free_storage"] = replace(series, values=jumped)
    found = advise(subject(Size.LARGE), LADDER, measured, T, NOW).storage
    assert found is not None
    assert 0.4 < found.growth_gb_a_day < 0.6


def test_equal_questions_have_equal_answers() -> None:
    load = Load(daily(5, 60), 700)
    measured = {**measure(load, Size.SMALL), "cpu_recent": recent(load)}
    assert advise(subject(), LADDER, measured, T, NOW) == advise(subject(), LADDER, measured, T, NOW)
