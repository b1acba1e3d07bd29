"""The proof: writers go on while a tenant moves between real PostgreSQL servers, and its worker is killed.

Nothing that was acknowledged is lost, doubled or torn; a number that a sequence gave twice its key refuses.
"""

from __future__ import annotations

import signal
from typing import Any

import pytest

from controlplane.domain.operation import Kind
from controlplane.operations import Rollback
from tests.fakes.writers import Writers
from tests.operations.ordinary import application, change, destroy, done, tenant
from tests.operations.proving import (
    Premises,
    assert_whole,
    cluster_folder,
    premises,
    replicating_clusters,
    restoring,
    route,
    two,
)
from tests.operations.upgrading import picture, upgrade

__all__ = ["cluster_folder", "premises", "replicating_clusters", "restoring", "two"]
pytestmark = pytest.mark.postgres
STEPS = (
    *("apply", "empty_target", "follow", "catch_up", "verify_before", "raise_fence", "drain", "await_rest"),
    *("verify", "turn_round", "flip", "point_route", "open_target"),
)
SHORT = {"raise_fence:after", "flip:after"}
BACK = ("begin_return", "fence_target", "bring_back", "reverse", "point_route", "open_source", "end_reverse")
SHORT_BACK = {"bring_back:after"}
RESTORED = (
    *("raise_fence", "drain", "seed", "apply", "await_target", "target_logins", "verify", "arm_reverse"),
    *("flip", "point_route", "open_target"),
)
SHORT_RESTORED = {"seed:recorded"}
TAKEN_BACK = ("smoke_verdict", "fence_target", "bring_back", "reverse")


def cells(steps: tuple[str, ...], short: set[str]) -> list[Any]:
    wheres = ("before", "after", "recorded")
    points = [f"{step}:{where}" for step in steps for where in wheres]
    return [pytest.param(f"{p}:1", marks=() if p in short else pytest.mark.long) for p in points]


@pytest.mark.parametrize("point", cells(STEPS, SHORT))
def test_a_worker_that_is_killed_loses_no_write(premises: Premises, point: str) -> None:
    house = premises.house()
    with Writers(route(house), count=2) as writers:
        writers.wait_for(50)
        operation = upgrade(house, strategy="logical_replication")
        assert premises.work(point) == -signal.SIGKILL, f"nobody passed {point}"
        assert premises.work() == 0
        done(house, operation)
        writers.wait_for(50)
        acknowledged = writers.stop()
    assert tenant(house)["epoch"] == 2
    assert_whole(premises.holds(2), acknowledged)
    assert_whole(premises.holds(1), set(premises.holds(1).ledger))
    assert picture(house)["rollback_loses"].startswith("nothing")
    house.db.close()


@pytest.mark.parametrize("point", cells(RESTORED, SHORT_RESTORED))
def test_a_worker_that_is_killed_while_it_restores_loses_no_write(restoring: Premises, point: str) -> None:
    """By the default strategy: its target is a real copy of what stood under the fence."""
    house = restoring.house()
    with Writers(route(house), count=2) as writers:
        writers.wait_for(50)
        operation = upgrade(house, strategy="snapshot_restore")
        assert restoring.work(point) == -signal.SIGKILL, f"nobody passed {point}"
        assert restoring.work() == 0
        done(house, operation)
        writers.wait_for(50)
        acknowledged = writers.stop()
    assert tenant(house)["epoch"] == 2
    assert_whole(restoring.holds(2), acknowledged)
    assert picture(house)["rollback_loses"].startswith("nothing")
    house.db.close()


@pytest.mark.parametrize("point", cells(BACK, SHORT_BACK))
def test_a_way_back_that_is_killed_loses_no_write(premises: Premises, point: str) -> None:
    house = premises.house()
    with Writers(route(house), count=2) as writers:
        writers.wait_for(50)
        upgrade(house, strategy="logical_replication")
        assert premises.work() == 0
        writers.wait_for(50)
        back = change(house, Kind.ROLLBACK, Rollback())
        assert premises.work(point) == -signal.SIGKILL, f"nobody passed {point}"
        assert premises.work() == 0
        done(house, back)
        assert picture(house)["loss"]["nothing"] is True
        writers.wait_for(50)
        acknowledged = writers.stop()
    assert tenant(house)["epoch"] == 1
    assert_whole(premises.holds(1), acknowledged)
    house.db.close()


@pytest.mark.parametrize(
    "point", ["", *cells(("smoke_verdict", "fence_target", "bring_back", "reverse"), set())]
)
def test_a_switch_that_a_check_takes_back_loses_no_write(premises: Premises, point: str) -> None:
    """Its application is let in, writes, and fails its check meanwhile."""
    house = premises.house()
    house.web.answer(503)
    with Writers(route(house), count=2) as writers:
        writers.wait_for(50)
        operation = upgrade(house, strategy="logical_replication")
        if point:
            assert premises.work(point) == -signal.SIGKILL, f"nobody passed {point}"
        assert premises.work() == 0
        done(house, operation, "partially_applied")
        writers.wait_for(50)
        acknowledged = writers.stop()
    assert (tenant(house)["epoch"], picture(house)["opened_at"] is None) == (1, False)
    held, left = premises.holds(1), premises.holds(2)
    assert_whole(held, acknowledged)
    assert set(left.ledger) <= set(held.ledger), "what only the new database had came back"
    house.db.close()


def test_the_last_snapshot_of_a_destroy_has_every_write_that_was_acknowledged(restoring: Premises) -> None:
    """The application is fenced before, so that nothing is acknowledged that only the lost server has."""
    house = restoring.house()
    login = application(house)
    with Writers(lambda: login, count=2) as writers:
        writers.wait_for(50)
        operation = destroy(house)
        assert restoring.work() == 0
        done(house, operation)
        writers.wait_for_refusals()
        acknowledged = writers.stop()
    [taken] = house.cloud.snapshots()
    restoring.bring_back(taken.identifier)
    assert_whole(restoring.holds(2), acknowledged)
    house.db.close()
