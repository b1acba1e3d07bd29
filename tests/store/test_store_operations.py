"""Operations as rows: what is said of one while others write."""

from __future__ import annotations

from controlplane.store import operations
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
        assert operations.in_front(session, first) is None
        assert operations.in_front(session, second) == "first"


def test_nobody_is_in_front_of_what_ended_since_it_was_read(db: Database) -> None:
    with db.write() as session:
        session.add(_pending("only"))
    with db.read() as reading:
        (row,) = operations.unfinished(reading, WORKSPACE)
        with db.write() as writing:
            operations.note(writing, "only", status="succeeded")
        assert row.status == "pending"
        assert operations.in_front(reading, row) is None
