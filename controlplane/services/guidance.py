"""What is known of an operation or a tenant, given to the domain's rows that say what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controlplane.domain.explain import (
    Explanation,
    OperationFacts,
    TenantFacts,
    explain_operation,
    explain_tenant,
)
from controlplane.domain.operation import Status
from controlplane.domain.tenant import Phase
from controlplane.services.control import Control

View = Mapping[str, Any]
_DIGEST = 12  # so much of a digest is enough to name a plan


@dataclass(frozen=True)
class House:
    """What depends on the installation, and not on what was asked for."""

    workers_alive: bool = True
    two_person: bool = False
    cell: str = ""  # of several: whose workers are meant


@dataclass(frozen=True)
class Remains:
    """What is left of a tenant that was torn down."""

    restorable_until: datetime | None = None
    snapshot: str = ""


_ANY = House()
_NOTHING = Remains()


def house_of(control: Control, cell: str) -> House:
    """`cell`: whose workers are meant; where there is one only, any worker does."""
    where = cell if control.cell_of_many else ""
    return House(control.worker_lives(where), control.two_person, where)


def told_here(view: View, house: House) -> dict[str, str]:
    """What an operation's metadata says otherwise in this house."""
    found = of_operation(view, house=house)
    if view["status"] == Status.PENDING and not house.workers_alive:
        return {
            "cause": found.cause,
            "evidence": found.evidence,
            "who_may_act": found.who,
            "next_command": found.command,
        }
    return {"who_may_act": found.who} if view["status"] == Status.AWAITING_APPROVAL else {}


def of_operation(view: View, evidence: Sequence[str] = (), *, house: House = _ANY) -> Explanation:
    """`view` is the operation as doors answer it."""
    about = view["metadata"]
    problem = view.get("error") or about.get("problem") or {}
    plan = view.get("plan") or {}
    expires = view.get("expires_at")
    waits = [about["waiting_for"]] if about["waiting_for"] else []
    return explain_operation(
        Status(view["status"]),
        OperationFacts(
            id=view["id"],
            kind=view["kind"],
            subject=view["tenant"] or view["workspace"],
            stage=about["stage"],
            requested_by=view["requested_by"],
            holder=about["holder"] or "",
            queue_position=about["queue_position"],
            workers_alive=house.workers_alive,
            cell=house.cell,
            needs_second_person=house.two_person and bool(plan.get("delicate")),
            digest=str(plan.get("meaning", ""))[:_DIGEST],
            approval_reasons=waits,
            expires_at=datetime.fromisoformat(expires) if expires else None,
            window_reason=about["waiting_for"],
            evidence=tuple(evidence),
            error=str(problem.get("detail", "")),
            retryable=view["status"] == Status.FAILED,
            hint=str(problem.get("hint", "")),
        ),
    )


def of_tenant(
    view: View,
    latest: View | None,
    evidence: Sequence[str] = (),
    *,
    house: House = _ANY,
    left: Remains = _NOTHING,
) -> Explanation:
    """`latest`: its open operation, else its last one. An open operation says more than a phase."""
    if latest is not None and not latest["done"]:
        return of_operation(latest, evidence, house=house)
    facts = TenantFacts(
        slug=view["slug"],
        operation=latest["id"] if latest else "",
        reason=view["phase_reason"],
        unverified=view["unverified"],
        evidence=tuple(evidence),
        restorable_until=left.restorable_until,
        snapshot=left.snapshot,
    )
    return explain_tenant(Phase(view["phase"]), facts)
