"""The inbox of right-sizing. What lives is one row a tenant; a unique index says so, not a look before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import Missing
from controlplane.store.database import changed_rows, insert_if_absent
from controlplane.store.fleet.rows import Recommendation, Suppression

OPEN, PROPOSED = "open", "proposed"
ALIVE = (OPEN, PROPOSED)
_LONGEST_DAYS = 365


def save(session: Session, row: Recommendation) -> str:
    """Insert, or bring the open one of this tenant up to date: `new` or `updated`.

    One that somebody has proposed is left as it was decided, and so is one of another kind: `kept`.
    """
    if insert_if_absent(session, Recommendation, row.model_dump()):
        return "new"
    fresh = row.model_dump(exclude={"id", "tenant_uid", "status", "first_seen_at", "seen_count"})
    same = (*_open(row.tenant_uid), col(Recommendation.kind) == row.kind)
    counted = {**fresh, "seen_count": Recommendation.seen_count + 1}
    changed = changed_rows(session, update(Recommendation).where(*same).values(**counted))
    return "updated" if changed else "kept"


def end_open(session: Session, uid: str, now: datetime, why: str) -> bool:
    """What is no longer found is no longer proposed."""
    this = (*_open(uid), col(Recommendation.kind) == "resize")
    values = {"status": "ended", "decided_at": now, "decision_reason": why}
    return bool(changed_rows(session, update(Recommendation).where(*this).values(**values)))


def _open(uid: str) -> tuple[Any, ...]:
    return (col(Recommendation.tenant_uid) == uid, col(Recommendation.status) == OPEN)


def get(session: Session, id_: str) -> Recommendation:
    found = session.get(Recommendation, id_, populate_existing=True)
    if found is None:
        raise Missing(f"there is no recommendation {id_!r}", hint="controlplane rightsize list")
    return found


def move(session: Session, id_: str, seen: Sequence[str], values: Mapping[str, Any]) -> bool:
    """Change it if it still has one of these statuses: of two who decide, one does."""
    this = (col(Recommendation.id) == id_, col(Recommendation.status).in_(seen))
    return bool(changed_rows(session, update(Recommendation).where(*this).values(**values)))


def page(
    session: Session, statuses: Sequence[str], limit: int, after: str = "", slug: str = ""
) -> list[Recommendation]:
    """Newest first; `after` is the last id of the page before."""
    query = select(Recommendation).where(col(Recommendation.status).in_(statuses))
    if after:
        query = query.where(col(Recommendation.id) < after)
    if slug:
        query = query.where(col(Recommendation.slug) == slug)
    return list(session.scalars(query.order_by(col(Recommendation.id).desc()).limit(limit)))


def proposed(session: Session) -> list[Recommendation]:
    """Those whose operation is on its way."""
    return list(session.scalars(select(Recommendation).where(col(Recommendation.status) == PROPOSED)))


def proposed_of(session: Session, uid: str) -> Recommendation | None:
    this = (col(Recommendation.tenant_uid) == uid, col(Recommendation.status) == PROPOSED)
    return session.scalars(select(Recommendation).where(*this)).one_or_none()


def to_look_at(session: Session, before: datetime) -> list[Recommendation]:
    """Applied before then, and not looked at again with a result."""
    query = select(Recommendation).where(
        col(Recommendation.status) == "applied",
        col(Recommendation.target_size) != "",
        col(Recommendation.outcome).in_(("", "unknown")),
        col(Recommendation.decided_at) <= before,
    )
    return list(session.scalars(query))


# --- what people did not want -----------------------------------------------------------------------


def suppress(session: Session, uid: str, signature: str, days: int, decided: Mapping[str, Any]) -> datetime:
    """Until when it is not proposed again: so many days, twice as many after each further dismissal."""
    now: datetime = decided["now"]
    before = session.get(Suppression, (uid, signature), populate_existing=True)
    count = before.dismissals + 1 if before else 1
    until = now + timedelta(days=min(_LONGEST_DAYS, days * 2 ** (count - 1)))
    values = {
        "until": until,
        "dismissals": count,
        "reason": decided["reason"],
        "created_by": decided["actor"],
    }
    if not insert_if_absent(session, Suppression, {"tenant_uid": uid, "signature": signature, **values}):
        this = (col(Suppression.tenant_uid) == uid, col(Suppression.signature) == signature)
        changed_rows(session, update(Suppression).where(*this).values(**values))
    return until


def suppressed(session: Session, now: datetime) -> set[tuple[str, str]]:
    """Tenant and signature of everything that is not to be proposed now."""
    query = select(col(Suppression.tenant_uid), col(Suppression.signature)).where(
        col(Suppression.until) > now
    )
    return {(uid, signature) for uid, signature in session.execute(query)}
