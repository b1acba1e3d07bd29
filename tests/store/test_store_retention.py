"""Old runs and states go; what an open operation or the newest state needs stays, whatever its age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from controlplane.adapters.keyring import FileKeyring
from controlplane.domain.operation import FINAL, Status
from controlplane.store import operations, retention
from controlplane.store.database import Database
from controlplane.store.states import States
from controlplane.store.tables import Artifact, Operation, Run, RunLine, StateVersion

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
OLD, YOUNG = NOW - timedelta(days=100), NOW - timedelta(days=10)
LIMIT = NOW - timedelta(days=90)


def add_run(
    db: Database, run: str, status: Status, ended: datetime | None, run_status: str = "ended"
) -> None:
    with db.write() as session:
        operation = Operation(
            id=f"op-{run}", kind="resize", workspace_id=run, requested_by="ann", created_at=OLD
        )
        operations.insert(session, operation)
        operation.status = status.value
        at = ended.timestamp() if ended else 0.0
        session.add(
            Run(
                id=run,
                operation_id=f"op-{run}",
                workspace_id=run,
                verb="plan",
                status=run_status,
                ended_at=at,
            )
        )
        session.add(
            Artifact(run_id=run, name="plan", key_id="k", wrapped=b"", sealed=b"", sha256="", created_at=at)
        )
        session.add(RunLine(run_id=run, number=1, at=at, stream="terraform", text="line"))


def left(db: Database) -> tuple[set[str], set[str]]:
    with db.read() as session:
        files = set(session.scalars(select(Artifact.run_id)))
        return files, set(session.scalars(select(RunLine.run_id)))


def drop(db: Database) -> None:
    with db.write() as session:
        retention.drop_runs(session, LIMIT, logs=False)
        retention.drop_runs(session, LIMIT, logs=True)


@pytest.mark.parametrize("status", list(Status))
def test_only_what_no_open_operation_needs_goes(db: Database, status: Status) -> None:
    add_run(db, "old", status, OLD)
    drop(db)
    kept = set() if status in FINAL else {"old"}
    assert left(db) == (kept, kept)


def test_what_is_young_or_goes_on_stays(db: Database) -> None:
    add_run(db, "young", Status.SUCCEEDED, YOUNG)
    add_run(db, "running", Status.FAILED, None, "running")
    drop(db)
    assert left(db) == ({"young", "running"}, {"young", "running"})


def test_a_run_of_no_operation_goes_with_its_age(db: Database) -> None:
    add_run(db, "scan", Status.SUCCEEDED, OLD)
    with db.write() as session:
        session.execute(update(Run).values(operation_id="drift"))
    drop(db)
    assert left(db) == (set(), set())


@pytest.fixture
def states(db: Database, tmp_path: Path) -> States:
    found = States(db, FileKeyring(tmp_path / "keyring.json"))
    for workspace in ("a", "b"):
        for serial in range(1, 6 if workspace == "a" else 2):
            text = f'{{"version": 4, "serial": {serial}, "lineage": "{workspace}"}}'
            found.put(workspace, text.encode(), written_by="ada")
    return found


def serials(states: States, workspace: str) -> list[int]:
    return [version.serial for version in states.versions(workspace)]


@pytest.mark.parametrize(("keep", "kept"), [(0, [5]), (1, [5]), (3, [5, 4, 3]), (9, [5, 4, 3, 2, 1])])
def test_the_newest_states_of_each_workspace_stay(
    db: Database, states: States, keep: int, kept: list[int]
) -> None:
    with db.write() as session:
        session.execute(update(StateVersion).values(created_at=OLD.timestamp()))
        retention.drop_states(session, LIMIT, keep)
    assert serials(states, "a") == kept
    assert serials(states, "b") == [1]
    assert states.newest("a") is not None


def test_young_states_stay_however_many_there_are(db: Database, states: States) -> None:
    with db.write() as session:
        session.execute(update(StateVersion).values(created_at=YOUNG.timestamp()))
        retention.drop_states(session, LIMIT, 1)
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(StateVersion)) == 6
