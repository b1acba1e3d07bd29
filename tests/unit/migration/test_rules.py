"""The clocks of a migration, who answers for its prerequisites, and what it costs in outage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from controlplane.domain.errors import Refused
from controlplane.domain.migration import checklist
from controlplane.domain.migration.checklist import EVERY_UPGRADE, Item
from controlplane.domain.migration.outage import of_move
from controlplane.domain.migration.states import Strategy
from controlplane.domain.migration.windows import (
    SOAK_LEAST,
    VERIFICATION_HOLDS,
    check_soaked,
    is_expired,
    seconds_left,
)
from controlplane.domain.plan.forecast import NO_OUTAGE, Outage

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("strategy", "minutes", "expected"),
    [
        (Strategy.SNAPSHOT_RESTORE, 60, Outage(300, 3600)),
        (Strategy.SNAPSHOT_RESTORE, 1, Outage(60, 60)),
        (Strategy.LOGICAL_REPLICATION, 10, Outage(5, 600)),
        (Strategy.IN_PLACE, 60, Outage(60, 120)),
    ],
)
def test_a_move_costs_its_fence_and_in_place_what_changes(
    strategy: Strategy, minutes: int, expected: Outage
) -> None:
    assert of_move(strategy, minutes, Outage(60, 120)) == expected


@pytest.mark.parametrize("strategy", [Strategy.SNAPSHOT_RESTORE, Strategy.LOGICAL_REPLICATION])
def test_a_move_to_another_database_is_never_free(strategy: Strategy) -> None:
    assert of_move(strategy, 5, NO_OUTAGE).words() != NO_OUTAGE.words()


def test_what_is_left_of_a_window_is_never_negative() -> None:
    assert seconds_left(None, NOW) is None
    assert seconds_left(NOW - timedelta(hours=1), NOW) == 0
    assert seconds_left(NOW + timedelta(seconds=90), NOW) == 90


def soaked(after: timedelta, *, override: bool = False, reason: str = "") -> None:
    check_soaked("acme", NOW, NOW + after, override=override, reason=reason)


def test_the_old_database_is_kept_for_a_day() -> None:
    soaked(SOAK_LEAST)
    with pytest.raises(Refused, match="60 s from now") as caught:
        soaked(SOAK_LEAST - timedelta(minutes=1))
    assert "--override" in caught.value.hint


@pytest.mark.parametrize("reason", ["", "  "])
def test_an_override_of_the_day_has_a_reason(reason: str) -> None:
    soaked(timedelta(0), override=True, reason="the customer asked")
    with pytest.raises(Refused, match="needs a reason"):
        soaked(timedelta(0), override=True, reason=reason)


def test_a_verification_holds_for_a_day() -> None:
    assert not is_expired(NOW, NOW + VERIFICATION_HOLDS)
    assert is_expired(NOW, NOW + VERIFICATION_HOLDS + timedelta(seconds=1))


def test_a_machine_answers_before_a_person_and_a_name_is_kept() -> None:
    given = checklist.answers(
        (Item.ALARMS, Item.LOAD_TEST, Item.ON_CALL, Item.SCHEMA_STABLE),
        {Item.ALARMS: "8 alarms"},
        {Item.ALARMS: "bob", Item.LOAD_TEST: "bob", Item.ON_CALL: ""},
        "ann",
    )
    assert [(a.item, a.met, a.by) for a in given] == [
        (Item.ALARMS, True, "machine"),
        (Item.LOAD_TEST, True, "bob"),
        (Item.ON_CALL, True, "ann"),
        (Item.SCHEMA_STABLE, False, ""),
    ]


def test_what_nobody_answers_for_is_named_with_the_way_to_do_so() -> None:
    given = checklist.answers(EVERY_UPGRADE, {}, dict.fromkeys(EVERY_UPGRADE[2:], "bob"), "ann")
    with pytest.raises(Refused, match="2 prerequisites") as caught:
        checklist.require("acme", given)
    assert caught.value.hint.count("--acknowledge") == 2
    checklist.require("acme", [answer for answer in given if answer.met])
