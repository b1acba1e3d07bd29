"""Writing and reading the audit.

An entry's digest is the SHA-256 of `previous`, a line feed and the entry as JSON: keys sorted, no spaces,
ASCII only, the time in UTC with microseconds. Anybody can compute it again from an export.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NotRequired, TypedDict, Unpack

from sqlalchemy import insert as insert_into
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.store.database import changed_rows
from controlplane.store.history import plain
from controlplane.store.tables import AuditEntry

FIRST_PREVIOUS = "0" * 64
_LOCK = 7_305_021_945  # of PostgreSQL's advisory locks: whoever appends holds it


class Entry(TypedDict):
    at: datetime
    actor: str
    action: str
    subject: str
    reason: NotRequired[str]
    request_id: NotRequired[str]
    origin: NotRequired[str]
    before: NotRequired[Mapping[str, Any]]
    after: NotRequired[Mapping[str, Any]]


def append(session: Session, **entry: Unpack[Entry]) -> int:
    """Add an entry to the caller's transaction; its number.

    Others who append wait from here until the transaction ends: make it the last thing you write.
    """
    _alone(session)
    last = session.execute(
        select(col(AuditEntry.seq), col(AuditEntry.digest)).order_by(col(AuditEntry.seq).desc()).limit(1)
    ).one_or_none()
    previous = last.digest if last else FIRST_PREVIOUS
    seq = last.seq + 1 if last else 1
    values: dict[str, Any] = {"reason": "", "request_id": "", "origin": "", **entry}
    for name in ("before", "after"):  # as they will be read again
        values[name] = json.loads(json.dumps(plain(values.get(name, {})), allow_nan=False))
    values |= {"seq": seq, "previous": previous}
    session.execute(insert_into(AuditEntry).values(**values, digest=digest(values)))
    return seq


def _alone(session: Session) -> None:
    """Two entries must not take one number: hold the chain's end until the transaction ends."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    else:  # the first write of a transaction takes SQLite's one lock
        nothing = update(AuditEntry).where(col(AuditEntry.seq) < 0).values(actor="")
        changed_rows(session, nothing)


def digest(values: Mapping[str, Any]) -> str:
    content = {name: value for name, value in values.items() if name not in ("previous", "digest")}
    content["at"] = values["at"].astimezone(UTC).isoformat(timespec="microseconds")
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(f"{values['previous']}\n{canonical}".encode()).hexdigest()


@dataclass(frozen=True)
class AuditFilter:
    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None


def page(
    session: Session, wanted: AuditFilter, before_seq: int | None = None, limit: int = 50
) -> list[AuditEntry]:
    """Newest first; go on with the last `seq`."""
    query = select(AuditEntry).order_by(col(AuditEntry.seq).desc()).limit(limit)
    for name in ("actor", "action", "subject"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(col(getattr(AuditEntry, name)) == value)
    if wanted.since is not None:
        query = query.where(col(AuditEntry.at) >= wanted.since)
    if before_seq is not None:
        query = query.where(col(AuditEntry.seq) < before_seq)
    return list(session.scalars(query))


def export(session: Session, batch: int = 1000) -> Iterator[dict[str, Any]]:
    """All entries in order, as plain data that carries what verifies it."""
    for row in rows_after(session, 0, batch):
        yield {**row, "at": row["at"].astimezone(UTC).isoformat(timespec="microseconds")}


def rows_after(session: Session, seq: int, batch: int) -> Iterator[dict[str, Any]]:
    """A batch at a time: the audit may be larger than memory."""
    while True:
        query = select(AuditEntry.__table__).where(col(AuditEntry.seq) > seq)  # type: ignore[attr-defined]
        rows = session.execute(query.order_by(col(AuditEntry.seq)).limit(batch)).mappings().all()
        yield from (dict(row) for row in rows)
        if len(rows) < batch:
            return
        seq = rows[-1]["seq"]
