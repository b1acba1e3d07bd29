"""Servers die while a tenant moves between them under its writers: whatever becomes of the move, the database
that the route points to has every acknowledged write, and applications get in again.

Long form only: a killed server is started again half a second later, as a host that comes back would be.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import pytest

from controlplane.domain.operation import Status
from tests.fakes.rds import Server, wait_until
from tests.fakes.writers import Writers
from tests.operations.ordinary import done, shown, tenant
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
from tests.operations.upgrading import upgrade

__all__ = ["cluster_folder", "premises", "replicating_clusters", "two"]
pytestmark = [pytest.mark.postgres, pytest.mark.long]
STEPS = (
    *("empty_target", "follow", "catch_up", "verify_before", "raise_fence", "drain", "await_rest", "verify"),
    *("turn_round", "flip", "point_route", "open_target"),
)
SIDES = {1: "source", 2: "target"}
CELLS = [pytest.param(step, epoch, id=f"{step}-{SIDES[epoch]}") for step in STEPS for epoch in SIDES]
DOWN_SECONDS = 0.5


def kill(server: Server) -> Callable[[], None]:
    """And start it again."""

    def act() -> None:
        server.cluster.stop("kill")
        time.sleep(DOWN_SECONDS)
        server.cluster.start(server.address.host, server.address.port)

    return act


@pytest.mark.parametrize(("step", "epoch"), CELLS)
def test_a_server_that_dies_costs_no_acknowledged_write(premises: Premises, step: str, epoch: int) -> None:
    house = premises.house()
    with Writers(route(house), count=2) as writers:
        writers.wait_for(50)
        operation = upgrade(house, strategy="logical_replication")
        with at_step(house, operation, step, kill(premises.sides[epoch])) as happened:
            assert premises.work() == 0
        assert happened.is_set(), f"nobody passed {step}"
        wait_until(premises.sides[epoch].cluster.is_running, "the server to be back")
        assert shown(house, operation)["status"] != Status.NEEDS_OPERATOR
        writers.wait_for(50)
        acknowledged = writers.stop()
    assert_whole(premises.holds(tenant(house)["epoch"]), acknowledged)
    house.db.close()


@pytest.mark.parametrize("number", range(20))
def test_writers_pause_while_their_tenant_moves(premises: Premises, number: int) -> None:
    """A figure of the machine, so nothing is asserted of it: `-s` shows it."""
    house = premises.house()
    with Writers(route(house), count=4) as writers:
        writers.wait_for(200)
        operation = upgrade(house, strategy="logical_replication")
        assert premises.work() == 0
        done(house, operation)
        writers.wait_for(200)
        acknowledged = writers.stop()
    sys.stdout.write(f"move {number}: nobody wrote for {writers.longest_pause():.2f} s\n")
    assert_whole(premises.holds(2), acknowledged)
    house.db.close()
