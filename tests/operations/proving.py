"""What proofs on two real servers stand on: a tenant with tables, applications that write, an oracle."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from controlplane.ports import Login
from controlplane.sandbox.clusters import ADMIN, Clusters
from tests.fakes.rds import (
    MASTER,
    REPLICATING_MAJOR,
    SETTINGS,
    Server,
    Servers,
    cluster_folder,
    connect,
    replicating_clusters,
)
from tests.fakes.writers import TABLES, Rows, rows
from tests.operations.house import House
from tests.operations.ordinary import application, create, shown
from tests.operations.real_servers import SITE, build_on_servers, work

__all__ = ["cluster_folder", "premises", "replicating_clusters", "restoring", "two"]


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
        side = self.sides[epoch]
        with replace(side, address=side.cluster.address() or side.address).rdsadmin() as connection:
            return rows(connection)

    def bring_back(self, snapshot: str) -> None:
        """The second server, from a snapshot of the first one."""
        side = self.sides[2]
        side.clusters.restore(side.name, SETTINGS, snapshot, 0)


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
    yield _moved_in(two[0].clusters, tmp_path, sides, {f"e{epoch}": _at(one) for epoch, one in sides.items()})
    for server in sides.values():
        server.drop_subscriptions()
    for server in sides.values():
        server.drop_database()
        server.forget_roles()


@pytest.fixture
def restoring(two: tuple[Server, Server], tmp_path: Path) -> Iterator[Premises]:
    """The same; the second server is made from the first one's snapshot."""
    source = two[0].in_database(f"t_{uuid.uuid4().hex[:8]}")
    target = replace(source, name=f"r-{uuid.uuid4().hex[:10]}")
    here = {**_at(source), "server": source.name, "folder": str(two[0].clusters.folder)}
    there = {name: here[name] for name in ("database", "master", "user", "password", "folder")}
    site = {"e1": here, "e2": {**there, "server": target.name}}
    yield _moved_in(two[0].clusters, tmp_path, {1: source, 2: target}, site)
    two[0].clusters.remove(target.name, keep_history=False)  # first: what it sends to goes next
    source.drop_subscriptions()
    source.drop_database()
    source.forget_roles()


def _moved_in(clusters: Clusters, folder: Path, sides: dict[int, Server], site: dict[str, Any]) -> Premises:
    home = folder / "house"
    home.mkdir()
    (home / SITE).write_text(json.dumps(site))
    made = Premises(home, clusters.binaries.folder, sides)
    house = made.house()
    create(house)
    house.db.close()
    assert made.work() == 0
    with connect(application(made.house())) as connection:
        for statement in TABLES:
            connection.execute(statement.encode())
    return made


def _at(server: Server) -> dict[str, Any]:
    return {
        "host": server.address.host,
        "port": server.address.port,
        "database": server.database,
        "master": MASTER,
        "user": ADMIN,
        "password": server.clusters.password,
    }


@contextmanager
def at_step(house: House, operation: str, step: str, act: Callable[[], None]) -> Iterator[threading.Event]:
    """Do it when the step begins, from outside of the worker; says whether that came to pass."""
    happened, over = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.is_set():
            if any(one["step"] == step for one in shown(house, operation)["metadata"]["progress"]):
                happened.set()
                act()
                return
            time.sleep(0.01)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield happened
    finally:
        over.set()
        thread.join(90)


def route(house: House) -> Callable[[], Login]:
    return lambda: application(house)


def assert_whole(held: Rows, acknowledged: set[tuple[int, int]]) -> None:
    assert held.lost(acknowledged) == set()
    assert held.doubled() == 0
    assert held.torn() == set()
