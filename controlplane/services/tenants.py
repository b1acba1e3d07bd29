"""Tenants: what doors ask of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain import names
from controlplane.domain.errors import AlreadyExists, Missing
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import (
    Environment,
    Phase,
    Stage,
    TenantSpec,
    check_spec,
    cost_tier,
    default_size,
)
from controlplane.operations import CREATE, Create, Request, operation_type
from controlplane.rendering import slot_for
from controlplane.services import quotas, views
from controlplane.services.accept import Intake, invalid_field, require_idle, require_phase, require_revision
from controlplane.services.actor import Action, Actor
from controlplane.services.admission import Wish, admit
from controlplane.services.control import Ask, Control, new_uid, plain
from controlplane.store import history, operations, platforms, slots, tenants
from controlplane.store.tables import Tenant


def create(control: Control, actor: Actor, body: Create, ask: Ask) -> dict[str, Any]:
    """One request takes a tenant from nothing to ready; answers the operation."""
    slug = names.parse_slug(body.slug)
    actor.require(Action.CREATE_TENANT, slug)
    spec = _spec(control, body)
    check_spec(spec)
    _check_against_catalog(control, spec)
    with control.db.write() as session:
        warnings = quotas.check_admission(control, session, spec.region, spec.storage_gb)
        tenant = _insert_or_revive(control, session, slug, spec, actor)
        _require_platform(session, spec)
        payload = {"spec": body.model_dump(mode="json"), "size": spec.size.value}
        workspace = names.tenant_workspace(names.TenantUid(tenant.uid))
        operation = Intake(control, session, actor, ask).accept(Kind.CREATE, workspace, payload, tenant)
        for warning in warnings:
            operations.tell(session, operation.id, control.now(), "warning", text=warning)
        return views.operation(session, operation)


def _spec(control: Control, body: Create) -> TenantSpec:
    """Defaults are decided here, once, and stored as decided."""
    wanted = body.model_dump(exclude={"slug"}, exclude_none=True)
    stage = body.stage
    home = Environment.PRODUCTION if stage is Stage.PRODUCTION else Environment.DEVELOPMENT
    return TenantSpec(
        **{
            "size": default_size(stage, body.locations, body.users),
            "region": control.region,
            "cell": control.cell,
            "environment": home,
            **wanted,
        }
    )


def _check_against_catalog(control: Control, spec: TenantSpec) -> None:
    blueprint = control.catalog.blueprints.get(spec.blueprint)
    if blueprint is None:
        known = ", ".join(sorted(control.catalog.blueprints))
        raise invalid_field("blueprint", f"there is no blueprint {spec.blueprint!r}; known: {known}")
    if spec.region not in control.catalog.regions:
        known = ", ".join(sorted(control.catalog.regions))
        raise invalid_field("region", f"{spec.region!r} is not a region of the catalog; known: {known}")


def _insert_or_revive(
    control: Control, session: Session, slug: names.Slug, spec: TenantSpec, actor: Actor
) -> Tenant:
    """A slug that was torn down comes back under the same uid, in its next epoch."""
    now = control.now()
    before = tenants.find(session, slug)
    again = before is not None and never_began(session, before)
    if before is not None and before.phase != Phase.TORN_DOWN and not again:
        raise AlreadyExists(
            f"there is a tenant {slug!r} already: it is {before.phase}",
            hint=f"controlplane tenant show {slug}",
        )
    columns = {
        **{
            name: getattr(spec, name)
            for name in ("region", "cell", "blueprint", "storage_gb", "locations", "users")
        },
        **{
            name: getattr(spec, name)
            for name in ("paying", "sla", "sensitive", "rightsizing_decision", "display_name")
        },
        "stage": spec.stage.value,
        "size": spec.size.value,
        "environment": spec.environment.value,
        "cost_tier": cost_tier(spec.stage, spec.size),
    }
    if before is None:
        row = Tenant(
            uid=new_uid(), slug=slug, phase=Phase.REQUESTED.value, created_at=now, updated_at=now, **columns
        )
        tenants.insert(session, row, spec.labels, actor=actor.name)
    elif again:
        _require_place(before, columns)
        changes = {**columns, "labels": spec.labels}
        row = tenants.change(session, before.uid, changes, actor=actor.name, now=now)
    else:
        epoch = max(slot.epoch for slot in slots.every(session, before.uid)) + 1
        columns |= {"epoch": epoch, "generation": before.generation + 1, "torn_down_at": None}
        row = tenants.revive(session, before.uid, columns, spec.labels, actor=actor.name, now=now)
    uid = names.TenantUid(row.uid)
    slot = slot_for(spec, slug, uid, row.epoch, control.catalog)
    slots.save(session, row.uid, slot, status="wanted")
    return row


def never_began(session: Session, tenant: Tenant) -> bool:
    """It was asked for, and no apply of it began: it may be asked for again, and as something else."""
    if tenant.phase not in (Phase.REQUESTED, Phase.FAILED):
        return False
    workspace = names.tenant_workspace(names.TenantUid(tenant.uid))
    waiting = any(s.status == "wanted" and s.epoch == tenant.epoch for s in slots.every(session, tenant.uid))
    return waiting and not operations.unfinished(session, workspace)


def _require_place(before: Tenant, columns: dict[str, Any]) -> None:
    """Where it was first asked for is where its secret lies."""
    for name in ("region", "cell"):
        if columns.pop(name) != getattr(before, name):
            raise AlreadyExists(
                f"{before.slug} was asked for in {name} {getattr(before, name)} and keeps that",
                hint=f"controlplane tenant destroy {before.slug}",
            )


def _require_platform(session: Session, spec: TenantSpec) -> None:
    found = platforms.find(session, spec.blueprint, spec.environment.value, spec.cell)
    if found is None or not found.outputs:
        raise Missing(
            f"the platform {spec.blueprint} is not there in {spec.environment} (cell {spec.cell}): "
            "a tenant needs its network and its parameter group",
            hint=f"controlplane blueprint apply {spec.blueprint} --environment {spec.environment}",
        )


def change(control: Control, actor: Actor, kind: Kind, slug: str, body: Request, ask: Ask) -> dict[str, Any]:
    """Any other verb on a tenant; answers the operation."""
    of = operation_type(kind)
    actor.require(Action.DESTROY_TENANT if of.destructive else Action.CHANGE_TENANT, names.parse_slug(slug))
    with control.db.write() as session:
        tenant = _get(session, slug)
        require_revision(tenant, ask)
        require_phase(tenant, of)
        require_idle(session, tenant)
        given = body.model_dump(mode="json", exclude_none=True)
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


__all__ = ["CREATE", "change", "create", "history_of", "show"]
