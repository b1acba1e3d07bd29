"""The audit tells everything once, in order, and names the entry that somebody touched."""

from __future__ import annotations

import hashlib
import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from controlplane.domain.errors import Conflict
from controlplane.store import audit
from controlplane.store.audit import AuditFilter, verification
from controlplane.store.database import Database
from tests.store.store_rows import NOW

FIELDS = {"actor": "ann", "action": "resize.requested", "subject": "tenant/acme"}


def _fill(db: Database, count: int) -> None:
    for number in range(count):
        with db.write() as session:
            after = {"size": "small", "monthly_usd": 0.1, "name": "Zoë", "n": number}
            audit.append(session, at=NOW + timedelta(seconds=number), reason="cheaper", after=after, **FIELDS)


def test_an_untouched_audit_verifies_and_says_its_head(db: Database) -> None:
    _fill(db, 5)
    with db.read() as session:
        verdict = audit.verify(session)
        newest = audit.page(session, AuditFilter(), limit=1)[0]
    assert verdict == audit.Verdict(5, 5, newest.digest)


def test_an_empty_audit_verifies(db: Database) -> None:
    with db.read() as session:
        assert audit.verify(session).broken_seq is None


TAMPERING = {
    "actor": "UPDATE audit_entry SET actor = 'bob' WHERE seq = 3",
    "a space": "UPDATE audit_entry SET reason = 'cheaper ' WHERE seq = 3",
    "one letter of json": "UPDATE audit_entry SET after = REPLACE(CAST(after AS VARCHAR), 'all', 'ell'){} "
    "WHERE seq = 3",
    "another digest": "UPDATE audit_entry SET digest = 'x' WHERE seq = 3",
    "deleted": "DELETE FROM audit_entry WHERE seq = 3",
    "moved": "UPDATE audit_entry SET previous = 'x' WHERE seq = 3",
}


@pytest.mark.parametrize("how", TAMPERING)
def test_the_first_entry_that_was_touched_is_named(db: Database, how: str) -> None:
    _fill(db, 6)
    cast = "::json" if db.engine.dialect.name == "postgresql" else ""
    with db.engine.begin() as connection:
        touched = connection.exec_driver_sql(TAMPERING[how].replace("{}", cast)).rowcount
        assert touched == 1
    with db.read() as session:
        verdict = audit.verify(session)
    assert (verdict.broken_seq, verdict.entries) == (3, 2)
    assert verdict.why


@pytest.mark.parametrize("column", ["after", "at", "reason", "digest", "previous", "actor"])
def test_one_flipped_byte_anywhere_is_named(sqlite_db: Database, column: str) -> None:
    _fill(sqlite_db, 4)
    for bit in (0x01, 0x80):
        with sqlite_db.engine.begin() as connection:
            kept = connection.exec_driver_sql(f"SELECT CAST({column} AS BLOB) FROM audit_entry WHERE seq=2")
            old: bytes = kept.scalar_one()
            new = bytes([old[0] ^ bit]) + old[1:]
            write = f"UPDATE audit_entry SET {column} = CAST(? AS TEXT) WHERE seq = 2"
            connection.exec_driver_sql(write, (new,))
        with sqlite_db.read() as session:
            assert audit.verify(session).broken_seq == 2
        with sqlite_db.engine.begin() as connection:
            connection.exec_driver_sql(write, (old,))
    with sqlite_db.read() as session:
        assert audit.verify(session).broken_seq is None


def test_a_cut_off_end_and_a_chain_written_anew_show_against_a_noted_head(db: Database) -> None:
    _fill(db, 4)
    with db.read() as session:
        verdict = audit.verify(session)
    head = (verdict.head_seq, verdict.head_digest)
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM audit_entry WHERE seq > 2"))
    with db.read() as session:
        assert audit.verify(session).broken_seq is None
        assert audit.verify(session, head).broken_seq == 3
    for _ in range(3):
        with db.write() as session:
            audit.append(session, at=NOW, **FIELDS)
    with db.read() as session:
        assert audit.verify(session).broken_seq is None
        assert audit.verify(session, head).broken_seq == 4


def test_entries_of_many_writers_make_one_chain(db: Database) -> None:
    def write(actor: str) -> None:
        for _ in range(5):
            with db.write() as session:
                audit.append(session, at=NOW, **{**FIELDS, "actor": actor})

    threads = [threading.Thread(target=write, args=(f"p{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with db.read() as session:
        verdict = audit.verify(session)
    assert (verdict.entries, verdict.broken_seq) == (30, None)


def test_an_entry_goes_with_its_transaction(db: Database) -> None:
    _fill(db, 1)
    with pytest.raises(RuntimeError), db.write() as session:
        audit.append(session, at=NOW, **FIELDS)
        raise RuntimeError
    _fill(db, 1)
    with db.read() as session:
        assert audit.verify(session).entries == 2


def test_an_export_can_be_verified_by_anybody(db: Database) -> None:
    _fill(db, 7)
    with db.read() as session:
        lines = [json.dumps(entry) for entry in audit.export(session, batch=3)]
    assert _verified(lines) == 7
    assert _verified([line.replace("ann", "eve") for line in lines]) == 0


def _trim(db: Database) -> audit.Stretch:
    """The four oldest leave, or as many of them as are old."""
    with db.write() as session:
        gone = audit.oldest(session, NOW + timedelta(days=1), 4)
        assert gone is not None
        audit.trim(session, gone, at=NOW + timedelta(days=9), actor="clock", origin="", file="a.jsonl")
    return gone


def test_what_left_for_a_file_leaves_a_chain_that_proves_itself(db: Database) -> None:
    _fill(db, 6)
    for exported, left in ((4, 3), (6, 2)):  # the entries that say so are younger, and stay
        _trim(db)
        with db.read() as session:
            verdict = audit.verify(session)
        assert (verdict.broken_seq, verdict.exported, verdict.entries) == (None, exported, left)
    with db.read() as session:
        assert audit.oldest(session, NOW + timedelta(days=1), 4) is None


TAMPERING_WHERE_IT_BEGINS = {
    "DELETE FROM audit_entry WHERE seq = 5": 5,  # more than what was exported
    "DELETE FROM audit_entry WHERE seq = 7": 1,  # which says what was
    "UPDATE audit_entry SET previous = 'x' WHERE seq = 5": 5,
    "UPDATE audit_entry SET actor = 'x' WHERE seq = 7": 7,
    "UPDATE audit_entry SET action = 'x' WHERE seq = 7": 7,
}


@pytest.mark.parametrize("how", TAMPERING_WHERE_IT_BEGINS)
def test_where_a_shortened_chain_begins_is_proved(db: Database, how: str) -> None:
    _fill(db, 6)
    _trim(db)
    with db.engine.begin() as connection:
        assert connection.exec_driver_sql(how).rowcount == 1
    with db.read() as session:
        assert audit.verify(session).broken_seq == TAMPERING_WHERE_IT_BEGINS[how]


def test_a_beginning_that_cannot_be_read_is_named(sqlite_db: Database) -> None:
    _fill(sqlite_db, 6)
    _trim(sqlite_db)
    with sqlite_db.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE audit_entry SET previous = CAST(? AS TEXT) WHERE seq = 5", (b"\xff",)
        )
    with sqlite_db.read() as session:
        assert audit.verify(session).broken_seq == 5


def test_of_two_that_export_the_same_one_removes_it(db: Database) -> None:
    _fill(db, 6)
    gone = _trim(db)
    with pytest.raises(Conflict, match="entries 1 to 4"), db.write() as session:
        audit.trim(session, gone, at=NOW, actor="clock", origin="", file="b.jsonl")
    with db.read() as session:
        assert audit.verify(session).entries == 3


def _verified(lines: list[str]) -> int:
    previous = "0" * 64
    for number, line in enumerate(lines):
        entry: dict[str, Any] = json.loads(line)
        digest = entry.pop("digest")
        if entry.pop("previous") != previous:
            return number
        canonical = json.dumps(entry, sort_keys=True, separators=(",", ":"))
        if hashlib.sha256(f"{previous}\n{canonical}".encode()).hexdigest() != digest:
            return number
        previous = digest
    return len(lines)


def test_pages_go_back_in_time_and_are_filtered(db: Database) -> None:
    _fill(db, 5)
    with db.write() as session:
        audit.append(session, at=NOW, actor="bob", action="x", subject="tenant/other")
    with db.read() as session:
        first = audit.page(session, AuditFilter(subject="tenant/acme"), limit=2)
        rest = audit.page(session, AuditFilter(subject="tenant/acme"), before_seq=first[-1].seq)
        assert [e.seq for e in first + rest] == [5, 4, 3, 2, 1]
        assert [e.seq for e in audit.page(session, AuditFilter(actor="bob"))] == [6]
        since = AuditFilter(since=NOW + timedelta(seconds=3), action="resize.requested")
        assert [e.seq for e in audit.page(session, since)] == [5, 4]


def test_a_chain_longer_than_a_batch_is_read_whole(db: Database) -> None:
    with db.write() as session:
        for _ in range(verification.BATCH + 7):
            audit.append(session, at=NOW, **FIELDS)
    with db.read() as session:
        assert audit.verify(session).entries == verification.BATCH + 7
