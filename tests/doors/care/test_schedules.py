"""Schedules: done once, missed ticks said, and one thing's failure is not another's."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from controlplane.domain.errors import CatalogCorrupt, Conflict, Denied, Invalid, Missing, Unavailable
from controlplane.services import access, audit
from controlplane.services.actor import Actor, Role
from controlplane.services.bodies import NewUser
from controlplane.services.control import Ask, Control
from controlplane.services.schedules import listing
from controlplane.services.schedules.jobs import JOBS, Job
from controlplane.services.schedules.listing import Change
from controlplane.services.schedules.running import Clockwork, run
from controlplane.store.tables import AuditEntry, Run, RunLine
from controlplane.worker.schedules import Clock
from tests.doors.care.neighbourhood import ADMIN, Neighbourhood
from tests.unit.rightsizing.traces import Load, flat

ASK = Ask(reason="a test")


class Work:
    """Counts, and fails when it is told to."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.error: Exception | None = None

    def __call__(self, control: Control, actor: Actor) -> str:
        self.done.append(actor.name)
        if self.error is not None:
            raise self.error
        return f"{len(self.done)} done"


def clockwork(here: Neighbourhood, holder: str = "one", **works: Work) -> Clockwork:
    jobs = {name: Job("a test", "0 * * * *", work, 0) for name, work in works.items()}
    made = Clockwork(here.control, holder, jobs)
    made.begin(alone=False)
    return made


def shown(here: Neighbourhood, name: str) -> dict[str, Any]:
    items = listing.page(here.control, ADMIN)["items"]
    return next(item for item in items if item["name"] == name)


def test_nothing_is_due_at_once_and_then_every_hour_once(here: Neighbourhood) -> None:
    work = Work()
    clock = clockwork(here, hourly=work)
    assert not clock.tick()
    here.clock.forward(hours=1)
    assert clock.tick()
    assert not clock.tick()
    assert work.done == ["schedule:hourly"]
    found = shown(here, "hourly")
    assert (found["last_status"], found["last_words"], found["running"]) == ("done", "1 done", None)
    assert datetime.fromisoformat(found["due_at"]) == here.clock.now + timedelta(hours=1)


def test_of_many_workers_one_does_a_tick(here: Neighbourhood) -> None:
    work = Work()
    clocks = [clockwork(here, f"worker-{n}", hourly=work) for n in range(8)]
    here.clock.forward(hours=1)
    barrier, results = threading.Barrier(8), list[bool]()

    def look(clock: Clockwork) -> None:
        barrier.wait(20)
        results.append(clock.tick())

    threads = [threading.Thread(target=look, args=(clock,)) for clock in clocks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (sum(results), len(work.done)) == (1, 1)


def test_ticks_that_nobody_was_there_for_are_said_and_made_up_once(here: Neighbourhood) -> None:
    work = Work()
    clock = clockwork(here, hourly=work)
    here.clock.forward(hours=6)
    assert clock.tick()
    assert not clock.tick()
    assert (shown(here, "hourly")["missed"], shown(here, "hourly")["missed_in_all"]) == (5, 5)
    here.clock.forward(hours=1)
    clock.tick()
    assert (shown(here, "hourly")["missed"], shown(here, "hourly")["missed_in_all"]) == (0, 5)


def test_a_failure_is_written_down_and_the_next_tick_comes(here: Neighbourhood) -> None:
    work, other = Work(), Work()
    clock = clockwork(here, failing=work, other=other)
    work.error = Unavailable("AWS did not answer", hint="wait")
    here.clock.forward(hours=1)
    assert clock.tick()
    assert clock.tick()
    assert shown(here, "failing")["last_status"] == "failed"
    assert shown(here, "failing")["last_words"] == "AWS did not answer; wait"
    assert shown(here, "other")["last_status"] == "done"
    here.clock.forward(hours=1)
    work.error = None
    assert clock.tick()
    assert shown(here, "failing")["last_status"] == "done"


def test_an_error_of_the_program_frees_the_schedule_too(here: Neighbourhood) -> None:
    work = Work()
    clock = clockwork(here, broken=work)
    work.error = KeyError("oops")
    here.clock.forward(hours=1)
    with pytest.raises(KeyError):
        clock.tick()
    found = shown(here, "broken")
    assert (found["last_status"], found["running"]) == ("failed", None)


def test_what_a_killed_worker_held_is_taken_over(here: Neighbourhood) -> None:
    work = Work()
    dead = clockwork(here, "dead", hourly=work)
    here.clock.forward(hours=1)
    with here.control.db.engine.begin() as connection:
        held = here.clock.now + timedelta(minutes=60)
        connection.exec_driver_sql(
            "UPDATE schedule SET holder = 'dead', held_until = ?",
            (held.replace(tzinfo=None).isoformat(" "),),
        )
    assert not dead.tick()
    alone = Clockwork(here.control, "next", dead.jobs)
    alone.begin(alone=True)
    assert shown(here, "hourly")["last_status"] == "lost"
    assert alone.tick()


def test_a_schedule_that_is_off_is_not_done_by_the_clock_but_on_a_word(here: Neighbourhood) -> None:
    here.tenant("idle", load=Load(flat(3), 300))
    listing.change(here.control, ADMIN, "rightsizing", Change(enabled=False), ASK)
    here.clock.forward(days=2)
    here.run("idle", Load(flat(3), 300))
    clock = Clockwork(here.control, "one", {"rightsizing": JOBS["rightsizing"]})
    assert not clock.tick()
    found = run(here.control, ADMIN, "rightsizing", ASK)
    assert (found["last_status"], found["last_words"]) == ("done", "1 databases: 1 new; 0 problems")


def test_what_runs_is_not_begun_again(here: Neighbourhood) -> None:
    listing.change(here.control, ADMIN, "drift", Change(jitter_seconds=0), ASK)
    with here.control.db.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE schedule SET holder = 'x', held_until = '2099-01-01 00:00:00.000000'"
        )
    with pytest.raises(Conflict, match="is being run by x"):
        run(here.control, ADMIN, "drift", ASK)


def test_when_it_is_due_can_be_changed_and_what_cannot_be_read_is_refused(here: Neighbourhood) -> None:
    wanted = Change(cron="0 6 * * *", zone="America/New_York", jitter_seconds=0)
    found = listing.change(here.control, ADMIN, "drift", wanted, ASK)
    assert datetime.fromisoformat(found["due_at"]) == datetime(2026, 3, 3, 11, tzinfo=UTC)
    assert shown(here, "drift")["zone"] == "America/New_York"
    for bad in (Change(cron="every day"), Change(zone="Mars")):
        with pytest.raises(Invalid):
            listing.change(here.control, ADMIN, "drift", bad, ASK)
    with pytest.raises(Missing):
        listing.change(here.control, ADMIN, "nothing", wanted, ASK)
    with pytest.raises(Missing):
        run(here.control, ADMIN, "nothing", ASK)


def test_only_who_may_change_the_fleet_runs_schedules(here: Neighbourhood) -> None:
    for actor in (Actor("v", Role.VIEWER), Actor("o", Role.OPERATOR)):
        with pytest.raises(Denied):
            run(here.control, actor, "drift", ASK)
        assert len(listing.page(here.control, actor)["items"]) == len(JOBS)


def test_the_clock_has_all_that_a_fleet_needs_to_look_after_itself() -> None:
    looks = {"rightsizing", "rightsizing-hot", "alarms", "drift", "drift-full", "quotas"}
    money = {"cost-record", "cost-actuals", "price-refresh", "commitment-advice"}
    assert set(JOBS) == looks | money | {
        *("ttl", "off-hours", "keep-asleep", "restore-drill", "retention", "states", "way-back")
    }


@pytest.mark.parametrize("name", sorted(JOBS))
def test_every_job_ends_in_words_whatever_is_missing_outside(here: Neighbourhood, name: str) -> None:
    here.tenant("idle", load=Load(flat(3), 300))
    found = run(here.control, ADMIN, name, ASK)
    if JOBS[name].runs_terraform or JOBS[name].by_worker:  # this is a door: the worker is asked
        assert found["due_at"] == here.clock.now.isoformat()
        return
    assert found["last_status"] in ("done", "failed")
    assert found["last_words"]
    assert found["running"] is None


def test_the_worker_goes_on_while_something_is_done(here: Neighbourhood) -> None:
    begun, go_on, done = threading.Event(), threading.Event(), []

    def tick() -> bool:
        begun.set()
        assert go_on.wait(20)
        done.append(1)
        return False

    clock = Clock(tick, every_seconds=0)
    clock.look()
    assert begun.wait(20)
    clock.look()  # returns at once, and begins nothing beside it
    assert not clock.join(0)
    go_on.set()
    assert clock.join(20)
    assert done == [1]
    clock.look()
    assert clock.join(20)
    assert done == [1, 1]


def test_a_clock_survives_an_outage_of_the_catalog(here: Neighbourhood) -> None:
    def tick() -> bool:
        raise Unavailable("the catalog is away")

    clock = Clock(tick, every_seconds=0)
    for _ in range(2):
        clock.look()
        assert clock.join(20)


def test_what_is_old_is_dropped_by_the_clock_and_the_audit_says_so(here: Neighbourhood) -> None:
    with here.control.db.write() as session:
        session.add(
            Run(id="r1", operation_id="gone", workspace_id="w", verb="plan", status="ended", ended_at=1)
        )
        session.add(RunLine(run_id="r1", number=1, at=1, stream="terraform", text="line"))
    assert "1 lines dropped" in JOBS["retention"].work(here.control, ADMIN)
    for_ever = replace(here.control, retention_days=0)
    assert JOBS["retention"].work(for_ever, ADMIN) == "everything is kept"
    with here.control.db.read() as session:
        written = session.scalars(
            select(AuditEntry).where(col(AuditEntry.action) == "retention.applied")
        ).one()
    assert written.after["lines"] == 1


def _audited(here: Neighbourhood, folder: Path, days: int = 30) -> Control:
    """Three entries that are old by now."""
    for name in ("ann", "bob", "eve"):
        access.add_user(here.control, ADMIN, NewUser(name=name), ASK)
    here.clock.forward(days=days + 1)
    return replace(here.control, audit_days=days, audit_exports=folder)


def test_old_entries_of_the_audit_leave_for_a_file_and_the_rest_is_proved(
    here: Neighbourhood, tmp_path: Path
) -> None:
    assert "audit" not in JOBS["retention"].work(here.control, ADMIN)  # for ever, unless said
    control = _audited(here, tmp_path / "audit")
    before = list(audit.export(control, ADMIN))
    assert f"{len(before)} audit entries" in JOBS["retention"].work(control, ADMIN)
    (file,) = (tmp_path / "audit").iterdir()
    assert [json.loads(line) for line in file.read_text().splitlines()] == before
    verdict = audit.verify(control, ADMIN)
    assert (verdict["good"], verdict["exported"], verdict["entries"]) == (True, len(before), 1)
    (left,) = audit.export(control, ADMIN)
    assert (left["previous"], left["after"]["digest"]) == (before[-1]["digest"], before[-1]["digest"])
    assert left["after"]["file"] == file.name
    assert "0 audit entries" in JOBS["retention"].work(control, ADMIN)
    with pytest.raises(Invalid, match="left the catalog"):
        audit.verify(control, ADMIN, "1:" + before[0]["digest"])


def test_an_audit_that_somebody_touched_is_not_shortened(here: Neighbourhood, tmp_path: Path) -> None:
    control = _audited(here, tmp_path / "audit")
    with control.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE audit_entry SET actor = 'mallory' WHERE seq = 2")
    before = list(audit.export(control, ADMIN))
    with pytest.raises(CatalogCorrupt, match="entry 2"):
        JOBS["retention"].work(control, ADMIN)
    assert list(audit.export(control, ADMIN)) == before
    assert not (tmp_path / "audit").exists()


def test_what_cannot_be_written_stays(here: Neighbourhood, tmp_path: Path) -> None:
    control = _audited(here, tmp_path / "file" / "audit")
    (tmp_path / "file").write_text("no folder")
    before = list(audit.export(control, ADMIN))
    with pytest.raises(Unavailable, match="all of them stay"):
        JOBS["retention"].work(control, ADMIN)
    assert list(audit.export(control, ADMIN)) == before
