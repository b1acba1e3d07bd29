"""One row for every status of an operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from controlplane.domain.explain.words import ADMINS, NOBODY, OPERATORS, SYSTEM, Explanation, at, said
from controlplane.domain.operation import Status


@dataclass(frozen=True)
class OperationFacts:
    """What is known of an operation; empty or None where it is not."""

    id: str
    kind: str
    subject: str  # the tenant's slug, else the workspace
    stage: str = ""  # the step that is being done
    requested_by: str = ""
    holder: str = ""  # the operation that holds the workspace
    queue_position: int | None = None
    workers_alive: bool = True
    cell: str = ""  # of several: whose workers do it
    digest: str = ""  # the meaning of the plan that waits
    approval_reasons: Sequence[str] = ()
    needs_second_person: bool = False
    expires_at: datetime | None = None
    opens_at: datetime | None = None
    window_reason: str = ""
    evidence: Sequence[str] = ()  # last lines, errors, what was done
    error: str = ""
    retryable: bool = False
    hint: str = ""  # the next step that an error or a settlement named


def explain_operation(status: Status, facts: OperationFacts) -> Explanation:
    return OPERATION_ROWS[status](facts)


def _command(verb: str, facts: OperationFacts, *more: str) -> str:
    return " ".join(["controlplane operation", verb, facts.id, *more])


def _pending(f: OperationFacts) -> Explanation:
    position = "" if f.queue_position is None else f"position {f.queue_position} in the queue"
    if f.holder and f.holder != f.id:
        cause = f"operation {f.holder} holds {f.subject}: one change at a time"
        command = f"controlplane operation show {f.holder}"
        return Explanation(cause, position or "the queue's order", f"{SYSTEM}, once that one ended", command)
    if not f.workers_alive:
        where = f" in the cell {f.cell}" if f.cell else ""
        cause = f"no worker is alive{where} to take it up"
        evidence = position or "no worker holds a lease"
        return Explanation(
            cause, evidence, f"whoever runs the control plane{where}", "controlplane worker --until-idle"
        )
    return Explanation(
        "it waits for a free worker", position or "a worker is alive", SYSTEM, _command("show", f)
    )


def _planning(f: OperationFacts) -> Explanation:
    evidence = said(f.evidence, f"step {f.stage or 'not recorded yet'}")
    cause = f"Terraform plans {f.subject}; nothing is changed"
    return Explanation(cause, evidence, SYSTEM, _command("log", f, "-f"))


def _awaiting_approval(f: OperationFacts) -> Explanation:
    who = f"{OPERATORS}, whom policy lets approve"
    if f.needs_second_person:
        who = f"{OPERATORS} other than {f.requested_by or 'who asked for it'}"
    evidence = f"expires {at(f.expires_at)}; read it with `{_command('plan', f)}`"
    digest = ("--digest", f.digest) if f.digest else ()
    cause = f"the plan waits for a person: {said(f.approval_reasons, 'policy wants one')}"
    return Explanation(cause, evidence, who, _command("approve", f, *digest))


def _awaiting_window(f: OperationFacts) -> Explanation:
    opens = f"opens {at(f.opens_at)}" if f.opens_at else "no window opens within a year"
    who = SYSTEM if f.opens_at else ADMINS
    command = _command("show", f) if f.opens_at else "controlplane window list"
    return Explanation(f.window_reason or "it is outside the change windows", opens, who, command)


def _applying(f: OperationFacts) -> Explanation:
    evidence = said(f.evidence, f"step {f.stage or 'not recorded yet'}")
    cause = f"Terraform applies the approved plan of {f.subject}; it finishes even if the worker dies"
    return Explanation(cause, evidence, SYSTEM, _command("log", f, "-f"))


def _verifying(f: OperationFacts) -> Explanation:
    evidence = said(f.evidence, "the database is asked for a real query")
    return Explanation("it is applied and is being checked", evidence, SYSTEM, _command("show", f))


def _needs_operator(f: OperationFacts) -> Explanation:
    cause = f.error or "it stopped where only a person can decide"
    return Explanation(cause, said(f.evidence, f.hint or "see its log"), ADMINS, _command("settle", f))


def _succeeded(f: OperationFacts) -> Explanation:
    return Explanation("it is done", said(f.evidence, "verified"), NOBODY, _command("show", f))


def _no_changes(f: OperationFacts) -> Explanation:
    return Explanation(f"{f.subject} is already as wanted", "the plan is empty", NOBODY, _command("plan", f))


def _rejected(f: OperationFacts) -> Explanation:
    cause = f.error or said(f.evidence, "a person or a policy said no")
    hint = f.hint or "change the request and ask again"
    return Explanation(f"rejected: {cause}", hint, f.requested_by or OPERATORS, _command("show", f))


def _cancelled(f: OperationFacts) -> Explanation:
    evidence = said(f.evidence, "nothing was changed")
    return Explanation("it was cancelled", evidence, f.requested_by or OPERATORS, _command("retry", f))


def _partially_applied(f: OperationFacts) -> Explanation:
    cause = f.error or "a part of the plan was done"
    return Explanation(cause, said(f.evidence, "see what was done"), OPERATORS, _command("retry", f))


def _failed(f: OperationFacts) -> Explanation:
    evidence = f.hint or said(f.evidence, "see its log")
    command = _command("retry", f) if f.retryable else _command("log", f)
    return Explanation(f.error or "it failed", evidence, OPERATORS, command)


OPERATION_ROWS: Mapping[Status, Callable[[OperationFacts], Explanation]] = {
    Status.PENDING: _pending,
    Status.PLANNING: _planning,
    Status.AWAITING_APPROVAL: _awaiting_approval,
    Status.AWAITING_WINDOW: _awaiting_window,
    Status.APPLYING: _applying,
    Status.VERIFYING: _verifying,
    Status.NEEDS_OPERATOR: _needs_operator,
    Status.SUCCEEDED: _succeeded,
    Status.NO_CHANGES: _no_changes,
    Status.REJECTED: _rejected,
    Status.CANCELLED: _cancelled,
    Status.PARTIALLY_APPLIED: _partially_applied,
    Status.FAILED: _failed,
}
