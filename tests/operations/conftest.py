from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from controlplane.sandbox.postgres import Cluster, discover
from controlplane.worker.loop import Worker
from tests.operations.desk import Desk, furnish
from tests.operations.house import House, build
from tests.operations.ordinary import application, create
from tests.operations.upgrading import TABLE


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build(tmp_path / "house")
    yield built
    built.db.close()


@pytest.fixture
def worker(house: House) -> Iterator[Worker]:
    """A worker of this process, with the real engine."""
    made = house.worker()
    yield made
    made.engine.stop()


@pytest.fixture
def run(worker: Worker) -> Callable[[], None]:
    """Run it until nothing is left to do."""
    return lambda: worker.run(until_idle=True)


@pytest.fixture
def poc(house: House, run: Callable[[], None]) -> House:
    """A tenant with rows."""
    create(house)
    run()
    house.database.write(application(house), TABLE, "one", "two")
    return house


@pytest.fixture
def desk(house: House, tmp_path: Path) -> Iterator[Desk]:
    worker = house.worker()
    yield furnish(house, tmp_path / "home", worker)
    worker.engine.stop()


@pytest.fixture
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A catalog on a PostgreSQL of its own, for several workers."""
    cluster = Cluster(tmp_path_factory.mktemp("postgres") / "cluster", discover())
    password = secrets.token_hex(8)
    cluster.init("catalog", password)
    try:
        address = cluster.start()
        base = f"postgresql://catalog:{password}@{address.host}:{address.port}"
        with psycopg.connect(f"{base}/postgres", autocommit=True) as admin:
            admin.execute("CREATE DATABASE catalog")
        yield f"{base}/catalog"
    finally:
        cluster.remove()
