"""From a branch to a request: read `tenant.yaml`, and ask by the ordinary services."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.errors import Conflict, ControlPlaneError, Invalid, Missing
from controlplane.domain.names import TenantUid, parse_slug, tenant_workspace
from controlplane.domain.operation import Kind
from controlplane.domain.review import desired
from controlplane.domain.review.desired import Document, Wanted
from controlplane.domain.review.forge import Forge, Look
from controlplane.domain.review.layout import (
    OURS,
    edited_by_hand,
    parse_branch,
    subject_of,
    tenant_file,
    tenant_folder,
)
from controlplane.domain.review.progress import ReviewStatus
from controlplane.domain.tenant import Phase
from controlplane.operations import Create, Resize
from controlplane.services import bodies, tenants
from controlplane.services.accept import require_idle
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Ask, Control, new_id
from controlplane.services.once import within
from controlplane.services.particulars import Particulars
from controlplane.services.reviews import content, reading, views
from controlplane.services.reviews.asking import OpenReview, record, repository
from controlplane.services.reviews.closing import supersede
from controlplane.store import reviews
from controlplane.store import tenants as rows
from controlplane.store.reviews.rows import Review
from controlplane.store.tables import Tenant

DESCRIBE = "describe"
_TAKEN_UP = (ReviewStatus.MERGING, ReviewStatus.MERGED)


@dataclass(frozen=True)
class Found:
    """A branch that was read."""

    branch: str
    look: Look
    slug: str
    document: Document
    text: str
    discarded: tuple[str, ...]


def read(forge: Forge, branch: str, ours: str = "") -> Found:
    """`ours`: the newest commit of ours on it; what differs since then is a person's."""
    look = forge.look(parse_branch(branch))
    slug = parse_slug(subject_of(branch, look.changes))
    path = tenant_file(slug)
    text = forge.read(look.head, path)
    if text is None:
        raise Invalid(f"{path}: it is not there")
    document = reading.read(path, text)
    desired.check(document, slug)
    since = forge.changed(ours, look.head) if ours else None
    return Found(branch, look, slug, document, text, edited_by_hand(look.changes, tenant_folder(slug), since))


def open_(control: Control, actor: Actor, body: OpenReview, ask: Ask) -> dict[str, Any]:
    """Plan what the branch asks for; asked again, plan it again, or take hand edits away."""
    forge = repository(control)
    with control.db.read() as session:
        standing = reviews.of_branch(session, body.branch)
        ours = reviews.last_head(session, body.branch)
    if standing is not None and forge.look(body.branch).head == standing.head:
        return _proposed_anew(control, actor, standing, ask)
    found = read(forge, body.branch, ours)
    actor.require(Action.CHANGE_TENANT, found.slug)
    with control.db.write() as session:
        inner = within(control, session)
        standing = reviews.of_branch(session, body.branch)
        if standing is not None:
            again = _again(inner, session, standing, found)
            if again is not None:
                record(control, session, actor, ask, again, "review.opened")
                return views.in_full(control, session, again)
            supersede(inner, session, standing, "its branch asks for something else now")
        review = _ask(inner, session, actor, found, ask)
        record(control, session, actor, ask, review, "review.opened")
        return views.in_full(control, session, review)


def _proposed_anew(control: Control, actor: Actor, review: Review, ask: Ask) -> dict[str, Any]:
    """Nobody pushed: what was planned goes on the branch again, on top of what the base holds by now."""
    actor.require(Action.CHANGE_TENANT, review.tenant_slug or None)
    _require_not_taken_up(review)
    again = {"status": ReviewStatus.OPENING.value, "problem": "", "updated_at": control.now()}
    with control.db.write() as session:
        reviews.move(session, review, **again)
        record(control, session, actor, ask, review, "review.opened")
        return views.in_full(control, session, reviews.get(session, review.id))


def _require_not_taken_up(review: Review) -> None:
    if review.status in _TAKEN_UP:
        raise Conflict(f"the branch {review.branch} is being merged by {review.merged_by} ({review.id})")


def _again(control: Control, session: Session, review: Review, found: Found) -> Review | None:
    """The same review where the branch asks for the same as before; None: for something else."""
    _require_not_taken_up(review)
    if review.desired and reading.read(found.document.path, review.desired).values != found.document.values:
        return None
    fields = {
        "status": ReviewStatus.OPENING.value,
        "head": found.look.head,
        "discarded": list(found.discarded),
        "desired": found.text,
        "meaning": "",
        "problem": "",
        "updated_at": control.now(),
    }
    if not reviews.move(session, review, **fields):
        raise Conflict(f"the review {review.id} was changed by somebody else just now; look again")
    return reviews.get(session, review.id)


def _ask(control: Control, session: Session, actor: Actor, found: Found, ask: Ask) -> Review:
    tenant = rows.find(session, found.slug)
    _require_free(session, found.slug)
    wanted = desired.wanted(found.document, _current(session, tenant))
    asked = replace(
        ask,
        review={
            "branch": found.branch,
            "source": "verb" if found.branch.startswith(OURS) else "branch",
            "head": found.look.head,
            "desired": found.text,
            "discarded": list(found.discarded),
        },
    )
    try:
        if wanted.kind == DESCRIBE and tenant is not None:
            return _describe(control, session, actor, tenant, wanted, asked)
        made = _send(control, actor, found.slug, wanted, asked)
    except Invalid as error:
        raise _located(found.document, error) from error
    review = reviews.of_operation(session, str(made["id"]))
    if review is None:
        raise Conflict(f"{found.slug}: the operation {made['id']} has no review")
    return review


def _current(session: Session, tenant: Tenant | None) -> dict[str, Any] | None:
    """What is recorded of it; None: there is nothing to change, it has to be made."""
    if tenant is None or tenant.phase == Phase.TORN_DOWN or tenants.never_began(session, tenant):
        return None
    return content.recorded(session, tenant)


def _send(control: Control, actor: Actor, slug: str, wanted: Wanted, ask: Ask) -> dict[str, Any]:
    if wanted.kind == Kind.CREATE:
        return tenants.create(control, actor, bodies.parse(Create, dict(wanted.body)), ask)
    resize = bodies.parse(Resize, dict(wanted.body))
    return tenants.change(control, actor, Kind.RESIZE, slug, resize, ask)


def _located(document: Document, error: Invalid) -> Invalid:
    """What the services say of a field, with its line in the file."""
    if not error.errors:
        return error
    first = error.errors[0]
    return document.problem(first.field.split(".")[0], first.message)


def _require_free(session: Session, slug: str) -> None:
    holder = reviews.of_folder(session, tenant_folder(slug))
    if holder is not None:
        raise Conflict(
            f"{slug} is held by {holder.requested_by}'s review {holder.id} ({holder.kind}, {holder.status})",
            hint=f"controlplane review show {holder.id}",
            details={"holder": holder.id},
        )


def _describe(
    control: Control, session: Session, actor: Actor, tenant: Tenant, wanted: Wanted, ask: Ask
) -> Review:
    """What changes nothing in AWS needs no plan; it is done by the merge."""
    actor.require(Action.CHANGE_TENANT, tenant.slug)
    require_idle(session, tenant)
    bodies.parse(Particulars, dict(wanted.body))
    now = control.now()
    review = Review(
        id=new_id("rv"),
        status=ReviewStatus.OPENING.value,
        kind=DESCRIBE,
        subject=tenant.slug,
        tenant_slug=tenant.slug,
        workspace_id=tenant_workspace(TenantUid(tenant.uid)),
        folder=tenant_folder(tenant.slug),
        request=dict(wanted.body),
        requested_by=actor.name,
        reason=ask.reason,
        created_at=now,
        updated_at=now,
        **ask.review,
    )
    reviews.insert(session, review)
    return review


def sync(control: Control, actor: Actor, ask: Ask) -> dict[str, Any]:
    """Every branch that was pushed since it was last answered, each by itself: a bad one stops no other."""
    actor.require(Action.CHANGE_TENANT)
    heads = repository(control).branches()
    items = []
    for branch, head in sorted(heads.items()):
        with control.db.read() as session:
            if reviews.knows(session, branch, head):
                continue
            if branch.startswith(OURS) and reviews.of_branch(session, branch) is None:
                continue  # left over from a review that is finished
        item = _synced(control, actor, branch, ask)
        if item["review"] or actor.sees_everything or item["problem"]["code"] != Missing.code:
            items.append(item)
    return {"items": items, "next_page_token": None}


def _synced(control: Control, actor: Actor, branch: str, ask: Ask) -> dict[str, Any]:
    try:
        made = open_(control, actor, OpenReview(branch=branch), ask)
    except ControlPlaneError as error:
        return {"branch": branch, "review": None, "problem": error.problem()}
    return {"branch": branch, "review": made["id"], "problem": None}
