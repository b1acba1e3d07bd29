"""The sweeper finds what no leg will ever finish, and what waited too long. It is the last to free a slot."""

from __future__ import annotations

from datetime import datetime

from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.operation import FINAL, Status
from controlplane.durable import Engine
from controlplane.services.founding import call_off
from controlplane.store import operations, queue
from controlplane.store.database import Database

_ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


def sweep(db: Database, engine: Engine, now: datetime) -> None:
    _flag_broken_legs(db, engine, now)
    _expire_approvals(db, now)


def _flag_broken_legs(db: Database, engine: Engine, now: datetime) -> None:
    """A leg whose workflow ended without ending the leg: a person has to look, nothing is guessed."""
    with db.read() as session:
        running = queue.running_legs(session)
    for leg in running:
        status = engine.status(leg.workflow_id)
        if status is not None and status not in _ENDED:
            continue
        with db.write() as session:
            current = operations.get(session, leg.operation_id)
            if current.leg_number != leg.number or current.leg_state != "running":
                continue
            if Status(current.status) in FINAL:
                operations.note(session, leg.operation_id, leg_state="idle")
                continue
            detail = (
                f"the workflow {leg.workflow_id} ended ({status or 'unknown'}) and left its operation behind"
            )
            operations.move(
                session,
                leg.operation_id,
                Status.NEEDS_OPERATOR,
                now,
                detail,
                leg_state="idle",
                error={"code": "workflow_lost", "detail": detail},
                waiting_for=detail,
                next_command=f"controlplane operation settle {leg.operation_id}",
            )


def _expire_approvals(db: Database, now: datetime) -> None:
    with db.read() as session:
        expired = operations.expired_approvals(session, now)
    for operation_id in expired:
        detail = "nobody approved it in time"
        try:
            with db.write() as session:
                call_off(session, operation_id, Status.REJECTED, now, detail, "approval_expired")
        except ControlPlaneError:
            continue  # approved at the last moment
