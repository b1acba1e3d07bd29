"""Several workers in several cells on one catalog: each takes what is its cell's, also after a kill."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from controlplane.domain.quotas.cells import Cell
from controlplane.operations import Create
from controlplane.services import tenants
from controlplane.store import operations, platforms
from controlplane.store.operations import OperationFilter
from tests.operations.house import ADMIN, ASK, BLUEPRINT, PLATFORM, House, build
from tests.operations.many_workers import Crew

pytestmark = pytest.mark.postgres
SECONDS = 300
CELLS = {name: Cell(name, "us-east-1") for name in ("default", "second")}


@pytest.fixture
def house(tmp_path: Path, url: str) -> Iterator[House]:
    """With a platform in each of two cells."""
    built = build(tmp_path / "house", url=url)
    workspace, now = f"platform-{BLUEPRINT}-development-second", datetime.now(UTC)
    with built.db.write() as session:
        where = {"blueprint": BLUEPRINT, "environment": "development", "cell": "second"}
        platforms.ensure(session, workspace, region="us-east-1", options={}, now=now, **where)
        platforms.record_outputs(session, workspace, PLATFORM, "ready", now)
    built.control = replace(built.control, cells=CELLS)
    yield built
    built.db.close()


def ask_for(house: House, cell: str, count: int) -> None:
    for n in range(count):
        tenants.create(house.control, ADMIN, Create(slug=f"{cell}-{n}", cell=cell), ASK)


def statuses(house: House, cell: str) -> list[str]:
    with house.db.read() as session:
        rows = operations.page(session, OperationFilter(), None, 100)
        return [row.status for row in rows if row.tenant_slug.startswith(cell)]


def until_done(house: House, cell: str, *crews: Crew) -> None:
    deadline = time.monotonic() + SECONDS
    while set(statuses(house, cell)) != {"succeeded"}:
        for crew in crews:
            crew.tend()
        assert time.monotonic() < deadline, statuses(house, cell)
        time.sleep(0.3)


def executors(url: str) -> dict[str, set[str]]:
    """Cell → whose workers the engine says did its legs; an operation's id is the head of a leg's."""
    query = (
        "SELECT t.cell, w.executor_id FROM dbos.workflow_status w"
        " JOIN operation o ON o.id = split_part(w.workflow_uuid, ':', 1)"
        " JOIN tenant t ON t.uid = o.tenant_uid"
    )
    found: dict[str, set[str]] = {}
    with psycopg.connect(url) as catalog:
        for cell, executor in catalog.execute(query).fetchall():
            found.setdefault(cell, set()).add(executor)
    return found


def named(crew: Crew) -> set[str]:
    return {f"worker-{pid}" for pid in crew.pids}


def test_each_cell_s_work_is_done_by_its_own_workers(house: House, url: str) -> None:
    for cell in CELLS:
        ask_for(house, cell, 3)
    second = Crew(house, url, 2, "second")
    try:
        until_done(house, "second", second)
        assert set(statuses(house, "default")) == {"pending"}
        first = Crew(house, url, 2, "default")
        try:
            ask_for_more = Create(slug="second-more", cell="second")
            tenants.create(house.control, ADMIN, ask_for_more, ASK)
            second.kill(0)
            until_done(house, "default", first, second)
            until_done(house, "second", first, second)
        finally:
            first.dismiss()
    finally:
        second.dismiss()
    did = executors(url)
    assert did["default"] <= named(first)
    assert did["second"] <= named(second)
    assert len(house.cloud.databases()) == 7


def test_what_a_dead_worker_began_is_gone_on_with_in_its_own_cell(house: House, url: str) -> None:
    """A worker of another cell sees first that it died, and leaves its work where it belongs."""
    ask_for(house, "second", 2)
    other = Crew(house, url, 1, "default")
    dying = Crew(house, url, 1, "second")
    try:
        deadline = time.monotonic() + SECONDS
        while set(statuses(house, "second")) <= {"pending"}:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        dying.kill(0)
        time.sleep(6)  # longer than its lease: the other one has taken note
        heirs = Crew(house, url, 1, "second")
        try:
            until_done(house, "second", heirs, other)
        finally:
            heirs.dismiss()
    finally:
        other.dismiss()
        dying.dismiss()
    assert executors(url)["second"] <= named(dying) | named(heirs)
    assert len(house.cloud.databases()) == 2
