"""What is known of an operation or a tenant, given to the domain's rows that say what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

View = Mapping[str, Any]
_DIGEST = 12  # so much of a digest is enough to name a plan


def without_worker(view: View) -> dict[str, str]:
    """What is said of an operation in its metadata, when nobody is there to take it up."""
    found = of_operation(view, workers_alive=False)
    return {"cause": found.cause, "who_may_act": found.who, "next_command": found.command}


def of_operation(view: View, evidence: Sequence[str] = (), *, workers_alive: bool = True) -> Explanation:
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
            queue_position=about["queue_position"],
            workers_alive=workers_alive,
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
    view: View, latest: View | None, evidence: Sequence[str] = (), *, workers_alive: bool = True
) -> Explanation:
    """`latest`: its open operation, else its last one. An open operation says more than a phase."""
    if latest is not None and not latest["done"]:
        return of_operation(latest, evidence, workers_alive=workers_alive)
    facts = TenantFacts(
        slug=view["slug"],
        operation=latest["id"] if latest else "",
        reason=view["phase_reason"],
        unverified=view["unverified"],
        evidence=tuple(evidence),
    )
    return explain_tenant(Phase(view["phase"]), facts)
