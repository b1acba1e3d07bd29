"""Terraform runs as steps. A run's id is its idempotency key: a step that runs again follows the same run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from controlplane.domain.errors import Locked, TerraformFailed
from controlplane.domain.names import OperationId, RunId, WorkspaceId
from controlplane.durable import Retry, reach
from controlplane.ports import RunOrder, RunReport, RunStatus, RunVerb
from controlplane.steps import subject
from controlplane.steps.story import effect, say
from controlplane.steps.world import world
from controlplane.store import operations

PLAN_EXIT_CODES = (0, 2)  # empty, changes


def plan_run_ids(operation_id: str, number: int) -> tuple[RunId, RunId]:
    """The run, and the one in its place should it be lost."""
    first = f"{operation_id}-{number}-plan"
    return RunId(first), RunId(f"{first}-again")


def apply_run_id(operation_id: str, plan_id: str) -> RunId:
    """One per plan, so that one plan cannot have two."""
    del operation_id
    return RunId(f"{plan_id}-apply")


@effect("plan", "planning", Retry(attempts=2))
def plan(operation_id: str, number: int, folder: str, destroy: bool) -> dict[str, Any]:
    """Run `terraform plan` and `show`. Reads only: a crash may run it again under the same id, and a run that
    was lost is made once more."""
    found = subject.load(operation_id)
    first, again = plan_run_ids(operation_id, number)
    order = RunOrder(
        run_id=first,
        workspace=WorkspaceId(found.operation.workspace_id),
        operation=OperationId(operation_id),
        verb=RunVerb.PLAN,
        folder=folder,
        destroy=destroy,
        timeout_seconds=world().plan_timeout_seconds,
        request_id=found.operation.request_id,
        priority=found.operation.priority,
    )
    report = _run(operation_id, order)
    if report.status is RunStatus.LOST:
        say(operation_id, "warning", "the run was lost; a plan changes nothing, and is made again")
        report = _run(operation_id, replace(order, run_id=again))
    if report.interrupted:
        return {"run": report.run_id, "interrupted": True}
    if report.status is RunStatus.LOST or report.exit_code not in PLAN_EXIT_CODES:
        raise _failure("planning", found, report)
    return {"run": report.run_id, "interrupted": False}


@effect("apply", "applying the approved plan")
def apply(operation_id: str, plan_id: str, folder: str, touches_database: bool) -> dict[str, Any]:
    """Apply the saved plan, once: its token was used up in the transaction that began the apply."""
    found = subject.load(operation_id)
    with world().db.read() as session:
        plan_run = operations.plan_by_id(session, plan_id).run_id
    report = _run(
        operation_id,
        RunOrder(
            run_id=apply_run_id(operation_id, plan_id),
            workspace=WorkspaceId(found.operation.workspace_id),
            operation=OperationId(operation_id),
            verb=RunVerb.APPLY,
            folder=folder,
            plan_run=RunId(plan_run),
            touches_database=touches_database,
            timeout_seconds=world().apply_timeout_seconds,
            request_id=found.operation.request_id,
            priority=found.operation.priority,
        ),
    )
    return {
        "run": report.run_id,
        "status": report.status.value,
        "exit_code": report.exit_code,
        "interrupted": report.interrupted,
        "timed_out": report.timed_out,
        "tail": list(report.tail)[-20:],
    }


def _run(operation_id: str, order: RunOrder) -> RunReport:
    """Start it unless it was started, and follow it to its end."""
    facts = {"run": order.run_id, "workspace": order.workspace}
    with world().tracer.span(f"terraform {order.verb}", operation=operation_id, **facts) as span:
        report = _followed(operation_id, order)
        span.tell(
            status=report.status.value, **({} if report.exit_code is None else {"exit": report.exit_code})
        )
        return report


def _followed(operation_id: str, order: RunOrder) -> RunReport:
    here = world()
    report = _start(operation_id, order)
    if report is None:
        return RunReport(order.run_id, RunStatus.ENDED, interrupted=True)
    reach(order.verb.value, "middle")
    asked = False
    with here.db.stirring(here.poll_seconds) as stirring:
        while report.status in (RunStatus.RUNNING, RunStatus.NEVER_STARTED):
            if not asked:
                asked = _pass_on_cancel(operation_id, order)
            stirring.wait()
            report = here.ports.runner.look(order.run_id)
            if report.status is RunStatus.NEVER_STARTED:  # its supervisor died before Terraform began
                report = here.ports.runner.start(order)
    return report


def _start(operation_id: str, order: RunOrder) -> RunReport | None:
    """Wait while a person plans there by hand; None: cancelled meanwhile. Nothing has begun then."""
    here = world()
    deadline = time.monotonic() + here.plan_timeout_seconds
    said = ""
    while True:
        try:
            return here.ports.runner.start(order)
        except Locked as error:
            if time.monotonic() > deadline:
                raise
            if error.message != said:
                said = error.message
                say(operation_id, "warning", f"waiting: {said}")
        with here.db.read() as session:
            if operations.get(session, operation_id).cancel_requested:
                return None
        time.sleep(max(1.0, here.poll_seconds))


def _pass_on_cancel(operation_id: str, order: RunOrder) -> bool:
    """Interrupt the run when somebody asked for it; says so when it is too late for that."""
    here = world()
    with here.db.read() as session:
        operation = operations.get(session, operation_id)
    if not operation.cancel_requested:
        return False
    if not here.ports.runner.interrupt(order.run_id, insist=operation.cancel_insist):
        say(
            operation_id,
            "warning",
            "too late to interrupt: a database is being changed; the apply goes on to its end "
            "(`operation cancel --insist` would leave the database tainted)",
        )
    return True


def _failure(doing: str, found: subject.Subject, report: RunReport) -> TerraformFailed:
    name = found.operation.tenant_slug or found.operation.workspace_id
    why = "timed out" if report.timed_out else f"terraform exited {report.exit_code}"
    if report.status is RunStatus.LOST:
        why = "the run was lost"
    full, about = full_disk(report.tail), found.operation.id
    last = "\n".join(list(report.tail)[-12:])
    return TerraformFailed(
        f"{doing} {name}: {full or why}" + (f":\n{last}" if last else ""),
        hint=f"free some space, then do what `controlplane operation show {about}` names"
        if full
        else f"controlplane operation log {about}, then: operation retry {about}",
    )


def full_disk(tail: Sequence[str]) -> str:
    """Which disk Terraform found full; empty: it said nothing of one."""
    found = any("no space left on device" in line.lower() for line in tail)
    return f"the disk of {world().folders} is full" if found else ""
