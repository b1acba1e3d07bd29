"""Why something is in its state: cause, evidence, who may act, and the exact next command.

One row for every phase of a tenant and every status of an operation; what is not known is said to be so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from controlplane.domain.operation import Status
from controlplane.domain.tenant import Phase

NOBODY = "nobody has to"
SYSTEM = "the control plane, by itself"
OPERATORS = "an operator of the tenant"
ADMINS = "an admin"


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


@dataclass(frozen=True)
class TenantFacts:
    slug: str
    operation: str = ""  # the active or last operation
    reason: str = ""  # why the phase is what it is, as recorded
    pending: Mapping[str, str] = field(default_factory=dict)  # values that RDS holds for later
    unverified: bool = False
    restorable_until: datetime | None = None
    snapshot: str = ""
    evidence: Sequence[str] = ()


@dataclass(frozen=True)
class Explanation:
    cause: str
    evidence: str
    who: str
    command: str

    def to_json(self) -> dict[str, str]:
        return {"cause": self.cause, "evidence": self.evidence, "who": self.who, "command": self.command}


def explain_operation(status: Status, facts: OperationFacts) -> Explanation:
    return OPERATION_ROWS[status](facts)


def explain_tenant(phase: Phase, facts: TenantFacts) -> Explanation:
    return TENANT_ROWS[phase](facts)


def _said(lines: Sequence[str], otherwise: str) -> str:
    return "; ".join(lines) or otherwise


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} {moment.tzname()}" if moment else "a time that is not known"


# --- operations -------------------------------------------------------------------------------------------


def _command(verb: str, facts: OperationFacts, *more: str) -> str:
    return " ".join(["controlplane operation", verb, facts.id, *more])


def _pending(f: OperationFacts) -> Explanation:
    position = "" if f.queue_position is None else f"position {f.queue_position} in the queue"
    if f.holder and f.holder != f.id:
        cause = f"operation {f.holder} holds {f.subject}: one change at a time"
        command = f"controlplane operation show {f.holder}"
        return Explanation(cause, position or "the queue's order", f"{SYSTEM}, once that one ended", command)
    if not f.workers_alive:
        cause = "no worker is alive to take it up"
        evidence = position or "no worker holds a lease"
        return Explanation(
            cause, evidence, "whoever runs the control plane", "controlplane worker --until-idle"
        )
    return Explanation(
        "it waits for a free worker", position or "a worker is alive", SYSTEM, _command("show", f)
    )


def _planning(f: OperationFacts) -> Explanation:
    evidence = _said(f.evidence, f"step {f.stage or 'not recorded yet'}")
    cause = f"Terraform plans {f.subject}; nothing is changed"
    return Explanation(cause, evidence, SYSTEM, _command("log", f, "-f"))


def _awaiting_approval(f: OperationFacts) -> Explanation:
    who = f"{OPERATORS}, whom policy lets approve"
    if f.needs_second_person:
        who = f"{OPERATORS} other than {f.requested_by or 'who asked for it'}"
    evidence = f"expires {_at(f.expires_at)}; read it with `{_command('plan', f)}`"
    digest = ("--digest", f.digest) if f.digest else ()
    cause = f"the plan waits for a person: {_said(f.approval_reasons, 'policy wants one')}"
    return Explanation(cause, evidence, who, _command("approve", f, *digest))


def _awaiting_window(f: OperationFacts) -> Explanation:
    opens = f"opens {_at(f.opens_at)}" if f.opens_at else "no window opens within a year"
    who = SYSTEM if f.opens_at else ADMINS
    command = _command("show", f) if f.opens_at else "controlplane window list"
    return Explanation(f.window_reason or "it is outside the change windows", opens, who, command)


def _applying(f: OperationFacts) -> Explanation:
    evidence = _said(f.evidence, f"step {f.stage or 'not recorded yet'}")
    cause = f"Terraform applies the approved plan of {f.subject}; it finishes even if the worker dies"
    return Explanation(cause, evidence, SYSTEM, _command("log", f, "-f"))


def _verifying(f: OperationFacts) -> Explanation:
    evidence = _said(f.evidence, "the database is asked for a real query")
    return Explanation("it is applied and is being checked", evidence, SYSTEM, _command("show", f))


def _needs_operator(f: OperationFacts) -> Explanation:
    cause = f.error or "it stopped where only a person can decide"
    return Explanation(cause, _said(f.evidence, f.hint or "see its log"), ADMINS, _command("settle", f))


def _succeeded(f: OperationFacts) -> Explanation:
    return Explanation("it is done", _said(f.evidence, "verified"), NOBODY, _command("show", f))


def _no_changes(f: OperationFacts) -> Explanation:
    return Explanation(f"{f.subject} is already as wanted", "the plan is empty", NOBODY, _command("plan", f))


def _rejected(f: OperationFacts) -> Explanation:
    cause = f.error or _said(f.evidence, "a person or a policy said no")
    hint = f.hint or "change the request and ask again"
    return Explanation(f"rejected: {cause}", hint, f.requested_by or OPERATORS, _command("show", f))


def _cancelled(f: OperationFacts) -> Explanation:
    evidence = _said(f.evidence, "nothing was changed")
    return Explanation("it was cancelled", evidence, f.requested_by or OPERATORS, _command("retry", f))


def _partially_applied(f: OperationFacts) -> Explanation:
    cause = f.error or "a part of the plan was done"
    return Explanation(cause, _said(f.evidence, "see what was done"), OPERATORS, _command("retry", f))


def _failed(f: OperationFacts) -> Explanation:
    evidence = f.hint or _said(f.evidence, "see its log")
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


# --- tenants ----------------------------------------------------------------------------------------------


def _work(cause: str) -> Callable[[TenantFacts], Explanation]:
    """A phase in which an operation is at work: its own explanation says more."""

    def row(f: TenantFacts) -> Explanation:
        if not f.operation:
            command = f"controlplane tenant reconcile {f.slug}"
            return Explanation(cause, "no operation is recorded for it", OPERATORS, command)
        evidence = _said(f.evidence, f"operation {f.operation}")
        return Explanation(f.reason or cause, evidence, SYSTEM, f"controlplane operation show {f.operation}")

    return row


def _ready(f: TenantFacts) -> Explanation:
    if f.unverified:
        cause = "it is there, but the database cannot be reached from here, so nobody has logged in"
        return Explanation(cause, f.reason or "the last probe failed", ADMINS, "controlplane doctor")
    evidence = _said(f.evidence, "the last probe logged in")
    return Explanation("it is as wanted", evidence, NOBODY, f"controlplane tenant show {f.slug}")


def _converging(f: TenantFacts) -> Explanation:
    held = ", ".join(f"{name} → {value}" for name, value in sorted(f.pending.items()))
    cause = "it is applied, but RDS still holds values for the maintenance window or a reboot"
    return Explanation(
        cause, held or "which values is not known", SYSTEM, f"controlplane tenant show {f.slug}"
    )


def _migrating(f: TenantFacts) -> Explanation:
    evidence = _said(f.evidence, f.reason or "its migration has the states")
    cause = "its data moves to another database"
    return Explanation(cause, evidence, SYSTEM, f"controlplane migration show {f.slug}")


def _suspended(f: TenantFacts) -> Explanation:
    evidence = f.reason or "AWS starts a stopped database by itself after seven days; it is stopped again"
    return Explanation("it was suspended", evidence, OPERATORS, f"controlplane tenant resume {f.slug}")


def _torn_down(f: TenantFacts) -> Explanation:
    until = (
        f"restorable until {_at(f.restorable_until)}" if f.restorable_until else "its grace period is over"
    )
    evidence = f"{until}; final snapshot {f.snapshot}" if f.snapshot else until
    return Explanation("it was destroyed", evidence, OPERATORS, f"controlplane tenant restore {f.slug}")


def _tenant_failed(f: TenantFacts) -> Explanation:
    cause = f.reason or "its last operation failed"
    evidence = _said(f.evidence, f"operation {f.operation}" if f.operation else "no operation is recorded")
    command = f"controlplane operation retry {f.operation}"
    return Explanation(
        cause, evidence, OPERATORS, command if f.operation else f"controlplane tenant reconcile {f.slug}"
    )


def _tenant_needs_operator(f: TenantFacts) -> Explanation:
    cause = f.reason or "an operation stopped where only a person can decide"
    command = (
        f"controlplane operation settle {f.operation}" if f.operation else "controlplane catalog orphans"
    )
    return Explanation(
        cause, _said(f.evidence, f"operation {f.operation or 'not recorded'}"), ADMINS, command
    )


TENANT_ROWS: Mapping[Phase, Callable[[TenantFacts], Explanation]] = {
    Phase.REQUESTED: _work("it is recorded and waits to be made"),
    Phase.PROVISIONING: _work("its database is being made"),
    Phase.READY: _ready,
    Phase.UPDATING: _work("it is being changed"),
    Phase.CONVERGING: _converging,
    Phase.MIGRATING: _migrating,
    Phase.SUSPENDED: _suspended,
    Phase.TEARING_DOWN: _work("it is being destroyed, with a final snapshot"),
    Phase.TORN_DOWN: _torn_down,
    Phase.FAILED: _tenant_failed,
    Phase.NEEDS_OPERATOR: _tenant_needs_operator,
}
