"""Runs as everybody but their supervisor sees them; the same on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from controlplane.adapters.keyring import FileKeyring
from controlplane.domain.errors import Conflict, Missing
from controlplane.domain.names import OperationId, RunId, WorkspaceId
from controlplane.ports import RunOrder, RunVerb
from controlplane.store import leases
from controlplane.store.database import Database
from controlplane.store.runs import Runs, give_up
from controlplane.store.states import States
from controlplane.store.tables import AuditEntry, Run, RunLine

ORDER = RunOrder(
    *(RunId("a1"), WorkspaceId("w"), OperationId("op"), RunVerb.APPLY, "/folder"),
    plan_run=RunId("p1"),
    touches_database=True,
    timeout_seconds=7,
)


@pytest.fixture
def runs(db: Database, tmp_path: Path) -> Runs:
    return Runs(db, FileKeyring(tmp_path / "keys" / "keyring.json"))


def change(db: Database, **values: object) -> None:
    with db.write() as session:
        session.execute(update(Run).where(col(Run.id) == "a1").values(**values))


def test_an_order_is_written_once_and_whole(runs: Runs) -> None:
    assert runs.order(ORDER)
    assert not runs.order(ORDER)
    row = runs.find("a1")
    assert row is not None
    assert (row.status, row.verb, row.workspace_id, row.operation_id) == ("ordered", "apply", "w", "op")
    assert row.details == {
        "folder": "/folder",
        "plan_run": "p1",
        "destroy": False,
        "touches_database": True,
        "timeout_seconds": 7,
    }
    assert runs.find("a2") is None
    assert [found.id for found in runs.of_operation("op")] == ["a1"]


def test_who_insists_once_is_not_taken_back(runs: Runs) -> None:
    runs.order(ORDER)
    asked = []
    for insist in (False, True, False):
        runs.ask_to_stop("a1", insist=insist)
        row = runs.find("a1")
        asked.append(row.interrupt_requested if row else "")
    assert asked == ["ask", "insist", "insist"]


def test_a_run_that_is_over_is_not_asked_to_stop(runs: Runs, db: Database) -> None:
    runs.order(ORDER)
    change(db, status="ended")
    runs.ask_to_stop("a1", insist=True)
    row = runs.find("a1")
    assert row is not None
    assert row.interrupt_requested == ""


def test_a_run_is_lost_only_with_the_supervisor_that_is_gone(runs: Runs, db: Database) -> None:
    runs.order(ORDER)
    change(db, status="running", supervisor="new")
    assert [row.id for row in runs.unfinished()] == ["a1"]
    assert not runs.declare_lost("a1", "old")
    assert runs.declare_lost("a1", "new")
    assert not runs.declare_lost("a1", "new")
    assert runs.unfinished() == []


def test_with_a_lost_run_its_lock_goes_and_the_audit_says_so(
    runs: Runs, db: Database, tmp_path: Path
) -> None:
    states = States(db, FileKeyring(tmp_path / "keys" / "keyring.json"))
    runs.order(ORDER)
    change(db, status="running", supervisor="x", host="far:1")
    states.lock("w", "run:a1", "run:a1", {"ID": "run:a1"})
    assert runs.declare_lost("a1", "x")
    assert states.lock_holder("w") is None
    with db.read() as session:
        [entry] = session.scalars(select(AuditEntry))
    assert (entry.actor, entry.action, entry.subject) == ("controlplane", "lock.released", "w")
    assert (entry.before["ID"], entry.before["Host"]) == ("run:a1", "far:1")
    assert "its host's ran out" in entry.reason


def test_a_person_may_say_that_a_run_is_lost_but_not_while_its_lease_is_kept(
    runs: Runs, db: Database
) -> None:
    runs.order(ORDER)
    change(db, status="running", supervisor="x", host="far:1", lease_until=runs.now() + 100)
    with db.write() as session, pytest.raises(Conflict, match="keeps its lease"):
        give_up(session, session.get_one(Run, "a1"), "ann", "")
    change(db, lease_until=runs.now() - 1)
    with db.write() as session:
        give_up(session, session.get_one(Run, "a1"), "ann", "")
    with db.write() as session, pytest.raises(Conflict, match="over by now"):
        give_up(session, session.get_one(Run, "a1"), "ann", "")
    assert runs.unfinished() == []


def test_lines_are_paged_by_number(runs: Runs, db: Database) -> None:
    with db.write() as session:
        session.add_all(
            RunLine(run_id="a1", number=n, at=n, stream="terraform", text=f"line {n}") for n in (2, 1, 3)
        )
    assert [line.offset for line in runs.lines("a1", after=1, limit=1)] == [2]
    assert [line.text for line in runs.lines("a1", after=2)] == ["line 3"]
    assert runs.tail("a1", 2) == ["line 2", "line 3"]


def test_an_artifact_that_was_not_left_is_missing(runs: Runs) -> None:
    with pytest.raises(Missing, match="plan"):
        runs.artifact("a1", "plan")
    assert runs.artifact_digest("a1", "plan") is None


def test_a_host_lives_while_one_of_its_workers_renews_its_lease(runs: Runs, db: Database) -> None:
    assert not runs.host_lives("far:1")
    with db.write() as session:
        leases.take(session, "w1", "far", 1, 100)
        leases.take(session, "w2", "gone", 1, -1)
    assert runs.host_lives("far:1")
    assert not runs.host_lives("gone:1")
    assert not runs.host_lives("fa")


def test_workers_are_counted_in_the_cell_that_they_live_in(db: Database) -> None:
    with db.write() as session:
        leases.take(session, "w1", "far", 1, 100, "eu")
        leases.take(session, "w2", "far", 2, 100, "us")
        leases.take(session, "w3", "far", 3, -1, "us")
        found = {cell: [one.executor_id for one in leases.living(session, cell)] for cell in ("eu", "us", "")}
    assert {cell: sorted(ids) for cell, ids in found.items()} == {
        "eu": ["w1"],
        "us": ["w2"],
        "": ["w1", "w2"],
    }
