"""Migrations in both databases: one at a time, legal moves only, and a flip that only one side wins."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from controlplane.domain.errors import Conflict, IllegalTransition, Missing
from controlplane.domain.migration.states import Flip, State
from controlplane.store import moves, tenants
from controlplane.store.database import Database
from controlplane.store.moves import Migration
from controlplane.store.tables import Operation
from tests.store.store_rows import NOW, add_tenant

UID = "u0000001"


def migration(id_: str = "op-1", **columns: Any) -> Migration:
    return Migration(
        **{
            "id": id_,
            "tenant_uid": UID,
            "holder": id_,
            "strategy": "snapshot_restore",
            "state": "requested",
            "from_epoch": 1,
            "to_epoch": 2,
            "token": f"controlplane-{id_}",
            "requested_by": "ann",
            "outage_minutes": 60,
            "timings": [{"state": "requested", "at": NOW.isoformat(), "operation": id_}],
            "created_at": NOW,
            **columns,
        }
    )


def begun(db: Database, id_: str = "op-1", **columns: Any) -> str:
    with db.write() as session:
        if tenants.find(session, "tenant-00001") is None:
            add_tenant(session)
        moves.begin(session, migration(id_, **columns))
    return id_


def read(db: Database, id_: str = "op-1") -> Migration:
    with db.read() as session:
        return moves.get(session, id_)


def enter(db: Database, *states: State, id_: str = "op-1") -> None:
    for number, state in enumerate(states, 1):
        with db.write() as session:
            moves.enter(session, id_, state, NOW + timedelta(seconds=number))


def test_a_tenant_has_one_migration_that_is_not_over(db: Database) -> None:
    begun(db)
    begun(db)  # the same operation may
    with pytest.raises(Conflict, match="begun by op-1"):
        begun(db, "op-2")
    enter(db, State.ROLLED_BACK)
    begun(db, "op-2", created_at=NOW + timedelta(hours=1))
    with db.read() as session:
        assert [found.id for found in (moves.current(session, UID), moves.latest(session, UID)) if found] == [
            "op-2",
            "op-2",
        ]


def test_the_database_itself_refuses_a_second_one(db: Database) -> None:
    begun(db)
    with pytest.raises(IntegrityError), db.write() as session:
        session.add(migration("op-2"))


def test_the_newest_is_shown_when_all_are_over(db: Database) -> None:
    begun(db)
    enter(db, State.ROLLED_BACK)
    with db.read() as session:
        assert moves.current(session, UID) is None
        assert moves.latest(session, UID) is not None
        assert moves.latest(session, "nobody") is None


def test_what_is_not_there_is_said(db: Database) -> None:
    with db.read() as session, pytest.raises(Missing, match="op-9"):
        moves.get(session, "op-9")


def test_each_state_is_entered_once_with_its_time(db: Database) -> None:
    begun(db)
    enter(db, State.PREFLIGHT, State.PREFLIGHT, State.APPROVED)
    row = read(db)
    assert [t["state"] for t in row.timings] == ["requested", "preflight", "approved"]
    assert moves.since(row, State.APPROVED) == NOW + timedelta(seconds=3)
    assert moves.since(row, State.OPEN) is None


def test_an_illegal_move_changes_nothing(db: Database) -> None:
    begun(db)
    with pytest.raises(IllegalTransition):
        enter(db, State.FLIPPED)
    assert read(db).state == "requested"


def test_the_tenants_row_follows(db: Database) -> None:
    begun(db)
    enter(db, State.PREFLIGHT, State.APPROVED, State.FENCING)
    with db.read() as session:
        assert tenants.by_uid(session, UID).migration_state == "fenced"


def test_opening_and_ending_leave_their_times(db: Database) -> None:
    begun(db, state="flipped", flip="flipped")
    enter(db, State.OPEN, State.SOAKING, State.FINALIZING, State.COMPLETE)
    row = read(db)
    assert (row.opened_at, row.ended_at) == (NOW + timedelta(seconds=1), NOW + timedelta(seconds=4))


def test_a_flip_happens_only_from_where_it_was_thought_to_be(db: Database) -> None:
    begun(db, fence_deadline=NOW)
    with db.write() as session:
        assert not moves.flip(session, "op-1", Flip.FLIPPED, Flip.RETURNING)
        assert moves.flip(session, "op-1", Flip.OPEN, Flip.FLIPPED, fence_deadline=None)
        assert not moves.flip(session, "op-1", Flip.OPEN, Flip.ABORTED)
    row = read(db)
    assert (row.flip, row.fence_deadline) == ("flipped", None)


def test_of_a_switch_and_a_lapse_one_wins(db: Database) -> None:
    """Many tries, both at once, each in a transaction of its own."""
    begun(db)
    for _ in range(50):
        with db.write() as session:
            moves.note(session, "op-1", flip="open")
        won: list[Flip] = []
        gate = threading.Barrier(2)

        def take(to: Flip, gate: threading.Barrier = gate, won: list[Flip] = won) -> None:
            gate.wait(10)
            with db.write() as session:
                if moves.flip(session, "op-1", Flip.OPEN, to):
                    won.append(to)

        threads = [threading.Thread(target=take, args=(to,)) for to in (Flip.FLIPPED, Flip.ABORTED)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert [one.value for one in won] == [read(db).flip]


def test_entries_are_added_to_a_column(db: Database) -> None:
    begun(db)
    with db.write() as session:
        moves.add(session, "op-1", "receipts", {"one": 1})
        moves.add(session, "op-1", "receipts", {"two": 2})
    assert read(db).receipts == {"one": 1, "two": 2}


def test_fences_that_stand_too_long_are_found(db: Database) -> None:
    begun(db, fence_deadline=NOW)
    with db.read() as session:
        assert moves.lapsed(session, NOW - timedelta(seconds=1)) == []
        assert [row.id for row in moves.lapsed(session, NOW)] == ["op-1"]
        assert moves.stands(session)
    with db.write() as session:
        moves.note(session, "op-1", fence_deadline=None)
        assert moves.lapsed(session, NOW) == []
        assert not moves.stands(session)


@pytest.mark.parametrize(
    ("status", "flip", "found"),
    [
        ("rejected", "open", True),
        ("failed", "returning", True),
        ("cancelled", "aborted", True),
        ("applying", "open", False),
        ("needs_operator", "open", False),
        ("succeeded", "flipped", False),
    ],
)
def test_what_an_ended_operation_left_open_is_found(
    db: Database, status: str, flip: str, *, found: bool
) -> None:
    begun(db, flip=flip)
    with db.write() as session:
        session.add(
            Operation(
                id="op-1", kind="upgrade", workspace_id="w", status=status, requested_by="ann", created_at=NOW
            )
        )
    with db.read() as session:
        assert [row.id for row in moves.abandoned(session)] == (["op-1"] if found else [])


@pytest.mark.parametrize(("flip", "end"), [("flipped", "complete"), ("open", "rolled_back")])
def test_a_tenant_that_goes_takes_its_migration_along(db: Database, flip: str, end: str) -> None:
    begun(db, state="soaking", flip=flip, fence_deadline=NOW)
    with db.write() as session:
        moves.end_with_tenant(session, UID, NOW, "ann")
    row = read(db)
    assert (row.state, row.fence_deadline, row.note) == (end, None, "destroyed")
    with db.read() as session:
        assert tenants.by_uid(session, UID).migration_state == "none"


@pytest.mark.parametrize(
    ("state", "flip", "found"),
    [
        ("flipped", "flipped", True),
        ("open", "flipped", True),
        ("soaking", "flipped", True),
        ("soaking", "returning", False),
        ("finalizing", "flipped", False),
        ("verified", "open", False),
    ],
)
def test_a_way_back_is_watched_and_ended_only_while_the_target_serves(
    db: Database, state: str, flip: str, *, found: bool
) -> None:
    begun(db, state=state, flip=flip, receipts={"reverse": {"armed": True, "name": "n"}, "copy": 1})
    with db.write() as session:
        assert [row.id for row in moves.serving(session)] == (["op-1"] if found else [])
        assert moves.end_way_back(session, "op-1", "too much", {"level": "over"}) is found
    row = read(db)
    ended = {"reverse": {"armed": False, "name": "n", "why": "too much"}, "copy": 1}
    assert (row.receipts == ended, row.way_back == {"level": "over"}) == (found, found)


def test_who_sleeps_or_lives_in_another_cell_is_not_watched(db: Database) -> None:
    begun(db, state="soaking", flip="flipped")
    with db.write() as session:
        cell = tenants.by_uid(session, UID).cell
        assert len(moves.serving(session, cell)) == 1
        assert moves.serving(session, "elsewhere") == []
        tenants.by_uid(session, UID).phase = "suspended"
        session.flush()
        assert moves.serving(session, cell) == []
