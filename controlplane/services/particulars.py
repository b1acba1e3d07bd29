"""What of a tenant changes without any change in AWS: its name, its labels, what is known of its customer."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from controlplane.domain.errors import Missing
from controlplane.domain.names import parse_slug
from controlplane.domain.tenant import Stage
from controlplane.operations.create import LabelKey, LabelValue
from controlplane.operations.types import Request
from controlplane.services import views
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Ask, Control
from controlplane.services.founding import end_of
from controlplane.store import audit, history, tenants


class Particulars(Request):
    """Only what is given changes; `labels` replaces all of them."""

    display_name: Annotated[str | None, Field(max_length=200)] = None
    locations: Annotated[int | None, Field(ge=1, le=100_000)] = None
    users: Annotated[int | None, Field(ge=1, le=10_000_000)] = None
    ttl_days: Annotated[int | None, Field(ge=0, le=365)] = None  # from now on; 0: it has no end
    labels: Annotated[dict[LabelKey, LabelValue] | None, Field(max_length=20)] = None


def change(control: Control, actor: Actor, slug: str, body: Particulars, ask: Ask) -> dict[str, Any]:
    actor.require(Action.CHANGE_TENANT, parse_slug(slug))
    changes = body.model_dump(mode="json", exclude_none=True, exclude={"ttl_days"})
    with control.db.write() as session:
        row = tenants.find(session, slug)
        if row is None:
            raise Missing(f"there is no tenant {slug!r}", hint="controlplane tenant list")
        if body.ttl_days is not None:
            changes["expires_at"] = end_of(control, Stage(row.stage), body.ttl_days)
        reached = row.observed_generation == row.generation
        before = {name: getattr(row, name) for name in changes if name != "labels"}
        after = tenants.change(
            session, row.uid, changes, revision=ask.if_match, actor=actor.name, now=control.now()
        )
        if reached:  # nothing in AWS has to follow
            tenants.observe_generation(session, row.uid)
            after = tenants.by_uid(session, row.uid)
        view = views.tenant(after, tenants.labels(session, after.uid))
        audit.append(
            session,
            at=control.now(),
            actor=actor.name,
            action="tenant.described",
            subject=f"tenant/{slug}",
            reason=ask.reason,
            request_id=ask.request_id,
            origin=actor.origin,
            before=history.plain(before),
            after=history.plain(changes),
        )
        return view
