"""The supervisor's plain SQL: who gets a run, what a state may follow, and a database that is away."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from controlplane.domain.sealing import state_identity, unseal
from controlplane.store.database import connect
from controlplane.store.migrate import migrate
from controlplane.supervisor.ledger import Ended, Gone, Ledger, Line, Unreachable
from controlplane.supervisor.statefile import StateFile
from controlplane.supervisor.task import Key, Task, dump, load

KEY = Key("key-1", b"k" * 32, b"wrapped")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("template") / "tenants.db"
    db = connect(f"sqlite:///{file}")
    migrate(db)
    db.close()
    return file.read_bytes()


@pytest.fixture
def catalog(template: bytes, tmp_path: Path) -> Path:
    file = tmp_path / "tenants.db"
    file.write_bytes(template)
    execute(
        file,
        "INSERT INTO run (id, operation_id, workspace_id, verb, status, host, pid, supervisor, lease_until, "
        "interrupt_requested, interrupted, timed_out, lock_id, details, ordered_at, started_at, ended_at) "
        "VALUES ('r1', 'op', 'w', 'apply', 'ordered', '', 0, '', 0, '', 0, 0, '', '{}', 0, 0, 0)",
    )
    return file


def execute(file: Path, statement: str, *values: Any) -> list[Any]:
    with closing(sqlite3.connect(file)) as connection, connection:
        return connection.execute(statement, values).fetchall()


def task(catalog: Path, token: str = "t1", **fields: Any) -> Task:
    made = Task(
        run_id="r1",
        workspace_id="w",
        token=token,
        host="here:1",
        database=f"sqlite:///{catalog}",
        folder="/f",
        run_folder="/r",
        commands=[["terraform", "apply"]],
        environment={"A": "b"},
        known=["secret"],
        key=KEY,
        touches_database=True,
        timeout_seconds=5,
    )
    return made._replace(**fields)


@pytest.fixture
def ledger(catalog: Path) -> Iterator[Ledger]:
    made = Ledger(task(catalog))
    yield made
    made.close()


def state(serial: int, lineage: str = "l", content: bytes = b"content") -> StateFile:
    return StateFile(lineage, serial, hashlib.sha256(content).hexdigest(), content)


def test_a_task_arrives_as_it_was_sent(catalog: Path) -> None:
    sent = task(catalog, descriptors=[3, 4], notes=["n"], slots=[["a"], ["b"]])
    assert load(dump(sent)) == sent


def test_of_two_supervisors_one_gets_the_run(catalog: Path) -> None:
    execute(catalog, "UPDATE run SET status = 'running', host = 'here:1' WHERE id = 'r1'")
    assert not Ledger(task(catalog, "late")).claim()
    execute(catalog, "UPDATE run SET status = 'ordered', host = ''")
    assert Ledger(task(catalog, "t1")).claim()
    assert execute(catalog, "SELECT status, supervisor, host FROM run") == [("claimed", "t1", "here:1")]


@pytest.mark.parametrize("status", ["ended", "lost", "ordered"])
def test_only_a_run_that_goes_on_is_adopted(catalog: Path, status: str) -> None:
    execute(catalog, "UPDATE run SET status = ?, host = 'here:1'", status)
    assert not Ledger(task(catalog)).adopt()


def test_a_claim_of_another_host_is_not_taken_over(catalog: Path) -> None:
    execute(catalog, "UPDATE run SET status = 'claimed', host = 'there:1'")
    assert not Ledger(task(catalog)).claim()
    assert not Ledger(task(catalog)).adopt()


def test_a_beat_stores_lines_once_and_answers_what_is_asked(catalog: Path, ledger: Ledger) -> None:
    ledger.claim()
    lines = [Line(1, 1.0, "terraform", "one"), Line(2, 2.0, "supervisor", "two")]
    assert ledger.beat(lines, renew=False) == ""
    execute(catalog, "UPDATE run SET interrupt_requested = 'ask'")
    assert ledger.beat(lines, renew=True, lock_id="uuid") == "ask"  # the same lines once more
    assert execute(catalog, "SELECT number, text FROM run_line ORDER BY 1") == [(1, "one"), (2, "two")]
    assert execute(catalog, "SELECT lock_id FROM run") == [("uuid",)]
    assert ledger.look() == ("ask", 0.0, 2, 1)


def test_a_state_is_stored_sealed(catalog: Path, ledger: Ledger) -> None:
    ledger.claim()
    assert ledger.store_state(state(3)) == ""
    [(serial, sha, sealed, wrapped, key_id)] = execute(
        catalog, "SELECT serial, sha256, sealed, wrapped, key_id FROM state_version"
    )
    assert (serial, wrapped, key_id) == (3, b"wrapped", "key-1")
    assert b"content" not in sealed
    assert unseal(KEY.plain, state_identity("w", "l", 3, sha), sealed) == b"content"
    assert execute(catalog, "SELECT state_serial FROM run") == [(3,)]


@pytest.mark.parametrize(
    ("following", "part"),
    [(state(2, content=b"old"), "serial 3 is newer"), (state(9, "m", b"other"), "another lineage")],
)
def test_a_state_that_does_not_follow_is_not_stored(
    catalog: Path, ledger: Ledger, following: StateFile, part: str
) -> None:
    ledger.claim()
    ledger.store_state(state(3))
    assert part in ledger.store_state(following)
    assert execute(catalog, "SELECT serial FROM state_version") == [(3,)]


def test_a_content_that_comes_back_within_a_serial_is_the_newest_again(catalog: Path, ledger: Ledger) -> None:
    ledger.claim()
    for content in (b"a", b"b", b"a"):
        assert ledger.store_state(state(1, content=content)) == ""
    newest = execute(catalog, "SELECT sha256 FROM state_version ORDER BY seq DESC")
    assert newest == [(state(1, content=b"a").sha256,), (state(1, content=b"b").sha256,)]


def test_the_end_is_written_once_and_frees_the_states_lock(catalog: Path, ledger: Ledger) -> None:
    execute(catalog, "INSERT INTO state_lock VALUES ('w', 'run:r1', 'run:r1', '{}', 0)")
    ledger.claim()
    artifacts = {"plan": ("sha", b"plan file")}
    ledger.finish(Ended("ended", 0, timed_out=True), [Line(1, 1.0, "terraform", "last")], artifacts)
    ledger.finish(Ended("lost", None), [Line(1, 1.0, "terraform", "last")], artifacts)
    assert execute(catalog, "SELECT status, exit_code, timed_out FROM run") == [("ended", 0, 1)]
    assert execute(catalog, "SELECT count(*) FROM state_lock") == [(0,)]
    assert execute(catalog, "SELECT name, sha256 FROM artifact") == [("plan", "sha")]


def test_who_was_replaced_does_not_write_the_end(catalog: Path, ledger: Ledger) -> None:
    ledger.claim()
    execute(catalog, "UPDATE run SET supervisor = 'successor'")
    ledger.finish(Ended("ended", 0), [], {})
    assert execute(catalog, "SELECT status FROM run") == [("claimed",)]


def test_a_catalog_that_is_away_is_unreachable_and_then_reached_again(catalog: Path, ledger: Ledger) -> None:
    whole = catalog.read_bytes()
    catalog.write_bytes(b"not a database at all, but long enough to be read as one" * 10)
    with pytest.raises(Unreachable):
        ledger.claim()
    catalog.write_bytes(whole)
    assert ledger.claim()


def test_a_catalog_that_is_gone_is_not_made_anew(catalog: Path, ledger: Ledger) -> None:
    catalog.unlink()
    with pytest.raises(Gone):
        ledger.claim()
    assert not catalog.exists()
