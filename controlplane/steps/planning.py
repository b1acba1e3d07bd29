"""Plans become data: recorded masked, judged by policy and cost, approved by meaning, applied by binding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.names import RunId
from controlplane.domain.operation import FINAL, Kind, Status
from controlplane.domain.plan.digest import departures, meaning, normal_changes
from controlplane.domain.plan.summary import DATABASES, PlanSummary, parse
from controlplane.domain.tenant import Phase
from controlplane.durable import step
from controlplane.steps import judging, subject
from controlplane.steps.adopting import adopt_first
from controlplane.steps.story import effect, say
from controlplane.steps.terraform import apply_run_id
from controlplane.steps.workspace import folder_of, pin
from controlplane.steps.world import world
from controlplane.store import operations, queue, slots, tenants
from controlplane.store.tables import Approval, Operation, Plan


@effect("record_plan", "reading the plan")
def record(
    operation_id: str, run_id: str, written: dict[str, str], *, destroys: bool = False
) -> dict[str, Any]:
    """Mask, digest and keep the plan, unless something is to be adopted and planned again. The clear plan
    never leaves this step."""
    runner = world().ports.runner
    found = subject.load(operation_id)
    document = runner.plan_json(RunId(run_id))
    again = adopt_first(found, document, destroys=destroys)
    if again is not None:
        return {"plan_id": run_id, "empty": False, "again": again}
    summary = take(found, run_id, document, written, runner.binding(RunId(run_id)))
    return {"plan_id": run_id, "empty": summary.is_empty}


def take(
    found: subject.Subject,
    plan_id: str,
    document: Mapping[str, Any],
    written: Mapping[str, str],
    binding: str = "",
) -> PlanSummary:
    """Judge a plan by itself, and keep both. Bound to nothing, it can never be applied."""
    summary = parse(document)
    judged = judging.judge(found, document, summary)
    plan = drawn(found, plan_id, document, written["digest"], written["version"])
    plan.binding = binding
    plan.summary = {
        **summarised(summary, judged),
        "folder": written["folder"],
        "touches_database": any(c.type in DATABASES for c in summary.changes),
    }
    keep(plan, judged, summary)
    return summary


def drawn(
    found: subject.Subject, plan_id: str, document: Mapping[str, Any], digest: str, version: str
) -> Plan:
    """A plan's row, without what judging adds to it."""
    return Plan(
        id=plan_id,
        operation_id=found.operation.id,
        run_id=plan_id,
        meaning=meaning(document, digest, version),
        binding="",
        render_digest=digest,
        changes=list(normal_changes(document)),
        created_at=world().now(),
    )


def summarised(summary: PlanSummary, judged: dict[str, Any]) -> dict[str, Any]:
    return {
        **summary.to_json(),
        "forecast": judged["forecast"],
        "cost": judged["cost_lines"],
        "delicate": judged["delicate"],
    }


def keep(plan: Plan, judged: dict[str, Any], summary: PlanSummary) -> None:
    here = world()
    with here.db.write() as session:
        operations.save_plan(session, plan)
        operations.note(session, plan.operation_id, policy=judged["policy"], **judged["cost"])
        data = {"plan": plan.id, "meaning": plan.meaning, **summary.counts}
        operations.tell(session, plan.operation_id, here.now(), "plan", text=summary.words(), data=data)


@effect("decide", "deciding whether the plan may be applied")
def decide(operation_id: str) -> dict[str, Any]:
    """Refused by policy, covered by an approval, free of need for one, or waiting for one."""
    here = world()
    with here.db.write() as session:
        operation = operations.get(session, operation_id)
        plan = operations.plan_by_id(session, str(operation.plan_id))
        verdict = judging.verdict(operation, plan)
        if verdict["refused"]:
            return {"verdict": "refused", "problem": verdict["problem"]}
        if _is_covered(session, operation, plan):
            return {"verdict": "go"}
        if _in_review(operation):
            return {"verdict": "wait", "waiting_for": verdict["why"] or "changes go through reviews"}
        if not verdict["needs_approval"]:
            return {"verdict": "go"}
        if _approve_for_requester(session, operation, plan, delicate=verdict["delicate"]):
            return {"verdict": "go"}
        return {"verdict": "wait", "waiting_for": verdict["why"]}


def _in_review(operation: Operation) -> bool:
    """The merge of its review approves the first plan; what follows from that one, ordinary rules."""
    return bool(operation.payload.get("review")) and operation.round == 0


def _is_covered(session: Session, operation: Operation, plan: Plan) -> bool:
    """An approval covers the plan that it named, and what is left of it after a crash; nothing else."""
    standing = operations.standing_approval(session, operation.id)
    if standing is None:
        return False
    if standing.meaning == plan.meaning:
        return True
    approved = operations.plan_of_meaning(session, operation.id, standing.meaning)
    strays = departures(approved.changes, plan.changes) if approved else ("the approved plan is gone",)
    if strays:
        operations.void_approvals(session, operation.id, "; ".join(strays)[:500])
        say_why = "the approval is void, the new plan is another one: " + "; ".join(strays[:3])
        operations.tell(session, operation.id, world().now(), "approval", text=say_why)
        return False
    return True


def _approve_for_requester(session: Session, operation: Operation, plan: Plan, *, delicate: bool) -> bool:
    """`--auto-approve`, where one person is enough."""
    here = world()
    if not operation.payload.get("auto_approve") or (delicate and here.two_person):
        return False
    operations.add_approval(
        session,
        Approval(
            operation_id=operation.id,
            meaning=plan.meaning,
            actor=operation.requested_by,
            decision="approve",
            reason="--auto-approve",
            at=here.now(),
        ),
    )
    text = f"approved by {operation.requested_by} (--auto-approve)"
    operations.tell(session, operation.id, here.now(), "approval", text=text, data={"meaning": plan.meaning})
    return True


@step("await_approval")
def await_approval(operation_id: str, number: int, why: str) -> None:
    """From here on the operation is a row. It can wait for days, and ends with a notice."""
    here = world()
    with here.db.write() as session:
        operation = operations.get(session, operation_id)
        plan = operations.plan_by_id(session, str(operation.plan_id))
        operations.move(
            session,
            operation_id,
            Status.AWAITING_APPROVAL,
            here.now(),
            f"waits for an approval: {why}",
            leg="apply",
            waiting_for=f"an approval: {why}",
            next_command=_approving(session, operation, plan),
            expires_at=operations.expire_at(here.now(), here.approval_days),
            stage="",
        )
        queue.end_leg(session, operation_id, number, None)


def _approving(session: Session, operation: Operation, plan: Plan) -> str:
    """A plan that is another one than what was merged is approved by itself."""
    if _in_review(operation) and not operations.approvals(session, operation.id):
        return f"controlplane review merge {operation.payload['review']}"
    return f"controlplane operation approve {operation.id} --digest {plan.meaning[:12]}"


@step("gate")
def gate(operation_id: str, number: int) -> dict[str, Any]:
    """Before an apply: not cancelled, a window open, and the plan still bound to what is there."""
    here = world()
    with here.db.read() as session:
        operation = operations.get(session, operation_id)
        facts = {
            "kind": operation.kind,
            "round": operation.round,
            "variant": operation.payload.get("variant", ""),
        }
        if Status(operation.status) in FINAL:
            return {"verdict": "over", **facts}
        plan = operations.plan_by_id(session, str(operation.plan_id))
    if operation.cancel_requested:
        return {"verdict": "cancelled", **facts}
    opens = judging.window_opens(subject.load(operation_id))
    if opens is not None:
        _await_window(operation_id, number, opens)
        return {"verdict": "window", **facts}
    # What Terraform has no part in is bound to nothing.
    if plan.binding and here.ports.runner.binding(RunId(plan.run_id)) != plan.binding:
        say(operation_id, "warning", "the state moved since the plan: planning again")
        return {"verdict": "replan", **facts}
    return {"verdict": "apply", **facts}


def _await_window(operation_id: str, number: int, opens: Any) -> None:
    here = world()
    with here.db.write() as session:
        operations.move(
            session,
            operation_id,
            Status.AWAITING_WINDOW,
            here.now(),
            f"waits for its window, which opens {opens.isoformat()}",
            waiting_for=f"its change window, which opens {opens.isoformat()}",
            next_command="controlplane window list",
        )
        queue.end_leg(session, operation_id, number, "apply", not_before=opens)


@step("begin_apply")
def begin_apply(operation_id: str, phase: str | None) -> dict[str, Any]:
    """Use up the plan's one apply and make what it does the desired spec, in one transaction."""
    here = world()
    with here.db.write() as session:
        found = subject.read(session, operation_id)
        plan = operations.plan_by_id(session, str(found.operation.plan_id))
        begun = {
            "plan_id": plan.id,
            "folder": str(folder_of(found.operation.workspace_id)),
            "touches_database": plan.summary["touches_database"],
        }
        operations.consume_plan(
            session, begun["plan_id"], apply_run_id(operation_id, begun["plan_id"]), here.now()
        )
        operations.move(session, operation_id, Status.APPLYING, here.now())
        if found.tenant is not None:
            _want(session, found)
            if phase:
                tenants.set_phase(
                    session,
                    found.tenant.uid,
                    Phase(phase),
                    actor=found.operation.requested_by,
                    operation_id=operation_id,
                    now=here.now(),
                    reason="",
                )
    return begun


def _want(session: Session, found: subject.Subject) -> None:
    """What the operation brings about becomes the desired spec: the slots, and the tenant's own row."""
    tenant, operation = found.the_tenant(), found.operation
    for slot in found.wanted():
        slots.save(session, tenant.uid, slot, status="present")
    now = world().now()
    changes = found.wanted_of_tenant() | pin(session, found)
    if changes:
        by = operation.requested_by
        tenants.change(session, tenant.uid, changes, actor=by, operation_id=operation.id, now=now)
    epoch = found.payload["slot"]["epoch"] if found.kind is Kind.RESTORE else tenant.epoch
    if epoch != tenant.epoch:  # it answers nowhere until the route is recorded again
        tenants.set_route(session, tenant.uid, endpoint="", port=0, epoch=epoch, unverified=True, now=now)


@step("begin_verifying")
def begin_verifying(operation_id: str) -> None:
    here = world()
    with here.db.write() as session:
        operations.move(session, operation_id, Status.VERIFYING, here.now())
