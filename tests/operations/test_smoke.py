"""A blueprint's own checks behind the switch: what they hold up, and what goes back by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controlplane.domain.errors import Invalid, Unavailable
from controlplane.domain.migration.checklist import Item
from controlplane.domain.operation import Kind
from controlplane.guarding import run_watchdog
from controlplane.operations import Rollback
from controlplane.services import operations as asking
from controlplane.settings import Settings
from controlplane.steps import world
from controlplane.working import run_worker
from tests.operations.house import ADMIN, ASK, BLUEPRINT, House
from tests.operations.ordinary import application, change, done, shown, tenant, warnings
from tests.operations.upgrading import (
    ACKNOWLEDGED,
    TABLE,
    fenced,
    login_at,
    picture,
    rows,
    slots,
    upgrade,
)

Run = Callable[[], None]
STRATEGIES = ["snapshot_restore", "logical_replication"]
PAGE = "get https://acme.example.com/health"


def breaks_sql(house: House) -> None:
    """The new database has what the check looks for in another shape; the old one is not asked."""
    house.database.change_server(login_at(house, 1), broken_sql='relation "orders" does not exist')


def write_before_the_way_back(house: House) -> None:
    """An application that was let in writes until the door closes again."""
    here = world.world()
    fences: list[int] = []

    def guard() -> None:
        fences.append(len(fences))
        if fences == [0, 1]:  # the second one is around the new database
            house.database.write(application(house), TABLE, "three")

    world.install(replace(here, guard=guard))


def without_a_way_back(house: House) -> None:
    fact = {"strategy": "logical_replication", "name": "cp_control cannot subscribe", "detail": "a test"}
    house.database.change_server(login_at(house, 1), obstacles=[fact])


def went_back(house: House, operation: str) -> dict[str, Any]:
    seen = shown(house, operation)
    assert seen["status"] == "partially_applied", seen
    assert "the tenant stays at e1, which is open" in seen["error"]["detail"]
    assert "migration rollback acme removes e2" in seen["error"]["hint"]
    now = tenant(house)
    assert (now["phase"], now["stage"], now["epoch"]) == ("ready", "poc", 1)
    assert (now["migration_state"], fenced(house, 1), fenced(house, 2)) == ("rolled_back", False, True)
    return seen


def test_checks_that_pass_are_evidence(poc: House, run: Run) -> None:
    operation = upgrade(poc)
    run()
    response = done(poc, operation)["response"]
    assert (response["smoke_database"], response["smoke_application"]) == ("1 passed", "1 passed")
    kept = picture(poc)["receipts"]
    assert kept["smoke_database"]["checks"] == [{"name": "it has orders", "passed": True, "detail": ""}]
    assert kept["smoke_application"]["checks"] == [{"name": "it answers", "passed": True, "detail": ""}]
    assert poc.web.world.calls() == [PAGE]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_database_that_fails_its_check_is_left_before_anybody_is_let_in(
    poc: House, run: Run, strategy: str
) -> None:
    def broken() -> None:
        poc.database.add_server(login_at(poc, 2, "master"))
        poc.database.change_server(login_at(poc, 2, "master"), broken_sql="no such table")

    if strategy == "snapshot_restore":
        breaks_sql(poc)
    else:
        poc.terraform.after_create = broken
    operation = upgrade(poc, strategy=strategy)
    run()
    assert "'it has orders'" in " ".join(told(poc, operation))
    assert "it has orders: " in went_back(poc, operation)["error"]["detail"]
    seen = picture(poc)
    assert (seen["opened_at"], seen["loss"]["nothing"], rows(poc)) == (None, True, ["one", "two"])
    assert poc.web.world.calls() == [], "an application that is not let in is not asked"


def told(house: House, operation: str) -> list[str]:
    return [e["text"] for e in asking.events(house.control, ADMIN, operation) if e["type"] == "smoke"]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_was_written_before_an_application_failed_its_check_comes_back(
    poc: House, run: Run, strategy: str
) -> None:
    poc.web.answer(503)
    write_before_the_way_back(poc)
    operation = upgrade(poc, strategy=strategy)
    run()
    assert "it answers 503 instead of 200" in went_back(poc, operation)["error"]["detail"]
    assert rows(poc) == ["one", "two", "three"]
    assert picture(poc)["loss"]["nothing"] is True


def test_what_went_back_is_removed_and_the_next_upgrade_goes_through(poc: House, run: Run) -> None:
    poc.web.answer(503)
    upgrade(poc)
    run()
    assert picture(poc)["leftover"] == ["e2"]
    removal = change(poc, Kind.ROLLBACK, Rollback())
    run()
    done(poc, removal)
    assert (slots(poc), picture(poc)["fence"]["closed"]) == ({1: "present", 2: "gone"}, None)
    poc.web.answer(200)
    again = upgrade(poc)
    run()
    done(poc, again)
    assert (tenant(poc)["epoch"], rows(poc)) == (3, ["one", "two"])


def test_where_nothing_was_written_it_goes_back_without_replication(poc: House, run: Run) -> None:
    without_a_way_back(poc)
    poc.web.answer(503)
    operation = upgrade(poc)
    run()
    went_back(poc, operation)


def test_no_write_is_given_up_for_a_check(poc: House, run: Run) -> None:
    without_a_way_back(poc)
    poc.web.answer(503)
    write_before_the_way_back(poc)
    operation = upgrade(poc)
    run()
    seen = shown(poc, operation)
    assert (seen["status"], tenant(poc)["phase"]) == ("needs_operator", "needs_operator")
    assert (
        "the tenant stays at e2, which is open: the way back would give up" in seen["metadata"]["waiting_for"]
    )
    assert (fenced(poc, 1), fenced(poc, 2), rows(poc)) == (True, False, ["one", "two", "three"])
    poc.web.answer(200)
    asking.settle(poc.control, ADMIN, operation, ASK)
    run()
    done(poc, operation)  # its last plan was empty: everything but the check was done before
    assert (tenant(poc)["migration_state"], rows(poc)) == ("soaking", ["one", "two", "three"])


def test_an_application_has_its_time_to_answer_well(poc: House, run: Run) -> None:
    poc.web.answer(503, 502, 200)
    operation = upgrade(poc)
    run()
    done(poc, operation)
    assert poc.web.world.calls() == [PAGE] * 3


def test_a_change_in_place_is_not_taken_back_by_a_check(poc: House, run: Run) -> None:
    poc.web.answer(503)
    there = [*ACKNOWLEDGED, Item.STAYS_IN_NETWORK]
    operation = upgrade(poc, strategy="in_place", acknowledge=there)
    run()
    seen = shown(poc, operation)
    assert seen["status"] == "needs_operator", seen
    assert "it answers 503" in seen["metadata"]["waiting_for"]
    assert (tenant(poc)["epoch"], rows(poc)) == (1, ["one", "two"])


def test_a_blueprint_without_checks_is_asked_nothing(poc: House, run: Run) -> None:
    world.install(replace(world.world(), smoke={}))
    poc.web.answer(503)
    breaks_sql(poc)
    operation = upgrade(poc)
    run()
    done(poc, operation)
    assert not [name for name in picture(poc)["receipts"] if name.startswith("smoke")]


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", r"smoke\.toml"),  # there is no such file
        ("http://acme.example.com/", "http is only for hosts that CONTROLPLANE_WEBHOOK_HOSTS names"),
        ("https://ann:word@acme.example.com/", "'it answers': its URL is not https"),
    ],
)
def test_checks_that_could_never_be_asked_stop_a_worker_and_not_the_watchdog(
    tmp_path: Path, url: str, problem: str
) -> None:
    file = tmp_path / "smoke.toml"
    if url:
        file.write_text(f'[[{BLUEPRINT}.url]]\nname = "it answers"\nurl = "{url}"\n')
    catalog = f"sqlite:///{tmp_path / 'tenants.db'}"
    settings = Settings(database_url=catalog, data_dir=tmp_path / "data", smoke_file=str(file))
    with pytest.raises(Invalid, match=problem):
        run_worker(settings, until_idle=True)
    with pytest.raises(Unavailable, match="sandbox does not run"):  # what it needs is all that it asks for
        run_watchdog(settings)


# --- the service follows the route ------------------------------------------------------------------


def redeployed(house: House) -> int:
    return len(house.cloud.world.calls("redeploy"))


def test_the_application_begins_anew_behind_every_switch(poc: House, run: Run) -> None:
    upgrade(poc)
    run()
    assert poc.cloud.world.calls("redeploy") == ["redeploy platform/application"]
    change(poc, Kind.ROLLBACK, Rollback())
    run()
    assert redeployed(poc) == 2


@pytest.mark.parametrize("why", ["denied", "there is no service"])
def test_an_application_that_does_not_begin_anew_is_told_and_stops_nothing(
    poc: House, run: Run, why: str
) -> None:
    if why == "denied":
        poc.cloud.world.inject("redeploy", "denied")
    else:
        poc.cloud.remove_service("platform", "application")
    operation = upgrade(poc)
    run()
    done(poc, operation)
    [said] = [line for line in warnings(poc, operation) if "not started anew" in line]
    assert why in said
