"""Stalls: somebody holds a lock on a table while a tenant moves under its writers. Every wait is bounded; the
move goes on or is called off, and no acknowledged write is lost either way.

`raise_fence` on the target is what a slow link is: what was acknowledged last has not arrived when it stands.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from controlplane.domain.operation import Status
from tests.fakes.rds import connect, wait_until
from tests.fakes.writers import Writers
from tests.operations.house import House
from tests.operations.ordinary import application, done, shown, tenant
from tests.operations.proving import (
    Premises,
    assert_whole,
    at_step,
    cluster_folder,
    premises,
    replicating_clusters,
    route,
    two,
)
from tests.operations.upgrading import picture, upgrade

__all__ = ["cluster_folder", "premises", "replicating_clusters", "two"]
pytestmark = pytest.mark.postgres
SOURCE, TARGET = 1, 2
CELLS = (
    *((step, TARGET) for step in ("catch_up", "raise_fence", "verify", "turn_round")),
    *((step, SOURCE) for step in ("follow", "catch_up", "verify_before", "raise_fence", "await_rest")),
    *((step, SOURCE) for step in ("verify", "turn_round")),
)
SHORT = ("raise_fence", TARGET)
STALL_SECONDS = 2.0


def cells() -> list[Any]:
    names = {SOURCE: "source", TARGET: "target"}
    marks = {cell: () if cell == SHORT else pytest.mark.long for cell in CELLS}
    return [pytest.param(*cell, id=f"{cell[0]}-{names[cell[1]]}", marks=marks[cell]) for cell in CELLS]


def holding(premises: Premises, epoch: int, over: threading.Event, seconds: float) -> Callable[[], None]:
    """RDS's own session, which no fence ends, locks the table: until then, or until it is over."""

    def hold() -> None:
        with premises.sides[epoch].rdsadmin() as connection, connection.transaction():
            connection.execute("LOCK TABLE public.ledger IN ACCESS EXCLUSIVE MODE")
            over.wait(seconds)

    return hold


@pytest.mark.parametrize(("step", "epoch"), cells())
def test_a_move_waits_for_a_lock_and_loses_no_write(premises: Premises, step: str, epoch: int) -> None:
    house, over = premises.house(), threading.Event()
    with Writers(route(house), count=2) as writers:
        writers.wait_for(50)
        operation = upgrade(house, strategy="logical_replication")
        with at_step(house, operation, step, holding(premises, epoch, over, STALL_SECONDS)) as happened:
            assert premises.work() == 0
        assert happened.is_set(), f"nobody passed {step}"
        done(house, operation)
        writers.wait_for(50)
        acknowledged = writers.stop()
    assert tenant(house)["epoch"] == TARGET
    assert_whole(premises.holds(TARGET), acknowledged)
    house.db.close()


@pytest.mark.long
def test_a_transaction_of_the_application_that_does_not_end_is_ended_by_the_fence(premises: Premises) -> None:
    """Its row was never acknowledged, and is nowhere."""
    house, over = premises.house(), threading.Event()
    ended: list[str] = []

    def idle() -> None:
        try:
            with connect(application(house), autocommit=False) as connection:
                connection.execute("INSERT INTO public.ledger (writer, number) VALUES (99, 1)")
                over.wait(200)
        except psycopg.OperationalError as error:
            ended.append(str(error))

    with Writers(route(house), count=2) as writers:
        writers.wait_for(50)
        operation = upgrade(house, strategy="logical_replication")
        with at_step(house, operation, "verify_before", idle):
            assert premises.work() == 0
            over.set()
        done(house, operation)
        writers.wait_for(50)
        acknowledged = writers.stop()
    held = premises.holds(TARGET)
    assert_whole(held, acknowledged)
    assert ended, "its session was ended"
    assert (99, 1) not in held.ledger
    house.db.close()


def called_off(house: House, operation: str) -> None:
    """The tenant stays where it was, open, and nobody has to settle anything."""
    assert shown(house, operation)["status"] in (Status.FAILED, Status.PARTIALLY_APPLIED)
    assert (tenant(house)["epoch"], tenant(house)["phase"]) == (SOURCE, "ready")
    assert picture(house)["fence"]["closed"] is None


@pytest.mark.long
@pytest.mark.parametrize("epoch", [SOURCE, TARGET])
def test_a_comparison_that_never_gets_its_lock_calls_the_move_off(premises: Premises, epoch: int) -> None:
    house, over = premises.house(), threading.Event()
    with Writers(route(house), count=2) as writers:
        writers.wait_for(50)
        operation = upgrade(house, strategy="logical_replication")
        with at_step(house, operation, "verify", holding(premises, epoch, over, 200)):
            assert premises.work() == 0
            over.set()
        called_off(house, operation)
        writers.wait_for(50)
        acknowledged = writers.stop()
    assert_whole(premises.holds(SOURCE), acknowledged)
    house.db.close()


def is_done(house: House, operation: str, step: str) -> bool:
    progress = shown(house, operation)["metadata"]["progress"]
    return any((one["step"], one["state"]) == (step, "done") for one in progress)


@pytest.mark.long
def test_a_fence_lapses_while_the_last_rows_are_stalled(premises: Premises) -> None:
    """A minute was approved: then the application is let in again, while the lock still stands."""
    house, over = premises.house(), threading.Event()
    with Writers(route(house), count=2) as writers:
        writers.wait_for(50)
        operation = upgrade(house, strategy="logical_replication", outage_minutes=1)
        with at_step(house, operation, "raise_fence", holding(premises, TARGET, over, 300)):
            work = threading.Thread(target=premises.work, daemon=True)
            work.start()
            wait_until(lambda: is_done(house, operation, "drain"), "the fence to stand", 120)
            before = len(writers.acknowledged)
            wait_until(lambda: len(writers.acknowledged) > before + 50, "the fence to lapse", 110)
            assert not is_done(house, operation, "await_rest"), "the last rows never arrived"
            work.join(240)
            over.set()
        called_off(house, operation)
        writers.wait_for(50)
        acknowledged = writers.stop()
    assert_whole(premises.holds(SOURCE), acknowledged)
    house.db.close()
