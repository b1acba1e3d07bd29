"""Restore drills: one asked for, one by the clock, and what they measured.

A drill's copy is a tenant of its own, labelled with whose it is, in a workspace of its own: whatever goes
wrong with it, the living tenant's lock, state and folder are others.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

from controlplane.domain import names
from controlplane.domain.desired import slot_to_json
from controlplane.domain.errors import Refused
from controlplane.domain.operation import FINAL, Kind, Status
from controlplane.domain.recovery import RECOVERY_POINT, RECOVERY_TIME
from controlplane.domain.tenant import Phase
from controlplane.domain.workspace import SlotSpec
from controlplane.operations import DRILL
from controlplane.operations.types import Request
from controlplane.services import cells, views
from controlplane.services.accept import Intake, require_phase, require_verb
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Ask, Control, new_uid, plain
from controlplane.services.founding import found_tenant, require_platform
from controlplane.services.recovery import restoring
from controlplane.store import slots
from controlplane.store.fleet import databases, drills
from controlplane.store.tables import Operation, Tenant

LABEL = "drill-of"
_SLUG_KEPT = 28  # of the source's, in the copy's
_LATER = 40  # behind whatever a person asks for


class Listing(Request):
    tenant: Annotated[str, Field(max_length=40, description="Whose backups; everybody's unless said.")] = ""
    page_size: Annotated[int, Field(ge=1, le=200)] = 50


def begin(control: Control, actor: Actor, slug: str, ask: Ask) -> dict[str, Any]:
    """Ask for one; answers the operation, which is the copy's."""
    actor.require(Action.CHANGE_TENANT, names.parse_slug(slug))
    with control.db.write() as session:
        source = restoring.tenant_named(session, slug)
        require_phase(source, DRILL)
        require_verb(control, Kind.DRILL, source.slug, source.blueprint)
        return _begin(control, session, source, actor, ask)


def _begin(control: Control, session: Session, source: Tenant, actor: Actor, ask: Ask) -> dict[str, Any]:
    spec = restoring.spec_like(session, source)
    spec = replace(spec, labels={LABEL: source.slug})
    require_platform(session, spec)
    cells.check_admission(control, session, spec)
    row = restoring.of_epoch(session, source, source.epoch)
    if row.adopted:
        raise Refused(
            f"{source.slug} was adopted and no login is known: what is restored could not be looked at",
            hint=f"controlplane tenant rotate {source.slug} --what master",
        )
    name = names.parse_slug(f"{source.slug[:_SLUG_KEPT].rstrip('-')}-drill-{new_uid()[:5]}")
    copy = found_tenant(control, session, name, spec, actor)
    slot = _passing(restoring.slot_of(session, source, copy, row, copy.epoch, None))
    slots.save(session, copy.uid, slot, status="wanted")
    payload = {
        "slot": slot_to_json(slot),
        "from": source.slug,
        "from_uid": source.uid,
        "from_epoch": source.epoch,
    }
    workspace = names.tenant_workspace(names.TenantUid(copy.uid))
    operation = Intake(control, session, actor, ask).accept(Kind.DRILL, workspace, payload, copy)
    return views.operation(session, operation)


def _passing(slot: SlotSpec) -> SlotSpec:
    """It lives for an hour: nothing protects it, watches it, stands by for it or keeps what it was."""
    return replace(slot, protected=False, alarms=False, multi_az=False, backup_days=1)


# --- by the clock -----------------------------------------------------------------------------------


def by_the_clock(control: Control, actor: Actor) -> str:
    """One tenant, by chance: everybody's turn comes, and nobody can prepare for it."""
    with control.db.read() as session:
        under_way = drills.unfinished(session, control.cell_of_many)
        slugs = [] if under_way else _eligible(control, session)
    if under_way:
        return f"{under_way.id} is not over: {under_way.status}"
    if not slugs:
        return "there is no tenant that could be restored"
    slug = secrets.choice(slugs)
    asked = begin(control, actor, slug, Ask("a restore drill by schedule", priority=_LATER))
    return f"{slug}: {asked['id']}{_last_words(control)}"


def _eligible(control: Control, session: Session) -> list[str]:
    """Ready, of a blueprint that knows drills, with a database whose logins we know."""
    return [
        row.slug
        for row in databases.every(session, control.region, control.cell_of_many)
        if row.is_routed
        and row.phase == Phase.READY
        and Kind.DRILL in control.catalog.blueprint(row.blueprint).verbs
        and _is_known(session, row.uid, row.epoch)
    ]


def _is_known(session: Session, uid: str, epoch: int) -> bool:
    slot = slots.get(session, uid, epoch)
    return bool(slot.resource_id) and not slot.adopted


def _last_words(control: Control) -> str:
    """How the one before ended: a schedule's line is where people look."""
    with control.db.read() as session:
        ended = drills.last_ended(session, cell=control.cell_of_many)
    return f"; before it {ended.payload['from']}: {ended.status}" if ended else ""


# --- what was measured ------------------------------------------------------------------------------


def page(control: Control, actor: Actor, wanted: Listing) -> dict[str, Any]:
    """Newest first, with what is promised beside what was measured."""
    actor.require(Action.READ_FLEET)
    with control.db.read() as session:
        items = [_view(row) for row in drills.newest(session, wanted.page_size, wanted.tenant)]
    seen = [one for one in items if actor.sees(one["tenant"])]
    promised = {
        "rto_seconds": int(RECOVERY_TIME.total_seconds()),
        "rpo_seconds": int(RECOVERY_POINT.total_seconds()),
    }
    return {"items": seen, "next_page_token": None, "promised": promised}


def _view(row: Operation) -> dict[str, Any]:
    report = row.response
    return {
        "id": row.id,
        "tenant": row.payload["from"],
        "copy_slug": row.tenant_slug,
        "status": row.status,
        "done": Status(row.status) in FINAL,
        "rto_seconds": report.get("rto_seconds"),
        "rpo_seconds": report.get("rpo_seconds"),
        "backup_reaches": report.get("backup_reaches"),
        "checks": report.get("checks", []),
        "problem": row.error.get("detail", "") if row.error else "",
        "requested_by": row.requested_by,
        "started_at": plain(row.started_at),
        "ended_at": plain(row.ended_at),
    }
