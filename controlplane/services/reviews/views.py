"""A review as doors answer it. Its text is made from what is recorded, so that it is always the newest."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.operation import Status, is_final
from controlplane.domain.review import progress, text
from controlplane.domain.review.progress import Facts, ReviewStatus
from controlplane.domain.tenant import Phase
from controlplane.services.control import Control, plain
from controlplane.store import operations, reviews
from controlplane.store.reviews.rows import Review
from controlplane.store.tables import Operation, Plan

_COLUMNS = (
    "id",
    "status",
    "kind",
    "subject",
    "branch",
    "source",
    "head",
    "base",
    "problem",
    "machine",
    "evidence",
    "revert",
    "requested_by",
    "reason",
    "approvals",
    "merged_by",
    "merged_commit",
    "result_commit",
    "created_at",
    "updated_at",
    "ended_at",
)


def of(control: Control, session: Session, review: Review) -> dict[str, Any]:
    operation, plan = planned(session, review)
    facts = facts_of(control, review, operation, plan)
    view = {name: plain(getattr(review, name)) for name in _COLUMNS}
    return {
        **view,
        "tenant": review.tenant_slug or None,
        "operation": review.operation_id,
        "checks": progress.checks(facts, review.subject, _cost(operation)),
        "next_command": following(review, operation),
    }


def in_full(control: Control, session: Session, review: Review) -> dict[str, Any]:
    """With its text, and the paths that it changes."""
    operation, plan = planned(session, review)
    told = text.parts(_story(review, operation, plan))
    more = {"files": review.files, "discarded": review.discarded, "desired": review.desired, "text": told}
    return {**of(control, session, review), **more}


def planned(session: Session, review: Review) -> tuple[Operation | None, Plan | None]:
    if review.operation_id is None:
        return None, None
    operation = operations.get(session, review.operation_id)
    return operation, operations.plan_of(session, operation)


def facts_of(control: Control, review: Review, operation: Operation | None, plan: Plan | None) -> Facts:
    return Facts(
        status=ReviewStatus(review.status),
        requested_by=review.requested_by,
        head=review.head,
        planned=bool(review.head)
        and (operation is None or (plan is not None and plan.meaning == review.meaning)),
        delicate=bool(plan is not None and plan.summary.get("delicate")),
        two_person=control.two_person,
        problem=review.problem,
        policy=operation.policy if operation else (),
        approvals=review.approvals,
    )


def following(review: Review, operation: Operation | None) -> str:
    """The next command for a person; empty where nobody has to do anything."""
    if review.status == ReviewStatus.OPEN:
        return f"controlplane review open {review.branch}" if review.problem else _merge(review)
    if (
        review.status == ReviewStatus.MERGED
        and operation is not None
        and not is_final(Status(operation.status))
    ):
        return operation.next_command
    return ""


def _merge(review: Review) -> str:
    return f"controlplane review merge {review.id}"


def _cost(operation: Operation | None) -> str:
    if operation is None or operation.cost_after is None:
        return ""
    return f"{operation.cost_before or 0:.2f} → {operation.cost_after:.2f} USD a month"


def _story(review: Review, operation: Operation | None, plan: Plan | None) -> text.Story:
    summary = plan.summary if plan else {}
    problem = review.problem
    if operation is not None and not problem:
        problem = str(operation.error.get("detail", ""))
    return text.Story(
        review=review.id,
        subject=review.subject,
        kind=review.kind,
        status=review.status,
        requested_by=review.requested_by,
        reason=review.reason,
        next_command=following(review, operation),
        problem=problem,
        counts=summary.get("counts", {}),
        outage=str((summary.get("forecast") or {}).get("outage", "")),
        cost_before=_usd(operation.cost_before) if operation else None,
        cost_after=_usd(operation.cost_after) if operation else None,
        policy=operation.policy if operation else (),
        digest=review.meaning,
        discarded=review.discarded,
        changes=plan.changes if plan else (),
        request=review.desired,
        machine=review.machine,
        evidence=review.evidence,
        revert=review.revert,
    )


def _usd(value: Any) -> str | None:
    return None if value is None else f"{value:.2f}"


def fleet_rows(session: Session) -> list[dict[str, Any]]:
    """The fleet's table, as it stands at the repository's root. What never came to be is not in it."""
    rows = [t for t in reviews.fleet(session) if t.phase not in (Phase.TORN_DOWN, Phase.REQUESTED)]
    names = ("slug", "stage", "size", "region", "environment", "phase")
    return [{**{name: getattr(t, name) for name in names}, "monthly_usd": _usd(t.monthly_usd)} for t in rows]
