"""What proofs on two real servers stand on: a tenant with tables, applications that write, an oracle."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

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
from tests.fakes.writers import TABLES, Rows, rows
from tests.operations.house import House
from tests.operations.ordinary import application, create
from tests.operations.real_servers import SITE, build_on_servers, work

__all__ = ["cluster_folder", "premises", "replicating_clusters", "two"]


@dataclass
class Premises:
    folder: Path
    programs: Path
    sides: dict[int, Server]

    def house(self) -> House:
        return build_on_servers(self.folder, self.programs)

    def work(self, point: str = "", mutant: str = "") -> int:
        return work(self.folder, self.programs, point, mutant)

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


def route(house: House) -> Callable[[], Login]:
    return lambda: application(house)


def assert_whole(held: Rows, acknowledged: set[tuple[int, int]]) -> None:
    assert held.lost(acknowledged) == set()
    assert held.doubled() == 0
    assert held.torn() == set()
