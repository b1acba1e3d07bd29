"""The queue: whose turn it is, who took it, and what is left.

An operation waits as a row; a worker claims its next leg, gives it to the engine, and ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, bindparam, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased
from sqlmodel import col

from controlplane.domain.operation import FINAL
from controlplane.store.database import changed_rows, prepared
from controlplane.store.operations import ACTIVE, get, holder, tell, unfinished
from controlplane.store.tables import Operation, Platform, Tenant

_FINAL = tuple(s.value for s in FINAL)
_SOON = timedelta(minutes=5)


@dataclass(frozen=True)
class Leg:
    """One stretch of an operation that the engine shall run."""

    operation_id: str
    kind: str
    name: str
    number: int

    @property
    def workflow_id(self) -> str:
        return f"{self.operation_id}:{self.number}"


def ready(session: Session, now: datetime, limit: int, cell: str = "") -> list[str]:
    """Operations whose next leg may run: by priority, then by age; the oldest of each workspace. Those of
    one cell, where a cell is named."""
    return list(session.scalars(_ready(cell), {"now": now, "most": limit}))


@prepared
def _ready(cell: str) -> Select[str]:
    other = aliased(Operation)
    same_workspace = and_(
        col(other.workspace_id) == col(Operation.workspace_id), col(other.id) != col(Operation.id)
    )
    held = exists().where(same_workspace, col(other.status).in_(ACTIVE))
    earlier = exists().where(
        same_workspace, col(other.status) == "pending", col(other.seq) < col(Operation.seq)
    )
    return (
        select(col(Operation.id))
        .where(
            col(Operation.leg_state) == "ready",
            or_(col(Operation.not_before).is_(None), col(Operation.not_before) <= bindparam("now")),
            or_(col(Operation.status) != "pending", and_(~held, ~earlier)),
            *_in(cell),
        )
        .order_by(col(Operation.priority), col(Operation.seq))
        .limit(bindparam("most"))
    )


def _in(cell: str) -> list[Any]:
    if not cell:
        return []
    tenant = exists().where(col(Tenant.uid) == col(Operation.tenant_uid), col(Tenant.cell) == cell)
    platform = exists().where(
        col(Platform.workspace_id) == col(Operation.workspace_id), col(Platform.cell) == cell
    )
    return [or_(tenant, platform)]


def cell_of(session: Session, operation: Operation) -> str:
    """Whose workers do it: where its tenant or its platform is."""
    tenant = select(col(Tenant.cell)).where(col(Tenant.uid) == operation.tenant_uid)
    platform = select(col(Platform.cell)).where(col(Platform.workspace_id) == operation.workspace_id)
    return session.scalar(tenant) or session.scalar(platform) or ""


def claim(session: Session, operation_id: str, now: datetime) -> Leg | None:
    """Take the next leg of an operation; None when somebody else was faster.

    A pending operation takes its workspace's slot here. What makes that safe is the unique index over the
    statuses that hold: the loser gets an IntegrityError and rolls its transaction back.
    """
    operation = get(session, operation_id)
    first = operation.status == "pending"
    # The update below reaches the object as well: what the leg is called is taken down before it.
    leg = Leg(operation_id, operation.kind, operation.leg, operation.leg_number + 1)
    values: dict[str, Any] = {
        "leg_state": "running",
        "leg_number": leg.number,
        "not_before": None,
    }
    if first:
        values |= {"status": "planning", "started_at": now, "waiting_for": "", "next_command": ""}
    where = (
        col(Operation.id) == operation_id,
        col(Operation.status) == operation.status,
        col(Operation.leg_state) == "ready",
        col(Operation.leg_number) == operation.leg_number,
    )
    if changed_rows(session, update(Operation).where(*where).values(**values)) == 0:
        return None
    if first:
        tell(
            session,
            operation_id,
            now,
            "status",
            text="planning",
            data={"status": "planning", "was": "pending"},
        )
    session.expire_all()
    return leg


def end_leg(session: Session, operation_id: str, number: int, following: str | None, **fields: Any) -> bool:
    """A leg has done its work: another one is ready, or the operation waits as a row."""
    values = {
        "leg_state": "ready" if following else "idle",
        **({"leg": following} if following else {}),
        **fields,
    }
    where = (
        col(Operation.id) == operation_id,
        col(Operation.leg_number) == number,
        col(Operation.leg_state) == "running",
    )
    changed = changed_rows(session, update(Operation).where(*where).values(**values))
    session.expire_all()
    return changed > 0


def running_legs(session: Session, cell: str = "") -> list[Leg]:
    query = select(Operation).where(col(Operation.leg_state) == "running", *_in(cell))
    return [Leg(o.id, o.kind, o.leg, o.leg_number) for o in session.scalars(query)]


def running_count(session: Session, cell: str = "") -> int:
    return session.scalars(_running(cell)).one()


@prepared
def _running(cell: str) -> Select[int]:
    return select(func.count(col(Operation.id))).where(col(Operation.leg_state) == "running", *_in(cell))


def is_idle(session: Session, now: datetime, cell: str = "") -> bool:
    """Nothing runs or will soon: what is left waits for a person or for a later hour. A back-off is soon."""
    return session.scalars(_left(cell), {"soon": now + _SOON}).first() is None


@prepared
def _left(cell: str) -> Select[str]:
    soon = or_(col(Operation.not_before).is_(None), col(Operation.not_before) <= bindparam("soon"))
    busy = or_(col(Operation.leg_state) == "running", and_(col(Operation.leg_state) == "ready", soon))
    left = (busy, col(Operation.status).not_in(_FINAL), *_in(cell))
    return select(col(Operation.id)).where(*left).limit(1)


def queue_position(session: Session, operation: Operation) -> int | None:
    """How many operations go first, counted from 1; None when it is not waiting for its turn."""
    if operation.status != "pending":
        return None
    ahead = select(func.count(col(Operation.id))).where(
        col(Operation.status) == "pending",
        or_(
            col(Operation.priority) < operation.priority,
            and_(col(Operation.priority) == operation.priority, col(Operation.seq) < operation.seq),
        ),
    )
    return int(session.scalars(ahead).one()) + 1


def in_front(session: Session, operation: Operation) -> str | None:
    """Whose end a pending operation waits for on its workspace: who holds it, else who asked before."""
    if operation.status != "pending":
        return None
    active = holder(session, operation.workspace_id)
    # Reads are not one snapshot: it may have started, or ended, since its own row was read.
    first = active or next(iter(unfinished(session, operation.workspace_id)), operation)
    return None if first.id == operation.id else first.id
