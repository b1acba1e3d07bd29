"""Schedules where there are several cells: what asks a cell's AWS is done in each, by its own workers."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from controlplane.domain.errors import Invalid, Missing, Refused
from controlplane.domain.quotas.cells import Cell
from controlplane.services import figures
from controlplane.services.control import Ask, Control
from controlplane.services.recovery import drilling
from controlplane.services.rightsizing import alarms
from controlplane.services.schedules import listing, running
from controlplane.services.schedules.jobs import JOBS, Job
from controlplane.services.schedules.listing import Change
from controlplane.services.schedules.running import Clockwork
from controlplane.store import platforms
from controlplane.store.fleet import scans
from controlplane.store.fleet.rows import QuotaLimit
from tests.doors.care.neighbourhood import ADMIN, WAY, Neighbourhood
from tests.doors.care.test_alarms import FakeQueue, rings
from tests.doors.cli.terminal import Terminal

ASK = Ask(reason="a test")
CELLS = {name: Cell(name, "us-east-1") for name in ("default", "second")}


@pytest.fixture
def town(here: Neighbourhood) -> Neighbourhood:
    """Two cells of one region; the process that is asked stands in the first."""
    here.premises.control = here.control = replace(here.control, cells=CELLS)
    return here


def settle(town: Neighbourhood, slug: str, cell: str) -> None:
    town.tenant(slug)
    with town.control.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tenant SET cell = ? WHERE slug = ?", (cell, slug))


def shown(town: Neighbourhood, name: str) -> dict[Any, Any]:
    return {one["cell"]: one for one in listing.page(town.control, ADMIN)["items"] if one["name"] == name}


def worker(town: Neighbourhood, cell: str, done: list[str], holder: str = "") -> Clockwork:
    """One that lives in this cell, and tells where it did what."""

    def work(control: Control, actor: Any) -> str:
        done.append(f"{actor.name} in {control.cell}")
        return "done"

    jobs = {
        "drift": Job("a test", "0 * * * *", work, 0, by_cell=True),
        "ttl": Job("a test", "0 * * * *", work, 0),
    }
    made = Clockwork(replace(town.control, cell=cell), holder or cell, jobs)
    made.begin(alone=False)
    return made


def test_each_cell_is_looked_after_once_by_its_own_workers(town: Neighbourhood) -> None:
    done: list[str] = []
    workers = [worker(town, cell, done, f"{cell}-{n}") for cell in CELLS for n in range(3)]
    town.clock.forward(hours=1)
    barrier = threading.Barrier(len(workers))

    def live(one: Clockwork) -> None:
        barrier.wait(20)
        while one.tick():
            pass

    threads = [threading.Thread(target=live, args=(one,)) for one in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    looked, ended = sorted(one for one in done if "drift" in one), [one for one in done if "ttl" in one]
    assert looked == ["schedule:drift in default", "schedule:drift in second"]
    assert len(ended) == 1  # of all cells at once


def test_a_cell_without_a_living_worker_is_reported(town: Neighbourhood) -> None:
    done: list[str] = []
    ours = worker(town, "default", done)
    for _ in range(4):
        town.clock.forward(hours=1)
        while ours.tick():
            pass
    found = shown(town, "drift")
    late = figures.gauges(town.control)["controlplane_schedules_overdue"]
    assert late[("cell", "second"),] > late[("cell", "default"),]
    assert (found["default"]["missed"], found["default"]["overdue"]) == (0, False)
    assert (found["second"]["missed"], found["second"]["overdue"]) == (3, True)
    assert found["second"]["last_status"] == ""
    hired = worker(town, "second", done)
    while hired.tick():
        pass
    found = shown(town, "drift")
    assert (found["second"]["missed_in_all"], found["second"]["overdue"]) == (3, False)
    assert done[-1] == "schedule:drift in second"


def test_a_cell_that_is_opened_is_looked_after_as_the_others_are(here: Neighbourhood) -> None:
    listing.change(here.control, ADMIN, "drift", Change(cron="0 6 * * *", jitter_seconds=0), ASK)
    assert set(shown(here, "drift")) == {None}
    here.control = replace(here.control, cells=CELLS)
    found = shown(here, "drift")
    assert {cell: one["cron"] for cell, one in found.items()} == {
        "default": "0 6 * * *",
        "second": "0 6 * * *",
    }
    assert [one["id"] for one in found.values()] == ["drift@default", "drift@second"]
    assert set(shown(here, "ttl")) == {None}


def test_a_change_is_of_all_cells_unless_one_is_named(town: Neighbourhood) -> None:
    listing.change(town.control, ADMIN, "drift", Change(cron="0 6 * * *"), ASK)
    listing.change(town.control, ADMIN, "drift", Change(cell="second", enabled=False), ASK)
    found = shown(town, "drift")
    assert [one["cron"] for one in found.values()] == ["0 6 * * *"] * 2
    assert [one["enabled"] for one in found.values()] == [True, False]
    with pytest.raises(Invalid, match="once for all cells"):
        listing.change(town.control, ADMIN, "ttl", Change(cell="second", enabled=False), ASK)
    with pytest.raises(Missing, match="no cell 'moon'"):
        listing.change(town.control, ADMIN, "drift", Change(cell="moon"), ASK)


def test_cells_do_not_begin_at_one_moment(town: Neighbourhood) -> None:
    town.control = replace(
        town.control, cells={f"cell-{n}": Cell(f"cell-{n}", "us-east-1") for n in range(6)}
    )
    due = {datetime.fromisoformat(one["due_at"]) for one in shown(town, "rightsizing").values()}
    assert len(due) > 1


def test_what_is_asked_for_is_done_here_and_left_to_the_others_elsewhere(town: Neighbourhood) -> None:
    settle(town, "ours", "default")
    settle(town, "theirs", "second")
    assert running.run(town.control, ADMIN, "drift", ASK)["last_words"].startswith("1 databases")
    left = running.run(town.control, ADMIN, "drift", ASK, "second")
    assert (left["cell"], left["last_status"], left["due_at"]) == ("second", "", town.clock.now.isoformat())
    there = Clockwork(replace(town.control, cell="second"), "there", {"drift": JOBS["drift"]})
    assert there.tick()
    assert shown(town, "drift")["second"]["last_words"].startswith("1 databases")
    with pytest.raises(Missing, match="no cell"):
        running.run(town.control, ADMIN, "drift", ASK, "moon")
    with pytest.raises(Invalid, match="once for all cells"):
        running.run(town.control, ADMIN, "ttl", ASK, "second")


def test_with_one_cell_its_name_may_be_said(here: Neighbourhood) -> None:
    found = running.run(here.control, ADMIN, "drift", ASK, "default")
    assert (found["cell"], found["last_status"]) == (None, "done")


def test_everything_that_asks_a_cell_s_aws_is_done_in_each() -> None:
    by_cell = {name for name, job in JOBS.items() if job.by_cell}
    looks = {"rightsizing", "rightsizing-hot", "alarms", "drift", "drift-full", "quotas"}
    assert by_cell == looks | {"keep-asleep", "restore-drill", "way-back"}


def test_schedules_of_cells_through_both_doors(
    town: Neighbourhood, capsys: pytest.CaptureFixture[str]
) -> None:
    api = town.premises.client()
    terminal = Terminal(capsys, ("--server", str(api.base_url), "--token", town.premises.token(name="p")))
    left = api.post("/v1/schedules/drift/run", json={"cell": "second"}).json()
    assert (left["cell"], left["overdue"]) == ("second", False)
    assert api.post("/v1/schedules/ttl/run", json={"cell": "second"}).status_code == 422
    assert terminal("schedule", "run", "drift", "--cell", "default").code == 0
    assert terminal("schedule", "set", "drift", "--cell", "second", "--off").code == 0
    rows = terminal("schedule", "list", "-o", "json").json()["items"]
    assert {row["cell"]: row["enabled"] for row in rows if row["name"] == "drift"} == {
        "default": True,
        "second": False,
    }


# --- what is done there -------------------------------------------------------------------------------


def test_a_drill_is_let_in_by_the_quotas_of_its_own_cell(town: Neighbourhood) -> None:
    settle(town, "theirs", "second")
    with town.control.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE slot SET resource_id = 'db-1'")
    with town.control.db.write() as session:
        home = platforms.every(session)[0]
        where = {"blueprint": home.blueprint, "environment": home.environment, "cell": "second"}
        platforms.ensure(session, "p2", region="us-east-1", options={}, now=town.clock.now, **where)
        platforms.record_outputs(session, "p2", {"vpc_id": "vpc-2"}, "ready", town.clock.now)
        full = QuotaLimit(
            region="us-east-1", cell="second", name="rds_instances", granted=2, seen_at=town.clock.now
        )
        scans.save_limits(session, [full])
    there = replace(town.control, cell="second")
    with pytest.raises(Refused, match="cell second"):
        drilling.by_the_clock(there, ADMIN)
    assert drilling.by_the_clock(town.control, ADMIN) == "there is no tenant that could be restored"


def test_an_alarm_of_another_cell_is_left_to_its_workers(town: Neighbourhood) -> None:
    settle(town, "theirs", "second")
    running.run(town.control, ADMIN, "drift", ASK)  # the rows are there
    before = shown(town, "rightsizing-hot")["second"]["due_at"]
    queue = FakeQueue()
    rings(queue, str(town.slot("theirs")["identifier"]))
    heard = replace(town.control, alarm_source=lambda: queue)
    assert alarms.take(heard, ADMIN, WAY)["looked_at"] == []
    after = shown(town, "rightsizing-hot")
    assert after["second"]["due_at"] == town.clock.now.isoformat() < before
    assert after["default"]["due_at"] > town.clock.now.isoformat()
