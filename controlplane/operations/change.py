"""The one workflow of all changes, in two legs; where Terraform has no part, its steps are left out.

    plan leg:   prepare → render → plan → record → decide ─┬→ apply leg, at once
                                                           └→ wait as a row (approval, window)
    apply leg:  gate → before → apply → settle ─┬→ complete → next round, or done
                                       ├→ plan leg again (adopt what exists, or try again)
                                       └→ held for a person

Between legs an operation is a row and nothing else: no thread, no lease, no code version. A leg that is
killed is taken up by another worker at its first unfinished step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controlplane.domain.errors import ErrorKind, StepFailed
from controlplane.domain.operation import Kind, Status
from controlplane.durable import workflow
from controlplane.operations.types import OperationType, Round, operation_type
from controlplane.steps import intents, planning, records, settling, terraform, workspace

PLAN, APPLY = "plan", "apply"


@workflow("change.plan")
def plan_leg(operation_id: str, number: int) -> None:
    """From a request to a decided plan."""
    facts = records.begin_leg(operation_id, Status.PLANNING.value)
    if facts["over"]:
        return
    of = _type_of(facts)
    try:
        if facts["cancelled"]:
            _cancelled(operation_id, number, of, applied=False)
        else:
            _plan(operation_id, number, of, facts["round"])
    except StepFailed as failure:
        _failed(operation_id, number, of, failure, facts["round"])


def _type_of(facts: Mapping[str, Any]) -> OperationType:
    return operation_type(Kind(facts["kind"])).varied(facts.get("variant", ""))


def _plan(operation_id: str, number: int, of: OperationType, round_: int) -> None:
    here = of.rounds[round_]
    for prepare in here.prepare:
        prepare(operation_id)
    if not here.plans:
        intents.record(operation_id, number)
        return _decide(operation_id, number, of, round_)
    written = workspace.write(operation_id)
    run = terraform.plan(operation_id, number, written["folder"], here.destroys)
    if run["interrupted"]:
        return _cancelled(operation_id, number, of, applied=round_ > 0)
    recorded = planning.record(operation_id, run["run"], written, destroys=here.destroys)
    if recorded.get("again") is not None:
        return records.hand_over(operation_id, number, PLAN, recorded["again"])
    if recorded["empty"] or not here.applies:
        changed = round_ > 0 or not recorded["empty"]
        return _complete(operation_id, number, of, round_, changed=changed)
    return _decide(operation_id, number, of, round_)


def _decide(operation_id: str, number: int, of: OperationType, round_: int) -> None:
    decision = planning.decide(operation_id)
    if decision["verdict"] == "refused":
        return _end(operation_id, number, of, Status.REJECTED, decision["problem"])
    if decision["verdict"] == "wait":
        return planning.await_approval(operation_id, number, decision["waiting_for"])
    return records.hand_over(operation_id, number, APPLY, round_)


@workflow("change.apply")
def apply_leg(operation_id: str, number: int) -> None:
    """From a decided plan to a settled state."""
    gate = planning.gate(operation_id, number)
    if gate["verdict"] == "over":
        return
    of = _type_of(gate)
    try:
        if gate["verdict"] == "cancelled":
            _cancelled(operation_id, number, of, applied=gate["round"] > 0)
        elif gate["verdict"] == "replan":
            records.hand_over(operation_id, number, PLAN, gate["round"])
        elif gate["verdict"] == "apply":
            _apply(operation_id, number, of, gate["round"])
    except StepFailed as failure:
        _failed(operation_id, number, of, failure, gate["round"])


def _apply(operation_id: str, number: int, of: OperationType, round_: int) -> None:
    here = of.rounds[round_]
    for before in here.before:
        before(operation_id)
    begun = planning.begin_apply(operation_id, here.phase.value if here.phase else None)
    if not here.plans or here.by_steps:
        return _complete(operation_id, number, of, round_, changed=True)
    run = terraform.apply(operation_id, begun["plan_id"], begun["folder"], begun["touches_database"])
    verdict = settling.judge(operation_id, run, begun["plan_id"])
    if verdict["verdict"] == "applied":
        return _complete(operation_id, number, of, round_, changed=True)
    if verdict["verdict"] == "again":
        return records.hand_over(operation_id, number, PLAN, round_, verdict["pause_seconds"])
    status = Status(verdict["status"])
    return _end(operation_id, number, of, status, verdict["problem"], applied=verdict["applied"])


def _complete(operation_id: str, number: int, of: OperationType, round_: int, *, changed: bool) -> None:
    """What follows a round's apply; then the next round, or the end."""
    here: Round = of.rounds[round_]
    planning.begin_verifying(operation_id)
    response: dict[str, object] = {}
    for complete in here.complete:
        response |= complete(operation_id) or {}
    if round_ + 1 < len(of.rounds):
        records.hand_over(operation_id, number, PLAN, round_ + 1)
    else:
        records.succeed(
            operation_id, of.done_phase.value if of.done_phase else None, response, changed=changed
        )


def _cancelled(operation_id: str, number: int, of: OperationType, *, applied: bool) -> None:
    if applied:
        detail = "cancelled between two applies: what the first one did stays"
        problem = {"code": "cancelled", "detail": detail}
        return _end(operation_id, number, of, Status.NEEDS_OPERATOR, problem)
    return _end(operation_id, number, of, Status.CANCELLED, {"code": "cancelled", "detail": "cancelled"})


def _failed(operation_id: str, number: int, of: OperationType, failure: StepFailed, round_: int) -> None:
    """A step could not do its work. Once something was applied, a person decides what follows."""
    if settling.was_applied(operation_id) or round_ > 0:
        return _end(operation_id, number, of, Status.NEEDS_OPERATOR, failure.problem())
    refused = failure.problem().get("kind") == ErrorKind.REFUSED
    status = Status.REJECTED if refused else Status.FAILED
    return _end(operation_id, number, of, status, failure.problem())


def _end(
    operation_id: str,
    number: int,
    of: OperationType,
    status: Status,
    problem: Mapping[str, Any],
    *,
    applied: bool = False,
) -> None:
    """The end without what it was for. What can be taken back is, first: then nobody has to settle it."""
    if of.tidies is not None and records.turn(operation_id, number, PLAN, of.tidies, dict(problem)):
        return None
    if of.unwind is not None:
        try:
            back = of.unwind(operation_id)
        except StepFailed as failure:
            said = f"{problem.get('detail', '')}; and it could not be taken back: {failure.message}"
            status, problem = Status.NEEDS_OPERATOR, {**problem, "detail": said, "hint": failure.hint}
        else:
            if back["undone"]:
                said = f"{problem.get('detail', '')}; {back['note']}"
                problem = {**problem, "detail": said, "hint": back["hint"] or problem.get("hint", "")}
                end = back["status"] or status.value
                return records.end(operation_id, end, dict(problem), back["phase"])
            if back["undone"] is False:
                said = f"{problem.get('detail', '')}; {back['note']}"
                status, problem = Status.NEEDS_OPERATOR, {**problem, "detail": said}
    phase = records.phase_after_failure(operation_id, applied=applied)
    held = status is Status.NEEDS_OPERATOR
    return records.end(operation_id, status.value, dict(problem), "needs_operator" if held else phase)
