"""Changes that a machine proposes: one open per tenant and source, updated and not doubled.

`propose` is what right-sizing, drift, rollouts of templates and deadlines call. It asks by the ordinary
service, so plan, policy and approval are those of every change; in a fleet whose changes go through
reviews the evidence and the way back stand in the review's text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.names import TenantUid, parse_slug, tenant_workspace
from controlplane.domain.operation import Kind, Status
from controlplane.domain.review.progress import ReviewStatus
from controlplane.domain.selectors import parse_selector
from controlplane.operations import Request
from controlplane.services import tenants, views
from controlplane.services.accept import THROUGH_REVIEW
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Ask, Control
from controlplane.services.once import within
from controlplane.services.reviews.closing import end, supersede
from controlplane.store import operations, reviews
from controlplane.store import tenants as rows
from controlplane.store.reviews.rows import Review
from controlplane.store.tables import Operation

RIGHTSIZING, DRIFT, TTL, ROLLOUT = "rightsizing", "drift", "ttl", "rollout"
_ANOTHER = "the same machine proposes something else now"


@dataclass(frozen=True)
class Proposal:
    """What a machine asks for, and why. `source` names it."""

    source: str
    kind: Kind
    slug: str
    body: Request  # of that kind
    evidence: Mapping[str, str] = field(default_factory=dict)  # what was measured, in the words of people
    revert: str = ""  # the command that takes the change back once it is applied


def may_open_reviews(control: Control, subject: Mapping[str, str]) -> bool:
    """Whether machines open reviews of this tenant by themselves. They change nothing before a merge."""
    through = control.changes_through == THROUGH_REVIEW and bool(control.machine_reviews)
    return through and parse_selector(control.machine_reviews).matches(subject)


def propose(control: Control, actor: Actor, wanted: Proposal, ask: Ask) -> dict[str, Any]:
    """Ask for it; answers the operation, the standing one where the same waits already.

    The same request again only renews the evidence. Another request of the same source takes the place of
    one that waits for approval; one that is being planned or applied is a Conflict that names it, and so is
    a change that anybody else has under way.
    """
    actor.require(Action.CHANGE_TENANT, parse_slug(wanted.slug))
    request = wanted.body.model_dump(mode="json", exclude_none=True)
    told = {"source": wanted.source, "evidence": dict(wanted.evidence), "revert": wanted.revert}
    asked = replace(ask, machine={**told, "request": request})
    with control.db.write() as session:
        inner = within(control, session)
        standing = _standing(session, wanted.slug, wanted.source)
        if standing is not None:
            if (standing.kind, standing.payload["machine"]["request"]) == (wanted.kind.value, request):
                return _renewed(inner, session, standing, wanted)
            if standing.status == Status.AWAITING_APPROVAL:
                _give_way(inner, session, standing, _ANOTHER)
        return tenants.change(inner, actor, wanted.kind, wanted.slug, wanted.body, asked)


def withdraw(control: Control, session: Session, slug: str, source: str, why: str) -> None:
    """Its grounds are gone: what waits for a yes ends; what is being done already goes to its end."""
    standing = _standing(session, slug, source)
    if standing is not None and standing.status == Status.AWAITING_APPROVAL:
        _give_way(within(control, session), session, standing, why)


def _standing(session: Session, slug: str, source: str) -> Operation | None:
    """What this machine asked for this tenant, and is not over."""
    tenant = rows.find(session, slug)
    if tenant is None:
        return None
    open_ones = operations.unfinished(session, tenant_workspace(TenantUid(tenant.uid)))
    return next((o for o in open_ones if o.payload.get("machine", {}).get("source") == source), None)


def _renewed(control: Control, session: Session, operation: Operation, wanted: Proposal) -> dict[str, Any]:
    review = reviews.of_operation(session, operation.id)
    told = {"evidence": dict(wanted.evidence), "revert": wanted.revert}
    if review is not None and (review.evidence, review.revert) != (told["evidence"], told["revert"]):
        reviews.move(session, review, **told, updated_at=control.now())
    return views.operation(session, operations.get(session, operation.id))


def _give_way(control: Control, session: Session, operation: Operation, why: str) -> None:
    review = reviews.of_operation(session, operation.id)
    if review is not None and not _taken_up(review):
        supersede(control, session, review, why)
    elif review is None:
        end(session, operation.id, control.now(), why)


def _taken_up(review: Review) -> bool:
    return review.status in (ReviewStatus.MERGING, ReviewStatus.MERGED)
