"""What doors ask of reviews. Repositories are read here; written to only by the worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from controlplane.domain.errors import Conflict, Missing, PolicyRefused, Refused
from controlplane.domain.review.forge import Forge
from controlplane.domain.review.progress import FORBID, ReviewStatus, obstacles
from controlplane.operations.types import Request
from controlplane.services.accept import THROUGH_REVIEW
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Ask, Control
from controlplane.services.page import decode, encode
from controlplane.services.reviews import views
from controlplane.services.reviews.closing import supersede
from controlplane.store import audit, operations, reviews
from controlplane.store.reviews.rows import Review


class OpenReview(Request):
    """Plan what a branch asks for in its `tenant.yaml`, or plan it again."""

    branch: Annotated[str, Field(min_length=1, max_length=200)]


def page(
    control: Control,
    actor: Actor,
    statuses: Sequence[ReviewStatus] = (),
    page_size: int = 50,
    page_token: str = "",
) -> dict[str, Any]:
    """The newest first."""
    actor.require(Action.READ_OPERATION)
    before = str(decode(page_token)["id"]) if page_token else None
    with control.db.read() as session:
        rows = reviews.page(session, [s.value for s in statuses], before, page_size + 1)
        seen = [row for row in rows[:page_size] if _sees(actor, row)]
        token = encode({"id": rows[page_size - 1].id}) if len(rows) > page_size else None
        items = [views.of(control, session, row) for row in seen]
        return {"items": items, "next_page_token": token}


def show(control: Control, actor: Actor, review_id: str) -> dict[str, Any]:
    with control.db.read() as session:
        review = get(session, actor, review_id, Action.READ_OPERATION)
        return views.in_full(control, session, review)


def get(session: Any, actor: Actor, review_id: str, action: Action) -> Review:
    review = reviews.get(session, review_id)
    if not _sees(actor, review):
        raise Missing(f"there is no review {review_id!r}", hint="controlplane review list")
    actor.require(action)
    return review


def _sees(actor: Actor, review: Review) -> bool:
    return actor.sees(review.tenant_slug) if review.tenant_slug else actor.sees_everything


def repository(control: Control) -> Forge:
    """Where reviews live; refused where changes do not go through them."""
    if control.changes_through != THROUGH_REVIEW or control.forge is None:
        raise Refused(
            "changes do not go through reviews here: tenants are changed directly",
            hint="CONTROLPLANE_CHANGES_THROUGH=review",
        )
    return control.forge()


def approve(control: Control, actor: Actor, review_id: str, ask: Ask) -> dict[str, Any]:
    """Say yes to the very commit that is reviewed. A later one has to be approved anew."""
    with control.db.write() as session:
        review = get(session, actor, review_id, Action.APPROVE)
        if review.status != ReviewStatus.OPEN:
            raise Conflict(f"the review {review_id} cannot be approved: it is {review.status}")
        mine = {"actor": actor.name, "head": review.head, "at": control.now().isoformat()}
        others = [a for a in review.approvals if a["actor"] != actor.name]
        _move(control, session, review, approvals=[*others, mine])
        record(control, session, actor, ask, review, "review.approved")
        return views.in_full(control, session, reviews.get(session, review_id))


def merge(control: Control, actor: Actor, review_id: str, ask: Ask) -> dict[str, Any]:
    """Let it be merged and applied. The worker merges; a branch that moved since is not."""
    with control.db.write() as session:
        review = get(session, actor, review_id, Action.APPROVE)
        if not review.tenant_slug:
            actor.require(Action.CHANGE_PLATFORM)
        operation, plan = views.planned(session, review)
        facts = views.facts_of(control, review, operation, plan)
        against = obstacles(facts, actor.name)
        if against:
            kind = PolicyRefused if any(f.get("level") == FORBID for f in facts.policy) else Conflict
            hint = views.following(review, operation) or f"controlplane review show {review_id}"
            raise kind(f"the review {review_id} cannot be merged: " + "; ".join(against), hint=hint)
        _move(control, session, review, status=ReviewStatus.MERGING.value, merged_by=actor.name)
        if operation is not None:
            note = {"waiting_for": f"the merge of {review_id}", "next_command": ""}
            operations.note(session, operation.id, **note)
        record(control, session, actor, ask, review, "review.merged")
        session.expire_all()
        return views.in_full(control, session, reviews.get(session, review_id))


def close(control: Control, actor: Actor, review_id: str, ask: Ask) -> dict[str, Any]:
    """Give it up before it is merged: its operation is rejected, and the tenant is free at once."""
    with control.db.write() as session:
        review = get(session, actor, review_id, Action.CHANGE_TENANT)
        if review.status not in (ReviewStatus.OPENING, ReviewStatus.OPEN):
            raise Conflict(f"the review {review_id} cannot be closed: it is {review.status}")
        supersede(control, session, review, f"given up by {actor.name}", "rejected")
        record(control, session, actor, ask, review, "review.closed")
        return views.in_full(control, session, reviews.get(session, review_id))


def _move(control: Control, session: Any, review: Review, **fields: Any) -> None:
    if not reviews.move(session, review, **fields, updated_at=control.now()):
        raise Conflict(f"the review {review.id} was changed by somebody else just now; look again")


def record(control: Control, session: Any, actor: Actor, ask: Ask, review: Review, action: str) -> None:
    """The audit's entry, in the same transaction as what it tells of."""
    audit.append(
        session,
        at=control.now(),
        actor=actor.name,
        action=action,
        subject=f"tenant/{review.tenant_slug}" if review.tenant_slug else review.workspace_id,
        reason=ask.reason,
        request_id=ask.request_id,
        origin=actor.origin,
        after={"review": review.id, "operation": review.operation_id, "head": review.head},
    )
