"""Migrations of tenants: one row each, changed only by compare-and-set."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import Conflict, Missing, Stale
from controlplane.domain.migration.states import FINAL, OF_TENANT, Flip, State, Strategy, check
from controlplane.domain.operation import FINAL as ENDED
from controlplane.domain.tenant import MigrationState, Phase
from controlplane.store import tenants
from controlplane.store.database import changed_rows, insert_if_absent, prepared
from controlplane.store.moves.rows import Migration
from controlplane.store.tables import Operation, Tenant
from controlplane.store.tenants.rows import By

_FRESH = {"populate_existing": True}
_OVER = tuple(state.value for state in FINAL)
_LEFT_OPEN = (Flip.OPEN, Flip.SWITCHING, Flip.ABORTED, Flip.RETURNING)
_SERVING = (State.FLIPPED.value, State.OPEN.value, State.SOAKING.value)

__all__ = [
    "Migration",
    "abandoned",
    "add",
    "begin",
    "current",
    "end_way_back",
    "end_with_tenant",
    "enter",
    "find",
    "flip",
    "get",
    "lapsed",
    "latest",
    "line",
    "note",
    "serving",
    "since",
    "stands",
]


def begin(session: Session, row: Migration) -> Migration:
    """Open a migration; the same operation may do so again, another one may not."""
    found = current(session, row.tenant_uid)
    if found is not None and found.id != row.id:
        raise Conflict(
            f"a migration of this tenant is {found.state} already, begun by {found.id}",
            hint="controlplane migration show SLUG",
        )
    insert_if_absent(session, Migration, row.model_dump())
    return get(session, row.id)


def get(session: Session, id_: str) -> Migration:
    found = find(session, id_)
    if found is None:
        raise Missing(f"there is no migration {id_!r}")
    return found


def find(session: Session, id_: str) -> Migration | None:
    return session.get(Migration, id_, populate_existing=True)


def current(session: Session, uid: str) -> Migration | None:
    """The one that is not over."""
    query = select(Migration).where(col(Migration.tenant_uid) == uid, col(Migration.state).not_in(_OVER))
    return session.scalars(query, execution_options=_FRESH).one_or_none()


def latest(session: Session, uid: str) -> Migration | None:
    query = select(Migration).where(col(Migration.tenant_uid) == uid)
    newest = query.order_by(col(Migration.created_at).desc(), col(Migration.to_epoch).desc()).limit(1)
    return session.scalars(newest, execution_options=_FRESH).first()


def enter(session: Session, id_: str, state: State, now: datetime, actor: str = "") -> Migration:
    """Take it to another state, if that is legal from the one it is in; its tenant's row follows."""
    row = get(session, id_)
    was = State(row.state)
    check(Strategy(row.strategy), was, state)
    if state is was:
        return row
    timings = [*row.timings, line(state, now, row.holder)]
    values: dict[str, Any] = {"state": state.value, "timings": timings}
    if state in FINAL:
        values["ended_at"] = now
    if state is State.OPEN and row.opened_at is None:
        values["opened_at"] = now
    this = update(Migration).where(col(Migration.id) == id_, col(Migration.state) == was.value)
    if not changed_rows(session, this.values(**values)):
        raise Stale(f"the migration {id_} was moved by somebody else just now")
    by = By(actor=actor or row.requested_by, now=now, operation_id=row.holder)
    tenants.change(session, row.tenant_uid, {"migration_state": OF_TENANT[state].value}, **by)
    return get(session, id_)


def line(state: State, at: datetime, operation_id: str) -> dict[str, str]:
    """When it came to a state, and by which operation."""
    return {"state": state.value, "at": at.isoformat(), "operation": operation_id}


def since(row: Migration, state: State) -> datetime | None:
    """When it first came to a state; None: never."""
    found = (datetime.fromisoformat(entry["at"]) for entry in row.timings if entry["state"] == state)
    return next(found, None)


def flip(session: Session, id_: str, was: Flip, to: Flip, **values: Any) -> bool:
    """The one switch, as a compare-and-set: False when it did not stand where the caller thought."""
    this = update(Migration).where(col(Migration.id) == id_, col(Migration.flip) == was.value)
    return bool(changed_rows(session, this.values(flip=to.value, **values)))


def note(session: Session, id_: str, **values: Any) -> None:
    """Columns that decide nothing: receipts, checks, who holds it; the fence's own too."""
    changed_rows(session, update(Migration).where(col(Migration.id) == id_).values(**values))


def add(session: Session, id_: str, column: str, entries: Mapping[str, Any]) -> None:
    """More entries of a column that holds a mapping."""
    row = get(session, id_)
    note(session, id_, **{column: {**getattr(row, column), **entries}})


def end_with_tenant(session: Session, uid: str, now: datetime, actor: str) -> None:
    """Its tenant is gone, and both its databases with it."""
    row = current(session, uid)
    if row is not None:
        gone = State.COMPLETE if row.flip == Flip.FLIPPED.value else State.ROLLED_BACK
        final = {"state": gone.value, "ended_at": now, "fence_deadline": None, "note": "destroyed"}
        note(session, row.id, **final, timings=[*row.timings, line(gone, now, row.holder)])
    tenants.change(session, uid, {"migration_state": MigrationState.NONE.value}, actor=actor, now=now)


def serving(session: Session, cell: str = "") -> list[Migration]:
    """Those whose target is the truth, and whose source is still kept: also where their upgrade stopped
    before its end. Who sleeps writes nothing. No cell: of all."""
    query = (
        select(Migration)
        .join(Tenant, col(Tenant.uid) == col(Migration.tenant_uid))
        .where(
            col(Migration.state).in_(_SERVING),
            col(Migration.flip) == Flip.FLIPPED.value,
            col(Tenant.phase) != Phase.SUSPENDED.value,
        )
        .order_by(col(Migration.created_at))
    )
    if cell:
        query = query.where(col(Tenant.cell) == cell)
    return list(session.scalars(query, execution_options=_FRESH))


def end_way_back(session: Session, id_: str, why: str, noted: Mapping[str, Any]) -> bool:
    """Rows are sent back no more. False: an operation ends or reverses the move, and sees to it."""
    receipts = get(session, id_).receipts
    ended = {**receipts.get("reverse", {}), "armed": False, "why": why}
    this = update(Migration).where(
        col(Migration.id) == id_,
        col(Migration.state).in_(_SERVING),
        col(Migration.flip) == Flip.FLIPPED.value,
    )
    return bool(
        changed_rows(session, this.values(receipts={**receipts, "reverse": ended}, way_back=dict(noted)))
    )


def lapsed(session: Session, now: datetime) -> list[Migration]:
    """Fences that stand longer than they may."""
    return list(session.scalars(_lapsed(), {"now": now}, execution_options=_FRESH))


@prepared
def _lapsed() -> Select[Migration]:
    return select(Migration).where(col(Migration.fence_deadline) <= bindparam("now"))


def abandoned(session: Session) -> list[Migration]:
    """Whose operation ended and left them where they were: rejected, expired, or settled by a person."""
    return list(session.scalars(_abandoned(), execution_options=_FRESH))


@prepared
def _abandoned() -> Select[Migration]:
    ended = [status.value for status in ENDED]
    return (
        select(Migration)
        .join(Operation, col(Operation.id) == col(Migration.holder))
        .where(
            col(Migration.state).not_in(_OVER),
            col(Migration.flip).in_([flip.value for flip in _LEFT_OPEN]),
            col(Operation.status).in_(ended),
        )
    )


def stands(session: Session) -> bool:
    """Is there a fence that somebody has to watch?"""
    return session.scalars(_standing()).first() is not None


@prepared
def _standing() -> Select[str]:
    return select(col(Migration.id)).where(col(Migration.fence_deadline).is_not(None)).limit(1)
