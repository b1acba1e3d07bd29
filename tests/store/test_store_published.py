"""States that plain Terraform works on too: catalog and bucket agree, whoever wrote, whoever was killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from controlplane.adapters.keyring import FileKeyring
from controlplane.domain.errors import Conflict, Locked, Stale, Unavailable
from controlplane.domain.names import OperationId, RunId, WorkspaceId
from controlplane.ports import RunOrder, RunVerb
from controlplane.store.database import Database
from controlplane.store.runs import Runs
from controlplane.store.states import States
from controlplane.store.states.bucket import PublishedStates
from controlplane.store.tables import AuditEntry
from tests.fakes.bucket import FakeBucket

W = "tenant-abc"
RUN = "run:r1"
THEIRS = {"ID": "0c1d", "Who": "ann@laptop", "Operation": "OperationTypeApply"}


def content(serial: int, lineage: str = "l", **more: Any) -> bytes:
    return json.dumps({"version": 4, "serial": serial, "lineage": lineage, **more}).encode()


class Shared:
    """A catalog and a bucket, and what a run's supervisor does: it writes into the catalog alone."""

    def __init__(self, db: Database, folder: Path) -> None:
        self.db, self.bucket = db, FakeBucket()
        self.keyring = FileKeyring(folder / "keys" / "keyring.json")
        self.states = PublishedStates(db, self.keyring, self.bucket)
        self.supervisor = States(db, self.keyring)

    def order(self, run_id: str) -> None:
        order = RunOrder(RunId(run_id), WorkspaceId(W), OperationId("op"), RunVerb.APPLY, "folder")
        Runs(self.db, self.keyring).order(order)

    def begin(self, run_id: str = "r1") -> None:
        self.order(run_id)
        self.states.lock(W, f"run:{run_id}", f"run:{run_id}", {"Who": "op"})

    def stream(self, serial: int, **more: Any) -> None:
        self.supervisor.put(W, content(serial, **more), written_by=RUN, run_id="r1")

    def end(self) -> None:
        """The supervisor's last transaction frees the catalog's lock."""
        self.supervisor.unlock(W, RUN)


@pytest.fixture
def shared(db: Database, tmp_path: Path) -> Shared:
    return Shared(db, tmp_path)


def test_a_run_is_seen_while_it_goes_on_and_frees_both_locks_at_its_end(shared: Shared) -> None:
    shared.begin()
    assert shared.bucket.locks[W]["ID"] == RUN
    assert {"Operation", "Info", "Version", "Created", "Path"} <= set(shared.bucket.locks[W])
    for serial in (1, 2):
        shared.stream(serial)
        shared.states.publish(W, "r1", over=False)
        assert shared.bucket.states[W] == content(serial)
    shared.stream(3)
    shared.end()
    shared.states.publish(W, "r1", over=True)
    assert shared.bucket.states[W] == content(3)
    assert shared.bucket.locks == {}
    assert [version.serial for version in shared.states.versions(W)] == [3, 2, 1]


def test_what_plain_terraform_wrote_is_the_newest_version_for_all(shared: Shared) -> None:
    shared.states.put(W, content(1), written_by="ann")
    shared.bucket.states[W] = content(2)
    found = shared.states.newest(W)
    assert found is not None
    assert (found.serial, found.written_by, found.published) == (2, f"fake://{W}", True)
    head = shared.states.head(W)
    assert head is not None and head.serial == 2
    assert [version.serial for version in shared.supervisor.versions(W)] == [2, 1]


def test_who_locks_next_has_what_plain_terraform_wrote(shared: Shared) -> None:
    shared.bucket.states[W] = content(5)
    shared.begin()
    head = shared.supervisor.head(W)
    assert head is not None and head.serial == 5


def test_a_catalog_that_had_states_before_brings_them(shared: Shared) -> None:
    shared.supervisor.put(W, content(7), written_by="run:old")
    assert shared.states.unpublished() == [W]
    assert shared.supervisor.catch_up() == {}, "where there is no bucket, nothing waits"
    assert shared.states.catch_up() == {W: ""}
    assert (shared.bucket.states[W], shared.bucket.locks) == (content(7), {})
    assert shared.states.unpublished() == []
    assert shared.states.lock_holder(W) is None


def test_plain_terraform_and_a_run_keep_each_other_out(shared: Shared) -> None:
    shared.bucket.locks[W] = dict(THEIRS)
    with pytest.raises(Locked, match="ann@laptop") as found:
        shared.begin()
    assert "force-unlock 0c1d" in found.value.hint
    assert shared.states.lock_holder(W) is None, "who has not both locks has none"
    with pytest.raises(Locked, match="ann@laptop"):
        shared.states.put(W, content(1), written_by="us")
    assert shared.states.versions(W) == []
    shared.bucket.locks.clear()
    shared.begin("r2")
    assert shared.bucket.lock(W, THEIRS)["ID"] == "run:r2"


def test_the_lock_of_a_run_that_is_over_is_taken_over_with_its_state(shared: Shared, db: Database) -> None:
    """Its worker was killed before it told the bucket."""
    shared.begin()
    shared.stream(1)
    shared.end()
    assert shared.bucket.locks[W]["ID"] == RUN
    shared.begin("r2")
    assert shared.bucket.locks[W]["ID"] == "run:r2"
    assert shared.bucket.states[W] == content(1)
    with db.read() as session:
        [entry] = session.scalars(select(AuditEntry))
    assert (entry.action, entry.subject) == ("lock.released", W)


def test_the_lock_of_another_control_planes_run_is_not(shared: Shared) -> None:
    shared.bucket.locks[W] = {"ID": "run:unknown", "Who": "op-9"}
    with pytest.raises(Locked, match="op-9"):
        shared.begin()
    assert shared.bucket.locks[W]["ID"] == "run:unknown"


def test_a_bucket_that_is_away_stops_who_begins_and_costs_nobody_else_anything(shared: Shared) -> None:
    shared.begin()
    shared.stream(1)
    shared.bucket.away = True
    shared.states.publish(W, "r1", over=False)
    shared.end()
    shared.states.publish(W, "r1", over=True)
    with pytest.raises(Unavailable):
        shared.begin("r2")
    assert shared.states.lock_holder(W) is None
    assert shared.states.catch_up() == {W: "the bucket does not answer"}
    shared.bucket.away = False
    assert shared.states.catch_up() == {W: ""}
    assert (shared.bucket.states[W], shared.bucket.locks) == (content(1), {})


def test_two_states_that_nobody_could_order_are_left_to_a_person(shared: Shared) -> None:
    """The lock was taken away by force, and somebody applied while our run did."""
    shared.states.put(W, content(1), written_by="us")
    shared.begin()
    shared.stream(2, ours=True)
    shared.bucket.locks.clear()
    shared.bucket.states[W] = content(3, theirs=True)
    shared.end()
    shared.states.publish(W, "r1", over=True)
    assert shared.bucket.states[W] == content(3, theirs=True), "nothing is written over"
    for ask in (shared.states.newest, shared.states.head):
        with pytest.raises(Conflict, match="past the control plane's lock"):
            ask(W)
    with pytest.raises(Conflict):
        shared.begin("r2")
    assert shared.bucket.locks == {}
    shared.states.put(W, shared.bucket.states[W], written_by="person:ann", lock_id="")
    found = shared.states.newest(W)
    assert found is not None and (found.serial, found.published) == (3, True), "as the runbook says"


@pytest.mark.parametrize("foreign", [content(0), content(9, lineage="other")], ids=["older", "foreign"])
def test_an_older_or_foreign_state_in_the_bucket_replaces_nothing(shared: Shared, foreign: bytes) -> None:
    shared.states.put(W, content(3), written_by="us")
    shared.bucket.states[W] = foreign
    with pytest.raises(Stale):
        shared.states.newest(W)
    assert [version.serial for version in shared.supervisor.versions(W)] == [3]


def test_an_older_version_that_was_put_back_in_the_bucket_is_known(shared: Shared) -> None:
    """To go back, a version is restored under a new serial; by hand it comes to nothing."""
    for serial in (1, 2):
        shared.states.put(W, content(serial), written_by="us")
    shared.bucket.states[W] = content(1)
    found = shared.states.newest(W)
    assert found is not None and found.serial == 2
    shared.states.restore(W, 1, written_by="ann")
    assert json.loads(shared.bucket.states[W])["serial"] == 3


def test_a_person_who_comes_through_our_door_holds_both_locks(shared: Shared) -> None:
    shared.states.lock(W, "0c1d", "person:ann", THEIRS)
    assert shared.bucket.locks[W]["ID"] == "0c1d"
    shared.states.put(W, content(1), written_by="ann", lock_id="0c1d")
    assert shared.bucket.states[W] == content(1)
    shared.states.unlock(W, "0c1d")
    assert shared.bucket.locks == {}
    assert shared.states.lock_holder(W) is None
