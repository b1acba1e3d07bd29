"""suspend and resume: the database stops and starts, its cost follows, and a keeper keeps it asleep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controlplane.domain.errors import Conflict
from controlplane.domain.operation import Kind
from controlplane.operations import Resume, Suspend
from controlplane.services import operations as asking
from controlplane.services import particulars, windows
from controlplane.services.bodies import NewWindow
from controlplane.services.control import Ask
from controlplane.services.keeping import keep_asleep
from controlplane.services.particulars import Particulars
from controlplane.services.schedules import hours
from controlplane.store import operations
from tests.operations.house import ADMIN, ASK, OTHER, House
from tests.operations.ordinary import change, create, destroy, done, shown, tenant

Run = Callable[[], None]


@pytest.fixture
def acme(house: House, run: Run) -> str:
    create(house)
    run()
    return house.cloud.databases()[0].identifier


def suspend(house: House, run: Run) -> dict:
    operation = change(house, Kind.SUSPEND, Suspend())
    run()
    return done(house, operation)


def test_a_suspended_tenant_pays_for_storage_and_not_for_compute(house: House, run: Run, acme: str) -> None:
    before = float(tenant(house)["monthly_usd"])
    seen = suspend(house, run)
    after = tenant(house)
    assert after["phase"] == "suspended"
    assert house.cloud.database(acme).status == "stopped"
    assert 0 < float(after["monthly_usd"]) < before / 2
    assert float(seen["cost_after"]) == float(after["monthly_usd"])
    assert "until it is resumed" in seen["plan"]["forecast"]["outage"]
    assert len(house.terraform.applied()) == 1  # of the create


def test_a_resumed_tenant_answers_and_costs_what_it_did(house: House, run: Run, acme: str) -> None:
    before = tenant(house)
    suspend(house, run)
    operation = change(house, Kind.RESUME, Resume())
    run()
    seen = done(house, operation)
    after = tenant(house)
    assert seen["response"]["probe"]["reachable"]
    assert (after["phase"], after["monthly_usd"]) == ("ready", before["monthly_usd"])
    assert house.cloud.database(acme).status == "available"


def test_what_is_not_suspended_cannot_be_resumed(house: House, run: Run, acme: str) -> None:
    with pytest.raises(Conflict, match="ready"):
        change(house, Kind.RESUME, Resume())


def test_a_production_tenant_is_suspended_by_two_persons(house: House, run: Run) -> None:
    create(house, stage="production", size="small")
    run()
    operation = change(house, Kind.SUSPEND, Suspend(), ask=Ask(reason="a test"))
    run()
    seen = shown(house, operation)
    assert (seen["status"], house.cloud.databases()[0].status) == ("awaiting_approval", "available")
    asking.approve(house.control, OTHER, operation, ASK, seen["plan"]["meaning"][:12])
    run()
    done(house, operation)
    assert house.cloud.databases()[0].status == "stopped"


def test_a_destroy_wakes_what_is_suspended(house: House, run: Run, acme: str) -> None:
    suspend(house, run)
    operation = destroy(house)
    run()
    done(house, operation)
    assert tenant(house)["phase"] == "torn_down"
    assert tenant(house)["slots"][0]["final_snapshot"]["identifier"] == f"{acme}-teardown"


def test_what_aws_started_again_is_stopped_again(house: House, run: Run, acme: str) -> None:
    suspend(house, run)
    house.cloud.change_database(acme, status="available")  # as AWS does after seven days
    assert keep_asleep(house.control) == ["acme"]
    run()
    assert house.cloud.database(acme).status == "stopped"
    newest = shown(house, asking.page(house.control, OTHER, asking.OperationFilter())["items"][0]["id"])
    assert (newest["kind"], newest["requested_by"]) == ("suspend", "controlplane")
    assert "seven days" in newest["reason"]


def test_the_keeper_leaves_alone_who_is_awake_asleep_or_being_resumed(
    house: House, run: Run, acme: str
) -> None:
    create(house, "beta")
    suspend(house, run)
    assert keep_asleep(house.control) == []
    resumed = change(house, Kind.RESUME, Resume())
    house.cloud.change_database(acme, status="available")
    assert keep_asleep(house.control) == []
    run()
    done(house, resumed)
    assert {one.status for one in house.cloud.databases()} == {"available"}


def test_the_keeper_asks_nobody_again_what_was_approved_once(house: House, run: Run) -> None:
    create(house, stage="production", size="small")
    run()
    suspend(house, run)
    identifier = house.cloud.databases()[0].identifier
    house.cloud.change_database(identifier, status="available")
    assert keep_asleep(house.control) == ["acme"]
    run()
    assert house.cloud.database(identifier).status == "stopped"


# --- off-hours --------------------------------------------------------------------------------------

_MONDAY_NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def nights(house: House, acme: str) -> Callable[..., list[str]]:
    """Nights from eight to six on weekdays in Berlin, for the team; what is asked for at an hour."""
    change_label(house, "night")
    body = NewWindow(
        name="nights",
        effect="sleep",
        cron="0 20 * * mon-fri",
        minutes=600,
        zone="Europe/Berlin",
        selector="team=night",
    )
    windows.add(house.control, ADMIN, body, ASK)

    def at(**later: int) -> list[str]:
        moment = _MONDAY_NOON + timedelta(**later)
        return hours.follow(replace(house.control, now=lambda: moment))

    return at


def change_label(house: House, team: str) -> None:
    particulars.change(house.control, ADMIN, "acme", Particulars(labels={"team": team}), ASK)


def test_it_sleeps_at_night_where_it_lives_and_wakes_in_the_morning(
    house: House, run: Run, nights: Callable[..., list[str]]
) -> None:
    assert nights(hours=6, minutes=59) == []  # 19:59 in Berlin
    assert nights(hours=7, minutes=1) == ["acme: suspend"]
    run()
    assert tenant(house)["phase"] == "suspended"
    assert nights(hours=16) == []  # five in the morning
    assert nights(hours=17, minutes=1) == ["acme: resume"]
    run()
    assert tenant(house)["phase"] == "ready"


def test_who_is_not_meant_never_sleeps(house: House, nights: Callable[..., list[str]]) -> None:
    change_label(house, "day")
    assert nights(hours=8) == []


def test_whom_a_person_suspended_nobody_wakes(
    house: House, run: Run, nights: Callable[..., list[str]]
) -> None:
    suspend(house, run)
    assert nights(hours=8) == []
    assert nights(hours=18) == []
    assert tenant(house)["phase"] == "suspended"


def test_whom_a_person_woke_stays_awake_for_that_night(
    house: House, run: Run, nights: Callable[..., list[str]]
) -> None:
    assert nights(hours=8) == ["acme: suspend"]
    run()
    woken = change(house, Kind.RESUME, Resume())
    run()
    done(house, woken)
    assert nights(hours=9) == []  # it was woken long after that evening began
    with house.db.write() as session:
        operations.note(session, woken, created_at=_MONDAY_NOON + timedelta(hours=9))
    assert nights(hours=33) == ["acme: suspend"]


def test_a_night_that_was_taken_away_lets_everybody_wake(
    house: House, run: Run, nights: Callable[..., list[str]]
) -> None:
    nights(hours=8)
    run()
    [window] = windows.page(house.control, ADMIN)["items"]
    windows.remove(house.control, ADMIN, window["id"], ASK)
    assert nights(hours=9) == ["acme: resume"]


def test_a_night_neither_allows_nor_denies_changes(house: House, run: Run, acme: str) -> None:
    body = NewWindow(name="always", effect="sleep", cron="* * * * *", minutes=60)
    windows.add(house.control, ADMIN, body, ASK)
    suspend(house, run)
