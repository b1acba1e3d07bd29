"""Several workers on PostgreSQL: killed at random, stopped past their lease, one at a time for a tenant."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from controlplane.domain.operation import FINAL, Kind
from controlplane.operations import Create, Destroy
from controlplane.services import tenants
from controlplane.store import leases, operations
from controlplane.store.database import Database, open_database
from controlplane.store.operations import OperationFilter
from controlplane.store.tables import Operation
from controlplane.worker.lease import LEASE_SECONDS as IN_EARNEST
from controlplane.worker.lease import Lease, Place
from tests.operations.house import ADMIN, ASK, House, build
from tests.operations.many_workers import LEASE_SECONDS, Crew, start

pytestmark = pytest.mark.postgres
SECONDS = 600
BADLY = {"needs_operator", *(status.value for status in FINAL)} - {"succeeded"}
PROMISED_SECONDS = 60


@pytest.fixture
def house(tmp_path: Path, url: str) -> Iterator[House]:
    built = build(tmp_path / "house", url=url)
    yield built
    built.db.close()


def statuses(house: House) -> list[str]:
    with house.db.read() as session:
        return [o.status for o in operations.page(session, OperationFilter(), None, 200)]


def troubles(house: House) -> list[tuple[str, str, dict[str, Any]]]:
    """What ended badly, with its cause."""
    with house.db.read() as session:
        rows = operations.page(session, OperationFilter(), None, 200)
        return [(o.kind, o.status, o.error) for o in rows if o.status in BADLY]


def wait_for_all(house: House, count: int, crew: Crew) -> None:
    deadline = time.monotonic() + SECONDS
    while statuses(house).count("succeeded") < count:
        crew.tend()
        assert time.monotonic() < deadline, statuses(house)
        assert troubles(house) == []
        time.sleep(0.5)


def ask_for(house: House, tenants_wanted: int) -> int:
    """A create and, queued behind it, a destroy of each tenant."""
    for n in range(tenants_wanted):
        tenants.create(house.control, ADMIN, Create(slug=f"shop-{n}"), ASK)
    return tenants_wanted


@pytest.mark.parametrize("wanted", [12, pytest.param(20, marks=pytest.mark.long)])
def test_random_kills_lose_double_and_overlap_nothing(house: House, url: str, wanted: int) -> None:
    count, kills = ask_for(house, wanted), 5
    dice = random.Random(7)
    crew = Crew(house, url, 3)
    try:
        for _ in range(kills - 1):
            time.sleep(dice.uniform(1.5, 4.0))
            crew.kill(dice.randrange(3))
            crew.tend()
        wait_for_all(house, count, crew)
        for n in range(count):
            tenants.change(house.control, ADMIN, Kind.DESTROY, f"shop-{n}", Destroy(confirm=f"shop-{n}"), ASK)
        crew.kill(0)
        wait_for_all(house, 2 * count, crew)
    finally:
        crew.dismiss()
    assert house.terraform.overlaps() == []
    assert house.cloud.databases() == []
    assert len(house.cloud.snapshots()) == count
    applied = house.terraform.applied()
    assert len(applied) == len(set(applied)), "no plan is applied twice"
    # The double's runs advance with their worker, so a kill may come between what AWS did and what the state
    # says of it. That is settled: what exists is adopted and the rest planned anew, a second plan by design.
    # Planning changes nothing; what must not be doubled is an apply, and what it makes.
    assert 3 * count <= len(applied) <= 3 * count + kills


def test_what_a_dead_worker_left_is_done_within_a_minute(house: House, url: str) -> None:
    """With the lease that workers have in earnest."""
    count = ask_for(house, 1)
    dying = start(house.folder, url, "apply:middle", IN_EARNEST)
    dying.join(SECONDS)
    assert dying.exitcode == -signal.SIGKILL
    died = time.monotonic()
    successors = Crew(house, url, 1)
    try:
        wait_for_all(house, count, successors)
    finally:
        successors.dismiss()
    assert time.monotonic() - died < PROMISED_SECONDS
    assert len(house.cloud.databases()) == len(house.terraform.applied()) == count


def test_a_stopped_worker_runs_no_step_when_it_is_continued(house: House, url: str) -> None:
    count = ask_for(house, 6)
    zombie = start(house.folder, url)
    deadline = time.monotonic() + SECONDS
    while not (house.folder / "steps.txt").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert zombie.pid
    os.kill(zombie.pid, signal.SIGSTOP)
    successors = Crew(house, url, 1)
    try:
        time.sleep(LEASE_SECONDS * 1.5)
        before = steps_of(house, zombie.pid)
        os.kill(zombie.pid, signal.SIGCONT)
        zombie.join(LEASE_SECONDS)
        assert zombie.exitcode, "it ended itself"
        assert steps_of(house, zombie.pid) == before
        wait_for_all(house, count, successors)
    finally:
        successors.dismiss()
        zombie.kill()
    assert len(house.cloud.databases()) == count


class Ended(Exception):
    """Where a worker would end its process."""


def test_what_a_worker_was_writing_when_it_lost_its_lease_is_not_kept(house: House, url: str) -> None:
    def end() -> None:
        raise Ended

    db = open_database(url)
    held = Lease(db, "stopped", Place("here"), 100, end)
    held.take()
    write(db, "before")
    with pytest.raises(Ended), db.write() as session:
        session.add(operation("in-flight"))
        with house.db.write() as successor:  # meanwhile it was taken for dead
            leases.release(successor, "stopped")
    with house.db.read() as session:
        assert [one.id for one in operations.page(session, OperationFilter(), None, 10)] == ["before"]
    held.release()
    db.close()


def write(db: Database, name: str) -> None:
    with db.write() as session:
        session.add(operation(name))


def operation(name: str) -> Operation:
    return Operation(
        id=name,
        kind="create",
        workspace_id=f"tenant-{name}",
        requested_by="ann",
        created_at=datetime.now(UTC),
    )


def steps_of(house: House, pid: int) -> int:
    lines = (house.folder / "steps.txt").read_text().splitlines()
    return sum(line.startswith(f"{pid} ") for line in lines)
