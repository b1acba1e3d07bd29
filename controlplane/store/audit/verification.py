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
from controlplane.store.audit.trimming import anchor
from controlplane.store.tables import AuditEntry

BATCH = 1000
_UNREADABLE = (ValueError, TypeError, OperationalError)


@dataclass(frozen=True)
class Verdict:
    """`broken_seq` is the first entry that is not as it was written; None: all are.

    Entries cut off at the end show only against a head (number and digest) that was noted before.
    """

    entries: int  # that are good, from the first on that is there
    head_seq: int
    head_digest: str
    broken_seq: int | None = None
    why: str = ""
    exported: int = 0  # entries up to this one left for a file; an entry that is there says so


def verify(session: Session, noted_head: tuple[int, str] | None = None) -> Verdict:
    """Read the whole chain; `noted_head` is the head of an earlier verdict."""
    gone, front = _front(session)
    seq, previous = gone, front
    anchors: dict[int, str] = {}
    for row in _rows(session, gone):
        why = _fault(row, seq + 1, previous, noted_head)
        if row is None or why:
            return Verdict(seq - gone, seq, previous, seq + 1, why, gone)
        seq, previous = row["seq"], row["digest"]
        anchors.update([found] if (found := anchor(row)) else [])
    if gone and anchors.get(gone) != front:
        return _unexplained(gone, anchors)
    if noted_head and seq < noted_head[0]:
        why = f"missing: the audit went up to {noted_head[0]} before"
        return Verdict(seq - gone, seq, previous, seq + 1, why, gone)
    return Verdict(seq - gone, seq, previous, exported=gone)


def _front(session: Session) -> tuple[int, str]:
    """How many entries are not there any more, and the digest that the first one follows."""
    first = session.scalar(select(func.min(col(AuditEntry.seq)))) or 1
    if first == 1:
        return 0, FIRST_PREVIOUS
    try:
        digest = session.scalar(select(col(AuditEntry.previous)).where(col(AuditEntry.seq) == first))
    except _UNREADABLE:  # and so is the entry, when it is come to
        digest = ""
    return first - 1, str(digest)


def _unexplained(gone: int, anchors: dict[int, str]) -> Verdict:
    """The chain holds from its first entry on, but nothing that is in it vouches for where it begins."""
    if gone in anchors:
        return Verdict(
            0, gone, anchors[gone], gone + 1, "it does not follow the entry that was exported last"
        )
    told = max((number for number in anchors if number < gone), default=0)
    why = f"missing: {gone + 1} follows, and no entry says that it was exported"
    return Verdict(0, told, anchors.get(told, FIRST_PREVIOUS), told + 1, why, told)


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


def _rows(session: Session, last: int) -> Iterator[dict[str, Any] | None]:
    """The rows after `last` in order; None for one that cannot even be read."""
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
