"""The proof: writers go on while a tenant moves between real PostgreSQL servers, and its worker is killed.

Nothing that was acknowledged is lost, doubled or torn; a number that a sequence gave twice its key refuses.
"""

from __future__ import annotations

import json
import signal
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from controlplane.domain.operation import Kind
from controlplane.operations import Rollback
from controlplane.ports import Login
from controlplane.sandbox.clusters import ADMIN, Clusters
from tests.fakes.rds import (
    MASTER,
    REPLICATING_MAJOR,
    Server,
    Servers,
    cluster_folder,
    connect,
    replicating_clusters,
)
from tests.fakes.writers import TABLES, Rows, Writers, rows
from tests.operations.house import House
from tests.operations.ordinary import application, change, create, done, tenant
from tests.operations.real_servers import SITE, build_on_servers, work
from tests.operations.upgrading import picture, upgrade

__all__ = ["cluster_folder", "replicating_clusters"]
pytestmark = pytest.mark.postgres
STEPS = (
    *("apply", "empty_target", "follow", "catch_up", "verify_before", "raise_fence", "drain", "await_rest"),
    *("verify", "turn_round", "flip", "point_route", "open_target"),
)
SHORT = {"raise_fence:after", "flip:after"}
BACK = ("begin_return", "fence_target", "bring_back", "reverse", "point_route", "open_source", "end_reverse")
SHORT_BACK = {"bring_back:after"}
TAKEN_BACK = ("smoke_verdict", "fence_target", "bring_back", "reverse")


@dataclass
class Premises:
    folder: Path
    programs: Path
    sides: dict[int, Server]

    def house(self) -> House:
        return build_on_servers(self.folder, self.programs)

    def work(self, point: str = "") -> int:
        return work(self.folder, self.programs, point)

    def holds(self, epoch: int) -> Rows:
        with self.sides[epoch].rdsadmin() as connection:
            return rows(connection)


@pytest.fixture(scope="module")
def two(replicating_clusters: Clusters) -> Iterator[tuple[Server, Server]]:
    if replicating_clusters.binaries.major < REPLICATING_MAJOR:
        pytest.skip("this machine's PostgreSQL lets only superusers subscribe")
    made = Servers(replicating_clusters)
    try:
        yield made.make(), made.make()
    finally:
        made.remove()


@pytest.fixture
def premises(two: tuple[Server, Server], tmp_path: Path) -> Iterator[Premises]:
    """A tenant that is ready, with tables, on the first of two servers."""
    name = f"t_{uuid.uuid4().hex[:8]}"
    sides = {epoch: server.in_database(name) for epoch, server in enumerate(two, 1)}
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / SITE).write_text(json.dumps({f"e{epoch}": _at(server) for epoch, server in sides.items()}))
    made = Premises(folder, two[0].clusters.binaries.folder, sides)
    house = made.house()
    create(house)
    house.db.close()
    assert made.work() == 0
    with connect(application(made.house())) as connection:
        for statement in TABLES:
            connection.execute(statement.encode())
    yield made
    for server in sides.values():
        server.drop_subscriptions()
    for server in sides.values():
        server.drop_database()
        server.forget_roles()


def _at(server: Server) -> dict[str, Any]:
    return {
        "host": server.address.host,
        "port": server.address.port,
        "database": server.database,
        "master": MASTER,
        "user": ADMIN,
        "password": server.clusters.password,
    }


def cells(steps: tuple[str, ...], short: set[str]) -> list[Any]:
    wheres = ("before", "after", "recorded")
    points = [f"{step}:{where}" for step in steps for where in wheres]
    return [pytest.param(f"{p}:1", marks=() if p in short else pytest.mark.long) for p in points]


def route(house: House) -> Callable[[], Login]:
    return lambda: application(house)


def assert_whole(held: Rows, acknowledged: set[tuple[int, int]]) -> None:
    assert held.lost(acknowledged) == set()
    assert held.doubled() == 0
    assert held.torn() == set()


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
