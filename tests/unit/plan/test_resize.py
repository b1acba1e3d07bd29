"""Resizes that cannot work are refused before they are planned, with the way that works."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controlplane.domain.plan.resize import Classes, Current, Objection, Wanted, check_resize

NOW = datetime(2025, 6, 2, 12, 0, tzinfo=UTC)
MICRO, SMALL, LARGE = "db.t4g.micro", "db.t4g.small", "db.m6g.large"
CLASSES = Classes({MICRO: 112, SMALL: 225, LARGE: 901}, frozenset({MICRO, SMALL}))
CURRENT = Current("available", SMALL, 20, 20, None, 60)


def _check(wanted: Wanted, **current: Any) -> list[Objection]:
    return check_resize(replace(CURRENT, **current), wanted, CLASSES, NOW)


def _codes(wanted: Wanted, **current: Any) -> list[str]:
    return [objection.code for objection in _check(wanted, **current)]


def test_a_step_up_and_a_step_down_with_room_are_fine() -> None:
    assert _codes(Wanted(MICRO, 20)) == [] and _codes(Wanted(SMALL, 30)) == []


def test_a_shrink_is_refused_with_the_move_that_works() -> None:
    (objection,) = _check(Wanted(SMALL, 10))
    assert (objection.code, objection.blocks) == ("shrink", True) and "logical_replication" in objection.way


def test_storage_that_autoscaling_has_grown_is_no_shrink_unless_asked_for() -> None:
    assert _codes(Wanted(MICRO, 20), storage_gb=50) == []
    assert _codes(Wanted(SMALL, 30), storage_gb=50) == ["already_grown"]
    assert _codes(Wanted(SMALL, 60), storage_gb=50) == []


def test_two_storage_changes_are_six_hours_apart() -> None:
    last = NOW - timedelta(hours=5, minutes=59)
    (objection,) = _check(Wanted(SMALL, 30), last_storage_change_at=last)
    assert objection.code == "too_soon" and "12:01 UTC" in objection.way
    assert _codes(Wanted(SMALL, 30), last_storage_change_at=NOW - timedelta(hours=6)) == []
    assert _codes(Wanted(MICRO, 20), last_storage_change_at=last) == [], "a class change need not wait"


def test_storage_that_is_being_optimised_takes_no_storage_change_but_a_class_change() -> None:
    assert _codes(Wanted(SMALL, 30), status="storage-optimization") == ["storage_optimization"]
    assert _codes(Wanted(MICRO, 20), status="storage-optimization") == []


@pytest.mark.parametrize(("peak", "codes"), [(89, []), (90, ["connection_ceiling"])])
def test_a_class_below_the_observed_peak_is_refused_naming_one_that_fits(peak: int, codes: list[str]) -> None:
    found = _check(Wanted(MICRO, 20), peak_connections=peak)
    assert [o.code for o in found] == codes
    assert all(SMALL in o.way for o in found)


def test_unmeasured_connections_are_said_and_do_not_block_and_a_step_up_needs_no_measurement() -> None:
    (objection,) = _check(Wanted(MICRO, 20), peak_connections=None)
    assert (objection.code, objection.blocks) == ("connections_not_measured", False)
    assert _codes(Wanted(SMALL, 20), instance_class=MICRO, peak_connections=None) == []


def test_a_class_that_cannot_be_ordered_or_is_unknown_is_refused_naming_those_that_can() -> None:
    (objection,) = _check(Wanted(LARGE, 20))
    assert objection.code == "not_orderable" and objection.way.endswith(f"{MICRO}, {SMALL}")
    assert _codes(Wanted("db.x9.huge", 20)) == ["not_orderable", "unknown_class"]


@pytest.mark.parametrize(
    ("status", "code"),
    [("stopped", "stopped"), ("stopping", "stopped"), ("modifying", "busy"), ("failed", "busy")],
)
def test_a_database_that_takes_no_change_now_is_refused(status: str, code: str) -> None:
    assert _codes(Wanted(MICRO, 20), status=status) == [code]


def test_a_small_step_is_told_what_rds_makes_of_it() -> None:
    (objection,) = _check(Wanted(SMALL, 101), spec_storage_gb=100, storage_gb=100)
    assert (objection.code, objection.blocks) == ("small_step", False) and "110 GB" in objection.message


def test_all_objections_come_at_once() -> None:
    assert _codes(Wanted(MICRO, 10), status="stopped", peak_connections=500) == [
        "stopped",
        "connection_ceiling",
        "shrink",
    ]
    assert _codes(Wanted(SMALL, 70_000)) == ["too_large"]
