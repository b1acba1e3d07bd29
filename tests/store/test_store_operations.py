"""Operations as rows: what is said of one while others write."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from controlplane.domain.operation import Status
from controlplane.store import operations, queue
from controlplane.store.database import Database
from controlplane.store.tables import Operation
from tests.store.store_rows import NOW

WORKSPACE = "tenant-u0000001"


def _pending(name: str) -> Operation:
    return Operation(
        id=name, kind="create", workspace_id=WORKSPACE, requested_by="ann", created_at=NOW, status="pending"
    )


def test_who_waits_is_told_who_asked_before(db: Database) -> None:
    with db.write() as session:
        session.add_all([_pending("first")])
        session.flush()
        session.add(_pending("second"))
    with db.read() as session:
        first, second = operations.unfinished(session, WORKSPACE)
        assert queue.in_front(session, first) is None
        assert queue.in_front(session, second) == "first"


def test_nobody_is_in_front_of_what_ended_since_it_was_read(db: Database) -> None:
    with db.write() as session:
        session.add(_pending("only"))
    with db.read() as reading:
        (row,) = operations.unfinished(reading, WORKSPACE)
        with db.write() as writing:
            operations.note(writing, "only", status="succeeded")
        assert row.status == "pending"
        assert queue.in_front(reading, row) is None


def test_two_that_move_an_operation_at_once_both_find_it_moved(db: Database) -> None:
    """A worker that lost its lease is still in the step that its successor does as well."""
    with db.write() as session:
        session.add(_pending("both"))
    both_read, met = Barrier(2), []

    def work() -> None:
        with db.write() as session:
            met.append(operations.get(session, "both").status)
            both_read.wait(30)
            operations.move(session, "both", Status.PLANNING, NOW)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(work) for _ in range(2)]:
            done.result(60)
    assert met == ["pending", "pending"]
    with db.read() as session:
        assert operations.get(session, "both").status == "planning"
