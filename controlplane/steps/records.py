"""Records: how an operation's row goes from leg to leg and to its end. Each is one transaction.

Running one of them twice is safe: a status that is already reached stays, a leg that already ended is not
ended again (its number is compared), and an event more in the story harms nobody.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.operation import FINAL, Kind, Status
from controlplane.domain.tenant import Phase
from controlplane.durable import step
from controlplane.steps import subject
from controlplane.steps.judging import monthly_usd
from controlplane.steps.workspace import pin
from controlplane.steps.world import world
from controlplane.store import operations, queue, tenants
from controlplane.store.tables import Operation
from controlplane.store.tenants import rules

_BEFORE_APPLY = frozenset({Status.PLANNING, Status.AWAITING_APPROVAL, Status.AWAITING_WINDOW, Status.PENDING})


@step("begin_leg")
def begin_leg(operation_id: str, status: str) -> dict[str, Any]:
    """The facts a leg is run by; says `cancelled` when somebody asked for that before it began."""
    here = world()
    with here.db.write() as session:
        operation = operations.get(session, operation_id)
        if Status(operation.status) in FINAL:
            return {"kind": operation.kind, "round": operation.round, "over": True, "cancelled": False}
        if not operation.cancel_requested:
            operations.move(session, operation_id, Status(status), here.now())
        return {
            "kind": operation.kind,
            "round": operation.round,
            "variant": operation.payload.get("variant", ""),
            "over": False,
            "cancelled": bool(operation.cancel_requested),
        }


@step("hand_over")
def hand_over(operation_id: str, number: int, following: str, round_: int, pause_seconds: float = 0) -> None:
    """This leg is done; another one follows at once, or after a pause."""
    here = world()
    later = here.now() + timedelta(seconds=pause_seconds) if pause_seconds else None
    with here.db.write() as session:
        queue.end_leg(session, operation_id, number, following, round=round_, not_before=later)


@step("turn_to_tidying")
def turn(operation_id: str, number: int, following: str, round_: int, problem: dict[str, Any]) -> bool:
    """What failed goes on to the round that leaves nothing behind; False: nothing was begun, or that round
    is what failed. A leg that was turned already has another number."""
    here = world()
    with here.db.write() as session:
        operation = operations.get(session, operation_id)
        if (operation.leg_number, operation.leg_state) != (number, "running"):
            return True
        if operation.round >= round_ or not operations.any_plan_consumed(session, operation_id):
            return False
        text = f"{problem.get('detail', 'it failed')}; what it made is removed"
        operations.tell(session, operation_id, here.now(), "warning", text=text)
        operations.note(session, operation_id, error=problem, cancel_requested="", cancel_insist=False)
        return queue.end_leg(session, operation_id, number, following, round=round_)


@step("enter_phase")
def enter_phase(operation_id: str, phase: str, reason: str = "") -> None:
    """Set the tenant's phase, if the operation is about a tenant."""
    here = world()
    with here.db.write() as session:
        operation = operations.get(session, operation_id)
        if operation.tenant_uid:
            _set_phase(session, operation, Phase(phase), reason)


def _set_phase(session: Session, operation: Operation, phase: Phase, reason: str) -> None:
    tenants.set_phase(
        session,
        str(operation.tenant_uid),
        phase,
        actor=operation.requested_by,
        operation_id=operation.id,
        now=world().now(),
        reason=reason,
    )


@step("succeed")
def succeed(operation_id: str, phase: str | None, response: dict[str, Any], *, changed: bool = True) -> None:
    """The operation reached what it was for: the tenant's observed generation is its desired one.

    A plan that is empty at last does not say that nothing was changed: an earlier one may be applied."""
    here = world()
    with here.db.write() as session:
        operation = operations.get(session, operation_id)
        if Status(operation.status) in FINAL:
            return
        changed = changed or operations.any_plan_consumed(session, operation_id)
        status = Status.SUCCEEDED if changed else Status.NO_CHANGES
        if operation.tenant_uid and phase:
            _set_phase(session, operation, Phase(phase), "")
            _observe(session, operation)
            rules.release(session, operation.tenant_uid)
        operations.move(session, operation_id, status, here.now(), response=response, stage="")


def _observe(session: Session, operation: Operation) -> None:
    """What the operation brought about: cost, template version, and the generation that it reached."""
    found = subject.read(session, operation.id)
    tenant = found.the_tenant()
    changes: dict[str, Any] = {"monthly_usd": monthly_usd(found)}
    if found.slots:
        changes |= pin(session, found)
    tenants.change(
        session,
        tenant.uid,
        changes,
        actor=operation.requested_by,
        operation_id=operation.id,
        now=world().now(),
    )
    tenants.observe_generation(session, tenant.uid)


@step("end")
def end(operation_id: str, status: str, problem: dict[str, Any], phase: str | None = None) -> None:
    """The operation ends without reaching what it was for, or is held for a person."""
    here = world()
    with here.db.write() as session:
        operation = operations.get(session, operation_id)
        if Status(operation.status) in FINAL:
            return
        following = Status(status)
        fields: dict[str, Any] = {"error": problem, "leg_state": "idle"}
        if following is Status.NEEDS_OPERATOR:
            fields["waiting_for"] = str(problem.get("detail", ""))
            fields["next_command"] = f"controlplane operation settle {operation_id}"
        if operation.tenant_uid and phase:
            _set_phase(session, operation, Phase(phase), str(problem.get("detail", "")))
        if operation.tenant_uid and following in FINAL:
            rules.release(session, operation.tenant_uid)
        operations.move(
            session, operation_id, following, here.now(), str(problem.get("detail", "")), **fields
        )


@step("phase_after_failure")
def phase_after_failure(operation_id: str, *, applied: bool) -> str | None:
    """A tenant whose change never began keeps its phase; one that never came to be is `failed`."""
    found = subject.load(operation_id)
    if found.tenant is None:
        return None
    if applied or found.kind is Kind.CREATE or found.tenant.phase == Phase.REQUESTED:
        return Phase.FAILED.value
    return None
