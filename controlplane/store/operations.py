"""Operations: the queue, the one slot of each workspace, and the story that every door tells.

A row is the truth; the engine only runs legs that a row says are ready. All changes of a status go
through `move`, a conditional update, so that two workers, or a worker and a door, never both win.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import Conflict, Missing
from controlplane.domain.operation import FINAL, HELD, RUNNING, Status, check_status
from controlplane.store.tables import Approval, Operation, OperationEvent, Plan
from controlplane.store.webhooks import outbox

ACTIVE = tuple(s.value for s in RUNNING | HELD)
_FINAL = tuple(s.value for s in FINAL)


def insert(session: Session, operation: Operation) -> Operation:
    """Accept an operation: it waits for its turn on its workspace."""
    session.add(operation)
    tell(session, operation.id, operation.created_at, "status", text="accepted", data={"status": "pending"})
    outbox.put_status(session, operation, Status.PENDING, operation.created_at)
    session.flush()
    return operation


def get(session: Session, operation_id: str) -> Operation:
    found = session.scalars(select(Operation).where(col(Operation.id) == operation_id)).one_or_none()
    if found is None:
        raise Missing(f"there is no operation {operation_id!r}", hint="controlplane operation list")
    return found


def hold(session: Session, operation_id: str) -> Operation:
    """Lock the row until the transaction ends, on SQLite the catalog; then read it as it is."""
    _execute(session, update(Operation).where(col(Operation.id) == operation_id).values(seq=Operation.seq))
    session.expire_all()
    return get(session, operation_id)


def tell(  # noqa: PLR0913
    session: Session,
    operation_id: str,
    at: datetime,
    kind: str,
    *,
    step: str = "",
    text: str = "",
    data: Mapping[str, Any] | None = None,
) -> None:
    """Add a line to the operation's story."""
    session.add(
        OperationEvent(
            operation_id=operation_id, at=at, type=kind, step=step, text=text, data=dict(data or {})
        )
    )


def move(
    session: Session, operation_id: str, status: Status, now: datetime, text: str = "", **fields: Any
) -> Operation:
    """Change the status if that is legal from what it is by now: who moves it at the same time is waited for,
    be it the worker that took this one for dead."""
    current = hold(session, operation_id)
    check_status(Status(current.status), status)
    if status in FINAL:
        fields |= {
            "ended_at": now,
            "leg_state": "idle",
            "expires_at": None,
            "next_command": "",
            "waiting_for": "",
        }
    before = current.status
    values = {"status": status.value, **fields}
    try:
        changed = _execute(
            session,
            update(Operation)
            .where(col(Operation.id) == operation_id, col(Operation.status) == before)
            .values(**values),
        )
    except IntegrityError as error:
        raise Conflict(
            f"the workspace of operation {operation_id} is held by another operation",
            hint="controlplane operation list",
        ) from error
    if changed == 0:
        raise Conflict(f"operation {operation_id} was changed by somebody else just now; look again")
    if status.value != before or text:
        data = {"status": status.value, "was": before}
        tell(session, operation_id, now, "status", text=text or status.value, data=data)
    if status.value != before:
        outbox.put_status(session, current, status, now, text)
    session.expire_all()
    return get(session, operation_id)


def note(session: Session, operation_id: str, **fields: Any) -> None:
    """Set columns that do not change the status (stage, plan, costs)."""
    _execute(session, update(Operation).where(col(Operation.id) == operation_id).values(**fields))


def _execute(session: Session, statement: Any) -> int:
    return cast(CursorResult[Any], session.execute(statement)).rowcount


def holder(session: Session, workspace_id: str) -> Operation | None:
    query = select(Operation).where(
        col(Operation.workspace_id) == workspace_id, col(Operation.status).in_(ACTIVE)
    )
    return session.scalars(query).first()


def unfinished(session: Session, workspace_id: str) -> list[Operation]:
    """Everything of a workspace that is not final, oldest first."""
    query = (
        select(Operation)
        .where(col(Operation.workspace_id) == workspace_id, col(Operation.status).not_in(_FINAL))
        .order_by(col(Operation.seq))
    )
    return list(session.scalars(query).all())


def expired_approvals(session: Session, now: datetime) -> list[str]:
    query = select(col(Operation.id)).where(
        col(Operation.status) == "awaiting_approval", col(Operation.expires_at) <= now
    )
    return list(session.scalars(query).all())


def request_cancel(session: Session, operation_id: str, actor: str, *, insist: bool) -> None:
    note(session, operation_id, cancel_requested=actor, cancel_insist=insist)


# --- reading ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OperationFilter:
    tenant_uid: str | None = None
    status: str | None = None
    kind: str | None = None
    wave_id: str | None = None


def page(session: Session, wanted: OperationFilter, before_seq: int | None, limit: int) -> list[Operation]:
    """Newest first; the cursor is the sequence number, so new operations do not move a page."""
    query = select(Operation).order_by(col(Operation.seq).desc()).limit(limit)
    for name in ("tenant_uid", "status", "kind", "wave_id"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(getattr(Operation, name) == value)
    if before_seq is not None:
        query = query.where(col(Operation.seq) < before_seq)
    return list(session.scalars(query).all())


# --- plans and approvals ----------------------------------------------------------------------------


def save_plan(session: Session, plan: Plan) -> None:
    """Keep a plan; a step that runs twice saves the same plan under the same id."""
    if session.get(Plan, plan.id) is None:
        session.add(plan)
    note(session, plan.operation_id, plan_id=plan.id)
    session.flush()


def plan_of(session: Session, operation: Operation) -> Plan | None:
    return session.get(Plan, operation.plan_id) if operation.plan_id else None


def plan_by_id(session: Session, plan_id: str) -> Plan:
    found = session.get(Plan, plan_id)
    if found is None:
        raise Missing(f"there is no plan {plan_id!r}")
    return found


def plan_of_meaning(session: Session, operation_id: str, meaning: str) -> Plan | None:
    """The plan that an approval named; of several that mean the same, the newest."""
    query = (
        select(Plan)
        .where(col(Plan.operation_id) == operation_id, col(Plan.meaning) == meaning)
        .order_by(col(Plan.created_at).desc())
    )
    return session.scalars(query).first()


def any_plan_consumed(session: Session, operation_id: str) -> bool:
    query = select(col(Plan.id)).where(
        col(Plan.operation_id) == operation_id, col(Plan.consumed_by).is_not(None)
    )
    return session.scalars(query.limit(1)).first() is not None


def consume_plan(session: Session, plan_id: str, run_id: str, now: datetime) -> None:
    """Use the plan up for one apply, once; the same run may ask again after a crash."""
    changed = _execute(
        session,
        update(Plan)
        .where(
            col(Plan.id) == plan_id,
            or_(col(Plan.consumed_by).is_(None), col(Plan.consumed_by) == run_id),
        )
        .values(consumed_by=run_id, consumed_at=func.coalesce(col(Plan.consumed_at), now)),
    )
    if changed == 0:
        raise Conflict(
            f"plan {plan_id} was applied before; every approved plan is applied once",
            hint="plan again: controlplane operation retry ID",
        )


def add_approval(session: Session, approval: Approval) -> None:
    session.add(approval)
    session.flush()


def approvals(session: Session, operation_id: str) -> list[Approval]:
    query = select(Approval).where(col(Approval.operation_id) == operation_id).order_by(col(Approval.seq))
    return list(session.scalars(query).all())


def standing_approval(session: Session, operation_id: str) -> Approval | None:
    """The newest approval that still counts."""
    good = [a for a in approvals(session, operation_id) if a.decision == "approve" and not a.voided]
    return good[-1] if good else None


def void_approvals(session: Session, operation_id: str, why: str) -> None:
    _execute(
        session,
        update(Approval)
        .where(col(Approval.operation_id) == operation_id, col(Approval.voided) == "")
        .values(voided=why),
    )


def expire_at(now: datetime, days: int) -> datetime:
    return now + timedelta(days=days)
