"""States: what may follow what, nothing lost, the lock; the same on both databases."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from controlplane.adapters.keyring import FileKeyring
from controlplane.domain.errors import Broken, Conflict, Invalid, KeyMissing, Locked, Missing, Stale
from controlplane.store.database import Database
from controlplane.store.sealed import check_keys, reseal
from controlplane.store.states import States
from controlplane.store.states.bucket import PublishedStates
from controlplane.store.tables import AuditEntry, Run
from tests.fakes.bucket import FakeBucket

W = "tenant-abc"


def content(serial: int, lineage: str = "l", **more: Any) -> bytes:
    return json.dumps({"version": 4, "serial": serial, "lineage": lineage, **more}).encode()


@pytest.fixture
def keyring(tmp_path: Path) -> FileKeyring:
    return FileKeyring(tmp_path / "keys" / "keyring.json")


@pytest.fixture(params=["database", "bucket"])
def states(request: pytest.FixtureRequest, db: Database, keyring: FileKeyring) -> States:
    """Where plain Terraform finds them makes no difference to what they promise."""
    if request.param == "bucket":
        return PublishedStates(db, keyring, FakeBucket())
    return States(db, keyring)


def put(states: States, serial: int, **more: Any) -> None:
    states.put(W, content(serial, **more), written_by="ada")


def test_a_workspace_without_a_state_has_none(states: States) -> None:
    assert states.newest(W) is None
    assert states.head(W) is None
    assert states.versions(W) == []
    with pytest.raises(Missing, match="serial 1"):
        states.get(W, 1)


def test_what_went_in_comes_out_and_is_not_stored_in_clear(db: Database, states: States) -> None:
    put(states, 1, canary="canary-text")
    found = states.newest(W)
    assert found is not None
    assert (found.serial, found.lineage, found.written_by) == (1, "l", "ada")
    assert json.loads(found.content)["canary"] == "canary-text"
    with db.read() as session:
        sealed = session.execute(text("SELECT sealed FROM state_version")).scalar_one()
    assert b"canary" not in bytes(sealed)


def test_the_newest_is_the_last_of_the_highest_serial(states: States) -> None:
    for serial, part in ((1, "a"), (2, "a"), (2, "b")):
        put(states, serial, part=part)
    newest = states.newest(W)
    assert newest is not None
    assert json.loads(newest.content)["part"] == "b"
    assert [v.serial for v in states.versions(W)] == [2, 2, 1]


def test_the_same_content_again_is_one_version_and_the_newest(states: States) -> None:
    for part in ("a", "b", "a", "a"):
        put(states, 1, part=part)
    newest = states.newest(W)
    assert newest is not None
    assert json.loads(newest.content)["part"] == "a"
    assert len(states.versions(W)) == 2


@pytest.mark.parametrize("late", [content(4), content(9, "other"), content(5 - 5)])
def test_an_old_or_foreign_state_is_refused(states: States, late: bytes) -> None:
    put(states, 5)
    with pytest.raises(Stale):
        states.put(W, late, written_by="bob")
    head = states.head(W)
    assert head is not None
    assert (head.serial, head.lineage) == (5, "l")


@pytest.mark.parametrize("bad", [b"", b"{", b"[]", b'{"serial": 1}', b'{"serial": "1", "lineage": "l"}'])
def test_what_is_no_state_is_refused(states: States, bad: bytes) -> None:
    with pytest.raises(Invalid):
        states.put(W, bad, written_by="bob")


def test_workspaces_do_not_see_each_other(states: States) -> None:
    put(states, 5)
    states.put("other", content(1, "m"), written_by="bob")
    head = states.head("other")
    assert head is not None
    assert head.serial == 1


def test_an_older_version_is_put_back_under_a_new_serial(states: States) -> None:
    put(states, 1, part="old")
    put(states, 2, part="new")
    restored = states.restore(W, 1, written_by="ada")
    assert restored.serial == 3
    newest = states.newest(W)
    assert newest is not None
    assert json.loads(newest.content)["part"] == "old"
    with pytest.raises(Conflict):
        states.restore(W, 3, written_by="ada")
    assert [v.serial for v in states.versions(W)] == [3, 2, 1]


def test_a_lock_keeps_others_out_until_it_is_freed_by_its_id(states: States) -> None:
    states.lock(W, "id-1", "person:ada", {"Who": "ada"})
    states.lock(W, "id-1", "person:ada")  # once more
    with pytest.raises(Locked, match="ada") as refused:
        states.lock(W, "id-2", "person:bob")
    assert refused.value.details["info"] == {"Who": "ada"}
    with pytest.raises(Locked):
        states.unlock(W, "id-2")
    with pytest.raises(Locked):
        states.put(W, content(1), written_by="bob", lock_id="id-2")
    states.put(W, content(1), written_by="ada", lock_id="id-1")
    states.unlock(W, "id-1")
    states.unlock(W, "id-1")  # gone already is fine
    assert states.lock_holder(W) is None


def test_a_forced_unlock_that_names_no_lock_frees_nothing(states: States) -> None:
    states.lock(W, "run:r1", "run:r1")
    with pytest.raises(Conflict):
        states.unlock(W, "")
    assert states.lock_holder(W) is not None
    with pytest.raises(Invalid):
        states.lock(W, "", "person:ada")


def begun(db: Database) -> None:
    with db.write() as session:
        session.add(
            Run(
                id="r1",
                operation_id="op-1",
                workspace_id=W,
                verb="apply",
                status="running",
                host="far:1",
                pid=42,
                lease_until=1_800_000_000.0,
            )
        )


def released(db: Database) -> list[tuple[str, str, str]]:
    with db.read() as session:
        found = session.scalars(select(AuditEntry).where(AuditEntry.action == "lock.released"))
        return [(one.actor, one.subject, one.before.get("ID", "")) for one in found]


def test_a_runs_lock_names_operation_host_process_and_heartbeat(states: States, db: Database) -> None:
    begun(db)
    states.lock(W, "run:r1", "run:r1", {"ID": "run:r1", "Operation": "apply", "Who": "op-1"})
    with pytest.raises(Locked, match="run:r1") as refused:
        states.lock(W, "id-2", "person:bob")
    told = refused.value.details["info"]
    assert (told["Operation"], told["Who"], told["Host"], told["Process"]) == ("apply", "op-1", "far:1", 42)
    assert told["LeasedUntil"].startswith("2027-01-15T08:00:00")
    assert "on far:1, process 42, leased until 2027" in told["Info"]  # what Terraform shows of it
    assert datetime.fromisoformat(told["Created"]).tzinfo is not None


def test_of_a_run_that_is_over_only_the_lock_that_it_took_is_released(states: States, db: Database) -> None:
    begun(db)
    for lock_id, holder in (("id-1", "person:ada"), ("run:r2", "run:r2"), ("elsewhere", "run:r1")):
        states.lock(W, lock_id, holder)
        assert not states.release_of_run("r1", "it is over")
        states.unlock(W, lock_id)
    states.lock(W, "run:r1", "run:r1", {"ID": "run:r1"})
    assert states.release_of_run("r1", "it is over")
    assert states.lock_holder(W) is None
    assert not states.release_of_run("r1", "it is over")
    assert released(db) == [("controlplane", W, "run:r1")]


def test_after_a_rotation_everything_is_sealed_anew(
    states: States, db: Database, keyring: FileKeyring
) -> None:
    for serial in range(1, 4):
        put(states, serial)
    old = keyring.key_ids()[0]
    keyring.rotate()
    put(states, 4)
    assert reseal(db, keyring) == 3
    assert reseal(db, keyring) == 0
    keyring.forget(old)
    check_keys(db, keyring)
    assert states.get(W, 1).content == content(1)


def test_a_start_without_a_needed_key_is_refused(
    states: States, db: Database, keyring: FileKeyring, tmp_path: Path
) -> None:
    check_keys(db, FileKeyring(tmp_path / "other.json"))  # nothing is stored yet
    put(states, 1)
    with pytest.raises(KeyMissing, match=keyring.key_ids()[0]) as refused:
        check_keys(db, FileKeyring(tmp_path / "other.json"))
    assert "CONTROLPLANE_KEYRING" in refused.value.hint
    check_keys(db, keyring)


def test_a_record_that_was_moved_or_damaged_does_not_open(states: States, db: Database) -> None:
    put(states, 1)
    with db.write() as session:
        session.execute(text("UPDATE state_version SET serial = 2"))
    with pytest.raises(Broken, match="decrypt"):
        states.newest(W)
