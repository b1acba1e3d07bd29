"""Tenants: what doors ask of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain import names
from controlplane.domain.errors import Missing
from controlplane.domain.operation import Kind
from controlplane.domain.schema import VARIANT as SCHEMA
from controlplane.operations import CREATE, Adopt, Create, Drill, Request, Restore, operation_type
from controlplane.rendering import slot_for
from controlplane.services import adoption, cells, views
from controlplane.services.accept import Intake, require_idle, require_phase, require_revision, require_verb
from controlplane.services.actor import Action, Actor
from controlplane.services.admission import Wish, admit
from controlplane.services.control import Ask, Control, plain
from controlplane.services.founding import (
    check_against_catalog,
    end_of,
    found_tenant,
    never_began,
    refuse_own_database,
    require_platform,
    spec_of,
)
from controlplane.services.recovery import drilling, restoring
from controlplane.store import history, operations, slots, tenants
from controlplane.store.tables import Tenant


def create(control: Control, actor: Actor, body: Create, ask: Ask) -> dict[str, Any]:
    """One request takes a tenant from nothing to ready; answers the operation."""
    slug = names.parse_slug(body.slug)
    actor.require(Action.CREATE_TENANT, slug)
    spec = spec_of(control, body.model_dump(exclude={"slug", "ttl_days"}, exclude_none=True))
    ends = end_of(control, spec.stage, body.ttl_days)
    check_against_catalog(control, spec)
    require_verb(control, Kind.CREATE, slug, spec.blueprint)
    is_schema = control.catalog.blueprint(spec.blueprint).is_shared
    if is_schema:
        refuse_own_database(spec, body.model_fields_set)
    with control.db.write() as session:
        spec = cells.placed(control, session, spec, body.region or "", body.cell or "")
        warnings = [] if is_schema else cells.check_admission(control, session, spec)
        tenant = found_tenant(control, session, slug, spec, actor)
        ending = {"expires_at": ends}
        tenant = tenants.change(session, tenant.uid, ending, actor=actor.name, now=control.now())
        payload = {"spec": body.model_dump(mode="json"), "size": spec.size.value}
        if is_schema:
            payload["variant"] = SCHEMA
        else:
            slot = slot_for(spec, slug, names.TenantUid(tenant.uid), tenant.epoch, control.catalog)
            slots.save(session, tenant.uid, slot, status="wanted")
        require_platform(session, spec)
        workspace = names.tenant_workspace(names.TenantUid(tenant.uid))
        operation = Intake(control, session, actor, ask).accept(Kind.CREATE, workspace, payload, tenant)
        for warning in warnings:
            operations.tell(session, operation.id, control.now(), "warning", text=warning)
        return views.operation(session, operation)


def change(control: Control, actor: Actor, kind: Kind, slug: str, body: Request, ask: Ask) -> dict[str, Any]:
    """Any other verb on a tenant; answers the operation."""
    if isinstance(body, Adopt):
        return adoption.adopt(control, actor, slug, body, ask)
    if isinstance(body, Restore) and body.as_:
        return restoring.beside(control, actor, slug, body, ask)
    if isinstance(body, Drill):
        return drilling.begin(control, actor, slug, ask)
    of = operation_type(kind)
    actor.require(Action.DESTROY_TENANT if of.destructive else Action.CHANGE_TENANT, names.parse_slug(slug))
    with control.db.write() as session:
        tenant = _get(session, slug)
        require_revision(tenant, ask)
        require_phase(tenant, of)
        require_idle(session, tenant)
        given = body.model_dump(mode="json", exclude_none=True, by_alias=True)
        payload = admit(kind, Wish(control, session, tenant, given, actor.name, ask.reason))
        workspace = names.tenant_workspace(names.TenantUid(tenant.uid))
        operation = Intake(control, session, actor, ask).accept(kind, workspace, payload, tenant)
        return views.operation(session, operation)


def _get(session: Session, slug: str) -> Tenant:
    found = tenants.find(session, names.parse_slug(slug))
    if found is None:
        raise Missing(f"there is no tenant {slug!r}", hint="controlplane tenant list")
    return found


def show(control: Control, actor: Actor, slug: str) -> dict[str, Any]:
    actor.require(Action.READ_TENANT, names.parse_slug(slug))
    with control.db.read() as session:
        row = _get(session, slug)
        view = views.tenant(row, tenants.labels(session, row.uid))
        open_ones = operations.unfinished(session, names.tenant_workspace(names.TenantUid(row.uid)))
        view["slots"] = [_slot(s) for s in slots.every(session, row.uid)]
        view["open_operation"] = open_ones[0].id if open_ones else None
        return view


def _slot(row: Any) -> dict[str, Any]:
    keys = (
        "epoch",
        "identifier",
        "size",
        "storage_gb",
        "multi_az",
        "backup_days",
        "status",
        "final_snapshot",
    )
    return {key: plain(getattr(row, key)) for key in keys}


def history_of(
    control: Control, actor: Actor, slug: str, after: int = 0, limit: int = 200
) -> list[dict[str, Any]]:
    actor.require(Action.READ_TENANT, names.parse_slug(slug))
    with control.db.read() as session:
        row = _get(session, slug)
        return [
            {
                "offset": e.seq,
                "at": plain(e.at),
                "actor": e.actor,
                "operation": e.operation_id,
                "what": e.what,
                "before": e.before,
                "after": e.after,
            }
            for e in history.page(session, row.uid, after, limit)
        ]


__all__ = ["CREATE", "change", "create", "history_of", "never_began", "show"]
