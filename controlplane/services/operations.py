"""Operations: reading them, and the few things a person may tell one."""

from __future__ import annotations

from typing import Any

from controlplane.domain.errors import Conflict, Denied, Missing, Stale
from controlplane.domain.names import WorkspaceId
from controlplane.domain.operation import HELD, Kind, Status, is_final
from controlplane.domain.review.progress import BEFORE_MERGE
from controlplane.operations import operation_type
from controlplane.services import guidance, views
from controlplane.services.accept import Intake
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Ask, Control
from controlplane.services.founding import call_off
from controlplane.services.page import decode, encode
from controlplane.store import operations, queue, reviews, runs, story, tenants
from controlplane.store.operations import OperationFilter
from controlplane.store.tables import Approval, Operation, Plan
from controlplane.store.tenants import rules

APPLY_LEG, PLAN_LEG = "apply", "plan"
_SETTLEMENTS = {"retry", "succeeded", "partially_applied", "failed", "cancelled"}


def page(
    control: Control,
    actor: Actor,
    wanted: OperationFilter,
    page_size: int = 50,
    page_token: str | None = None,
) -> dict[str, Any]:
    """Newest first. An actor with a scope sees its tenants' operations only."""
    actor.require(Action.READ_OPERATION)
    before = int(decode(page_token)["seq"]) if page_token else None
    with control.db.read() as session:
        rows = operations.page(session, wanted, before, page_size + 1)
        seen = [r for r in rows[:page_size] if actor.sees_everything or actor.sees(r.tenant_slug)]
        token = encode({"seq": rows[page_size - 1].seq}) if len(rows) > page_size else None
        return {"items": [views.operation(session, r) for r in seen], "next_page_token": token}


def show(control: Control, actor: Actor, operation_id: str) -> dict[str, Any]:
    with control.db.read() as session:
        row = _get(session, actor, operation_id, Action.READ_OPERATION)
        view, cell = views.operation(session, row), queue.cell_of(session, row)
    if not view["done"]:
        view["metadata"] |= guidance.told_here(view, guidance.house_of(control, cell))
    return view


def _get(session: Any, actor: Actor, operation_id: str, action: Action) -> Operation:
    row = operations.get(session, operation_id)
    if not actor.sees_everything and not actor.sees(row.tenant_slug):
        raise Missing(f"there is no operation {operation_id!r}", hint="controlplane operation list")
    actor.require(action)
    return row


def require_seen(control: Control, actor: Actor, operation_id: str) -> None:
    """Raise unless there is such an operation and this actor may read it."""
    with control.db.read() as session:
        _get(session, actor, operation_id, Action.READ_OPERATION)


def events(control: Control, actor: Actor, operation_id: str, after: int = 0) -> list[dict[str, Any]]:
    """The story from an offset on; who comes late gets the whole."""
    with control.db.read() as session:
        _get(session, actor, operation_id, Action.READ_OPERATION)
        return [views.event(e) for e in story.events(session, operation_id, after)]


def plan(control: Control, actor: Actor, operation_id: str) -> dict[str, Any]:
    """The masked plan: what would be changed, resource by resource."""
    with control.db.read() as session:
        row = _get(session, actor, operation_id, Action.READ_OPERATION)
        found = operations.plan_of(session, row)
        if found is None:
            raise Missing(f"operation {operation_id} has no plan yet: it is {row.status}")
        return {"id": found.id, "meaning": found.meaning, **found.summary, "changes": found.changes}


def approve(
    control: Control, actor: Actor, operation_id: str, ask: Ask, digest: str | None = None
) -> dict[str, Any]:
    """Approve exactly the plan that was seen; the one apply follows."""
    with control.db.write() as session:
        operations.hold(session, operation_id)  # of several at once one approves
        row = _get(session, actor, operation_id, Action.APPROVE)
        found = operations.plan_of(session, row)
        if row.status == Status.AWAITING_APPROVAL and row.leg_state != "idle":
            raise Conflict(
                f"the plan of operation {operation_id} is approved already: its apply waits for its turn",
                hint=f"controlplane operation log {operation_id} -f",
            )
        if row.status != Status.AWAITING_APPROVAL or found is None:
            raise Conflict(
                f"operation {operation_id} waits for no approval: it is {row.status}",
                hint=f"controlplane operation show {operation_id}",
            )
        if digest and not found.meaning.startswith(digest):
            raise Stale(
                f"{operation_id} was planned again: its plan is {found.meaning[:12]}, not {digest[:12]}",
                hint=f"controlplane operation plan {operation_id}",
            )
        _refuse_before_merge(session, row)
        _two_persons(control, actor, row, delicate=bool(found.summary.get("delicate")))
        record_approval(Intake(control, session, actor, ask), row, found)
        return views.operation(session, operations.get(session, operation_id))


def record_approval(intake: Intake, row: Operation, plan: Plan) -> None:
    """The approval of exactly this plan; its apply is next."""
    session, actor, now = intake.session, intake.actor, intake.control.now()
    approval = Approval(
        operation_id=row.id,
        meaning=plan.meaning,
        actor=actor.name,
        decision="approve",
        reason=intake.ask.reason,
        at=now,
    )
    operations.add_approval(session, approval)
    fields = {"leg": APPLY_LEG, "leg_state": "ready", "expires_at": None, "waiting_for": "its turn"}
    operations.note(session, row.id, **fields, next_command="")
    text = f"approved by {actor.name}"
    operations.tell(session, row.id, now, "approval", text=text, data={"meaning": plan.meaning})
    intake.record("operation.approved", row)
    session.expire_all()


def _refuse_before_merge(session: Any, row: Operation) -> None:
    """What goes through a review is approved by its merge; what is left of it afterwards, here."""
    review = reviews.of_operation(session, row.id)
    if review is not None and review.status in BEFORE_MERGE:
        raise Conflict(
            f"operation {row.id} is approved by merging its review {review.id}",
            hint=f"controlplane review merge {review.id}",
        )


def _two_persons(control: Control, actor: Actor, row: Operation, *, delicate: bool) -> None:
    """Who asked may not approve a production or destructive change."""
    if control.two_person and delicate and actor.name == row.requested_by:
        raise Denied(
            f"{actor.name} asked for operation {row.id} and may not approve it: another person has to",
            hint="a team of one sets CONTROLPLANE_TWO_PERSON=false",
        )


def reject(control: Control, actor: Actor, operation_id: str, ask: Ask) -> dict[str, Any]:
    with control.db.write() as session:
        row = _get(session, actor, operation_id, Action.APPROVE)
        if row.status not in (Status.AWAITING_APPROVAL, Status.AWAITING_WINDOW):
            raise Conflict(f"operation {operation_id} cannot be rejected: it is {row.status}")
        detail = f"rejected by {actor.name}" + (f": {ask.reason}" if ask.reason else "")
        moved = call_off(session, row.id, Status.REJECTED, control.now(), detail)
        Intake(control, session, actor, ask).record("operation.rejected", row)
        return views.operation(session, moved)


def cancel(
    control: Control, actor: Actor, operation_id: str, ask: Ask, *, insist: bool = False
) -> dict[str, Any]:
    """Three honest outcomes: dropped from the queue, interrupted, or too late and finishing."""
    with control.db.write() as session:
        row = _get(session, actor, operation_id, Action.STEER)
        if is_final(Status(row.status)) or Status(row.status) in HELD:
            raise Conflict(f"operation {operation_id} cannot be cancelled: it is {row.status}")
        operations.request_cancel(session, row.id, actor.name, insist=insist)
        begun = row.round > 0 or operation_type(Kind(row.kind)).tidies is not None
        if row.leg_state != "running" and begun:
            # A leg of its own takes back what was made, or says what stays.
            operations.note(session, row.id, leg_state="ready", not_before=None)
        elif row.leg_state != "running":
            detail = f"cancelled by {actor.name} before anything of it was done"
            call_off(session, row.id, Status.CANCELLED, control.now(), detail, "cancelled")
        Intake(control, session, actor, ask).record("operation.cancelled", row)
        session.expire_all()
        return views.operation(session, operations.get(session, operation_id))


def retry(control: Control, actor: Actor, operation_id: str, ask: Ask) -> dict[str, Any]:
    """Ask for the same change again, as a new operation with the same frozen payload."""
    with control.db.write() as session:
        row = _get(session, actor, operation_id, Action.STEER)
        if row.status not in (Status.FAILED, Status.CANCELLED, Status.REJECTED, Status.PARTIALLY_APPLIED):
            raise Conflict(
                f"operation {operation_id} cannot be tried again: it is {row.status}",
                hint=f"controlplane operation show {operation_id}",
            )
        intake = Intake(control, session, actor, ask)
        payload = {**row.payload, "retry_of": row.id}
        tenant = _tenant_of(session, row)
        again = intake.accept(Kind(row.kind), WorkspaceId(row.workspace_id), payload, tenant)
        return views.operation(session, again)


def _tenant_of(session: Any, row: Operation) -> Any:
    return tenants.by_uid(session, row.tenant_uid) if row.tenant_uid else None


def settle(
    control: Control, actor: Actor, operation_id: str, ask: Ask, outcome: str = "retry"
) -> dict[str, Any]:
    """A person takes an operation out of `needs_operator`: plan again from what is there, or end it; or
    says that the Terraform it waits for is lost."""
    if outcome == "lost":
        return _lose_run(control, actor, operation_id, ask)
    if outcome not in _SETTLEMENTS:
        raise Conflict(f"{outcome!r} is no settlement; one of {', '.join(sorted({*_SETTLEMENTS, 'lost'}))}")
    with control.db.write() as session:
        row = _get(session, actor, operation_id, Action.SETTLE)
        if row.status != Status.NEEDS_OPERATOR:
            raise Conflict(f"operation {operation_id} needs no settling: it is {row.status}")
        if outcome == "retry":
            fields: dict[str, Any] = {
                "leg": PLAN_LEG,
                "leg_state": "ready",
                "error": {},
                "cancel_requested": "",
            }
            fields |= {"waiting_for": "", "next_command": "", "cancel_insist": False}
            moved = operations.move(
                session, row.id, Status.PLANNING, control.now(), f"taken up again by {actor.name}", **fields
            )
        else:
            detail = f"settled as {outcome} by {actor.name}" + (f": {ask.reason}" if ask.reason else "")
            moved = operations.move(session, row.id, Status(outcome), control.now(), detail)
            if row.tenant_uid:
                rules.release(session, row.tenant_uid)
        Intake(control, session, actor, ask).record(f"operation.settled.{outcome}", row)
        return views.operation(session, moved)


def _lose_run(control: Control, actor: Actor, operation_id: str, ask: Ask) -> dict[str, Any]:
    """What no lease says: the host is gone for good, or came back as another one. The worker then settles."""
    with control.db.write() as session:
        row = _get(session, actor, operation_id, Action.SETTLE)
        run = runs.open_run(session, row.id)
        if run is None:
            raise Conflict(
                f"operation {operation_id} waits for no Terraform: it is {row.status}",
                hint=f"controlplane operation show {operation_id}",
            )
        runs.give_up(session, run, actor.name, ask.reason)
        said = f"{actor.name} says that {run.id} on {run.host.partition(':')[0]} is lost"
        operations.tell(session, row.id, control.now(), "warning", text=said)
        Intake(control, session, actor, ask).record("operation.settled.lost", row)
        return views.operation(session, operations.get(session, operation_id))
