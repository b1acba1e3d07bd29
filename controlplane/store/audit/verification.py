"""Whether the audit is as it was written: every digest again, and no entry missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.store.audit.entries import FIRST_PREVIOUS, digest, rows_after
from controlplane.store.tables import AuditEntry

BATCH = 1000
_UNREADABLE = (ValueError, TypeError, OperationalError)


@dataclass(frozen=True)
class Verdict:
    """`broken_seq` is the first entry that is not as it was written; None: all are.

    Entries cut off at the end show only against a head (number and digest) that was noted before.
    """

    entries: int  # that are good, from the first on
    head_seq: int
    head_digest: str
    broken_seq: int | None = None
    why: str = ""


def verify(session: Session, noted_head: tuple[int, str] | None = None) -> Verdict:
    """Read the whole chain; `noted_head` is the head of an earlier verdict."""
    seq, previous = 0, FIRST_PREVIOUS
    for row in _rows(session):
        why = _fault(row, seq + 1, previous, noted_head)
        if row is None or why:
            return Verdict(seq, seq, previous, seq + 1, why)
        seq, previous = row["seq"], row["digest"]
    if noted_head and seq < noted_head[0]:
        return Verdict(seq, seq, previous, seq + 1, f"missing: the audit went up to {noted_head[0]} before")
    return Verdict(seq, seq, previous)


def _fault(
    row: dict[str, Any] | None, expected: int, previous: str, noted_head: tuple[int, str] | None
) -> str:
    if row is None:
        return "it cannot be read"
    if row["seq"] != expected:
        return f"missing: {row['seq']} follows"
    if row["previous"] != previous:
        return "it does not follow the entry before it"
    if row["digest"] != digest(row):
        return "its content does not match its digest"
    if noted_head and row["seq"] == noted_head[0] and row["digest"] != noted_head[1]:
        return "it is not the entry that was noted as the head: the chain was written anew"
    return ""


def _rows(session: Session) -> Iterator[dict[str, Any] | None]:
    """All rows in order; None for one that cannot even be read."""
    last = 0
    while True:
        try:
            for row in rows_after(session, last, BATCH):
                last = row["seq"]
                yield row
            return
        except _UNREADABLE:
            yield from _one_by_one(session, last)
            return


def _one_by_one(session: Session, last: int) -> Iterator[dict[str, Any] | None]:
    """After a batch that cannot be read: up to the row that is to blame."""
    end = session.scalar(select(func.max(col(AuditEntry.seq)))) or last
    for seq in range(last, end):
        try:
            found = next(rows_after(session, seq, 1), None)
        except _UNREADABLE:
            yield None
            return
        if found is not None:
            yield found
