"""After an apply, whatever became of it: what was done, what exists, what follows.

Never "errored": plan, state and AWS are asked; what exists and is not in the state is adopted; the rest is
planned again, or held for a person. Reads only, but for the note of what to adopt.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from controlplane.domain.names import WorkspaceId
from controlplane.domain.operation import Status
from controlplane.domain.plan import settle
from controlplane.durable import step
from controlplane.ports import RunStatus
from controlplane.steps import subject, terraform
from controlplane.steps.adopting import presence
from controlplane.steps.story import effect, say
from controlplane.steps.world import world
from controlplane.store import operations
from controlplane.store.tables import Plan

_ATTEMPTS = 5
_FIRST_PAUSE_SECONDS = 2.0
_BECOMES_AVAILABLE_SECONDS = 3600
# What a provider says when the same call may succeed later.
_PASSING = (
    "throttl",
    "rate exceeded",
    "timeout",
    "timed out",
    "connection re",
    "internalfailure",
    "serviceunavailable",
    "statuscode: 50",
    "requestlimit",
    "unexpected eof",
    "couldn't find resource",  # made a moment ago, and not to be seen everywhere yet
)


@effect("settle", "settling what was done")
def judge(operation_id: str, run: dict[str, Any], plan_id: str) -> dict[str, Any]:
    """applied, again, cancelled, or the end with its status and problem."""
    here = world()
    found = subject.load(operation_id)
    with here.db.read() as session:
        plan = operations.plan_by_id(session, plan_id)
    verdict = _verdict(found, run, plan)
    with here.db.write() as session:
        outcome = [{"address": a, "done": True} for a in verdict.done]
        outcome += [{"address": a, "done": False} for a in verdict.left]
        imports = [[i.address, i.id] for i in verdict.imports]
        operations.note(session, operation_id, outcome=outcome, imports=imports)
    return _follows(found, run, verdict)


def _verdict(found: subject.Subject, run: Mapping[str, Any], plan: Plan) -> settle.Verdict:
    """The pure decision, on evidence that is read now; a database that is still being made is waited for."""
    deadline = time.monotonic() + _BECOMES_AVAILABLE_SECONDS
    while True:
        state = world().ports.runner.state(WorkspaceId(found.operation.workspace_id))
        verdict = settle.settle(
            settle.Evidence(
                run=settle.RunEnd(run["status"]),
                exit_code=run["exit_code"],
                planned=plan.changes,
                state=settle.read_state(state),
                aws=presence(found, plan.changes),
            )
        )
        if not verdict.wait_for or time.monotonic() > deadline:
            return verdict
        say(found.operation.id, "warning", f"waiting until {', '.join(verdict.wait_for)} can be adopted")
        time.sleep(max(1.0, world().poll_seconds))


def _follows(found: subject.Subject, run: Mapping[str, Any], verdict: settle.Verdict) -> dict[str, Any]:
    outcome, operation = verdict.outcome, found.operation
    brought = outcome in (settle.Outcome.ADOPT, settle.Outcome.APPLIED)
    applied = brought or bool(verdict.done or verdict.unproven)
    if outcome is settle.Outcome.APPLIED:
        return {"verdict": "applied"}
    if outcome is settle.Outcome.NEEDS_OPERATOR:
        return _end(Status.NEEDS_OPERATOR, verdict, run, applied=True)
    if run["interrupted"] and operation.cancel_requested:
        status = Status.PARTIALLY_APPLIED if applied else Status.CANCELLED
        return _end(status, verdict, run, applied=applied)
    if _may_go_on(run, verdict) and operation.attempt < _ATTEMPTS:
        with world().db.write() as session:
            operations.note(session, operation.id, attempt=operation.attempt + 1)
        say(operation.id, "warning", f"{verdict.reason}; {verdict.next_step}")
        return {"verdict": "again", "pause_seconds": _FIRST_PAUSE_SECONDS * 2 ** (operation.attempt - 1)}
    return _end(Status.PARTIALLY_APPLIED if applied else Status.FAILED, verdict, run, applied=applied)


def _may_go_on(run: Mapping[str, Any], verdict: settle.Verdict) -> bool:
    """Planning again is always safe; it makes sense when the cause may pass or something is to be adopted."""
    if verdict.outcome is settle.Outcome.ADOPT or run["status"] == RunStatus.LOST.value:
        return True
    said = " ".join(run["tail"]).lower()
    return any(words in said for words in _PASSING)


def _end(status: Status, verdict: settle.Verdict, run: Mapping[str, Any], *, applied: bool) -> dict[str, Any]:
    last = "\n".join(run["tail"][-8:])
    why = "the run timed out" if run["timed_out"] else f"terraform exited {run['exit_code']}"
    full = terraform.full_disk(run["tail"])
    why = full or why
    problem = {
        "code": "needs_operator" if status is Status.NEEDS_OPERATOR else "apply_failed",
        "detail": f"{verdict.reason} ({why})",
        "hint": f"free some space, then {verdict.next_step}" if full else verdict.next_step,
        "details": {**verdict.to_json(), "last_lines": last},
    }
    return {"verdict": "end", "status": status.value, "problem": problem, "applied": applied}


@step("was_applied")
def was_applied(operation_id: str) -> bool:
    """Whether any plan of this operation was used up: then something may have been changed."""
    with world().db.read() as session:
        return operations.any_plan_consumed(session, operation_id)
