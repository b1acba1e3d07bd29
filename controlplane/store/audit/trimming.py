"""Old entries leave once they stand in a file; an entry that stays says up to where, and seals that.

`audit.trimmed` carries the number and the digest of the last one that went: from there on the chain proves
itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import Conflict
from controlplane.store.audit.entries import append
from controlplane.store.database import changed_rows
from controlplane.store.tables import AuditEntry

TRIMMED = "audit.trimmed"


@dataclass(frozen=True)
class Stretch:
    """The oldest entries, from the first that is there up to one, and that one's digest."""

    first: int
    last: int
    digest: str


def oldest(session: Session, before: datetime, most: int) -> Stretch | None:
    """At most so many that are older, without a hole; None: there are none."""
    number = col(AuditEntry.seq)
    first = session.scalar(select(func.min(number)))
    if first is None:
        return None
    young = session.scalar(select(func.min(number)).where(col(AuditEntry.at) >= before))
    end = young or (session.scalar(select(func.max(number))) or 0) + 1
    last = min(end, first + most) - 1
    digest = session.scalar(select(col(AuditEntry.digest)).where(number == last))
    return Stretch(first, last, digest) if digest else None


def trim(session: Session, gone: Stretch, *, at: datetime, actor: str, origin: str, file: str) -> None:
    """Remove them, in one transaction with the entry that says so."""
    told = {"first": gone.first, "last": gone.last, "digest": gone.digest, "file": file}
    append(session, at=at, actor=actor, action=TRIMMED, subject="audit", origin=origin, after=told)
    count = changed_rows(session, delete(AuditEntry).where(col(AuditEntry.seq) <= gone.last))
    if count != gone.last - gone.first + 1:
        raise Conflict(
            f"removing the entries {gone.first} to {gone.last} of the audit: {count} are there",
            hint="controlplane audit verify",
        )


def anchor(row: dict[str, Any]) -> tuple[int, str] | None:
    """Number and digest of the last entry that went, of an entry that says so."""
    told = row["after"]
    if row["action"] != TRIMMED or not isinstance(told, dict):
        return None
    last, digest = told.get("last"), told.get("digest")
    return (last, digest) if isinstance(last, int) and isinstance(digest, str) else None
