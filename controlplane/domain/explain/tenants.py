"""One row for every phase of a tenant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from controlplane.domain.explain.words import ADMINS, NOBODY, OPERATORS, SYSTEM, Explanation, at, said
from controlplane.domain.tenant import Phase


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


def explain_tenant(phase: Phase, facts: TenantFacts) -> Explanation:
    return TENANT_ROWS[phase](facts)


def _work(cause: str) -> Callable[[TenantFacts], Explanation]:
    """A phase in which an operation is at work: its own explanation says more."""

    def row(f: TenantFacts) -> Explanation:
        if not f.operation:
            command = f"controlplane tenant reconcile {f.slug}"
            return Explanation(cause, "no operation is recorded for it", OPERATORS, command)
        evidence = said(f.evidence, f"operation {f.operation}")
        return Explanation(f.reason or cause, evidence, SYSTEM, f"controlplane operation show {f.operation}")

    return row


def _ready(f: TenantFacts) -> Explanation:
    if f.unverified:
        cause = "it is there, but the database cannot be reached from here, so nobody has logged in"
        return Explanation(cause, f.reason or "the last probe failed", ADMINS, "controlplane doctor")
    evidence = said(f.evidence, "the last probe logged in")
    return Explanation("it is as wanted", evidence, NOBODY, f"controlplane tenant show {f.slug}")


def _converging(f: TenantFacts) -> Explanation:
    held = ", ".join(f"{name} → {value}" for name, value in sorted(f.pending.items()))
    cause = "it is applied, but RDS still holds values for the maintenance window or a reboot"
    return Explanation(
        cause, held or "which values is not known", SYSTEM, f"controlplane tenant show {f.slug}"
    )


def _migrating(f: TenantFacts) -> Explanation:
    evidence = said(f.evidence, f.reason or "its migration has the states")
    cause = "its data moves to another database"
    return Explanation(cause, evidence, SYSTEM, f"controlplane migration show {f.slug}")


def _suspended(f: TenantFacts) -> Explanation:
    evidence = f.reason or "AWS starts a stopped database by itself after seven days; it is stopped again"
    return Explanation("it was suspended", evidence, OPERATORS, f"controlplane tenant resume {f.slug}")


def _torn_down(f: TenantFacts) -> Explanation:
    until = f"restorable until {at(f.restorable_until)}" if f.restorable_until else "its grace period is over"
    evidence = f"{until}; final snapshot {f.snapshot}" if f.snapshot else until
    return Explanation("it was destroyed", evidence, OPERATORS, f"controlplane tenant restore {f.slug}")


def _tenant_failed(f: TenantFacts) -> Explanation:
    cause = f.reason or "its last operation failed"
    evidence = said(f.evidence, f"operation {f.operation}" if f.operation else "no operation is recorded")
    command = f"controlplane operation retry {f.operation}"
    return Explanation(
        cause, evidence, OPERATORS, command if f.operation else f"controlplane tenant reconcile {f.slug}"
    )


def _tenant_needs_operator(f: TenantFacts) -> Explanation:
    cause = f.reason or "an operation stopped where only a person can decide"
    command = (
        f"controlplane operation settle {f.operation}" if f.operation else "controlplane catalog orphans"
    )
    return Explanation(cause, said(f.evidence, f"operation {f.operation or 'not recorded'}"), ADMINS, command)


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
