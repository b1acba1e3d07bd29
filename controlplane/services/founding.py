"""A tenant comes into being in the catalog: what it shall be, its row, and the place that it needs; or does
not, after all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain import names
from controlplane.domain.errors import AlreadyExists, Conflict
from controlplane.domain.operation import Status
from controlplane.domain.tenant import (
    Environment,
    Phase,
    Stage,
    TenantSpec,
    check_spec,
    cost_tier,
    default_size,
)
from controlplane.services.accept import invalid_field
from controlplane.services.actor import Actor
from controlplane.services.control import Control, new_uid
from controlplane.store import operations, platforms, slots, tenants
from controlplane.store.costs.fleet import unmade
from controlplane.store.tables import Operation, Tenant
from controlplane.store.tenants import rules


def spec_of(control: Control, wanted: Mapping[str, Any]) -> TenantSpec:
    """Defaults are decided here, once, and stored as decided; raises where fields do not fit together."""
    stage = wanted["stage"]
    home = Environment.PRODUCTION if stage is Stage.PRODUCTION else Environment.DEVELOPMENT
    spec = TenantSpec(
        **{
            "size": default_size(stage, wanted["locations"], wanted["users"]),
            "region": control.region,
            "cell": control.cell,
            "environment": home,
            **wanted,
        }
    )
    check_spec(spec)
    return spec


def end_of(control: Control, stage: Stage, ttl_days: int | None) -> datetime | None:
    """When a tenant that is made for a time ends; None: it has no end."""
    if not ttl_days:
        return None
    if stage is not Stage.POC:
        raise invalid_field("ttl_days", "only a proof of concept is made for a time")
    return control.now() + timedelta(days=ttl_days)


def check_against_catalog(control: Control, spec: TenantSpec) -> None:
    blueprint = control.catalog.blueprints.get(spec.blueprint)
    if blueprint is None:
        known = ", ".join(sorted(control.catalog.blueprints))
        raise invalid_field("blueprint", f"there is no blueprint {spec.blueprint!r}; known: {known}")
    if spec.region not in control.catalog.regions:
        known = ", ".join(sorted(control.catalog.regions))
        raise invalid_field("region", f"{spec.region!r} is not a region of the catalog; known: {known}")


def refuse_own_database(spec: TenantSpec, said: Collection[str]) -> None:
    """What would be said of a database of its own says nothing of a schema."""
    for field in ("size", "storage_gb", "rightsizing_decision"):
        if field in said:
            raise invalid_field(
                field,
                f"tenants of {spec.blueprint} share one database: its class and storage are the platform's "
                "options database_class and database_gb",
            )


def found_tenant(
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
        slots.forget_wanted(session, before.uid)
        changes = {**columns, "labels": spec.labels}
        row = tenants.change(session, before.uid, changes, actor=actor.name, now=now)
    else:
        lives = [slot.epoch for slot in slots.every(session, before.uid)]
        epoch = max(lives, default=before.epoch) + 1
        columns |= {"epoch": epoch, "generation": before.generation + 1, "torn_down_at": None}
        columns |= {"template_version": "", "template_digest": ""}  # the newest, like everybody who is new
        row = tenants.revive(session, before.uid, columns, spec.labels, actor=actor.name, now=now)
    return row


def never_began(session: Session, tenant: Tenant) -> bool:
    """It was asked for, and no apply of it began: it may be asked for again, and as something else."""
    if tenant.phase not in (Phase.REQUESTED, Phase.FAILED):
        return False
    workspace = names.tenant_workspace(names.TenantUid(tenant.uid))
    there = [s for s in slots.every(session, tenant.uid) if s.epoch == tenant.epoch]
    if not there and tenant.uid not in unmade(session, [tenant.uid]):
        return False  # a schema, of which something may have been made
    return all(s.status == "wanted" for s in there) and not operations.unfinished(session, workspace)


def call_off(
    session: Session, operation_id: str, status: Status, now: datetime, why: str, code: str = "rejected"
) -> Operation:
    """End what was not begun. A tenant that only this would have made waits for nothing any more: it is
    failed, as if a worker had ended it, and may be asked for again or destroyed."""
    problem = {"code": code, "detail": why}
    row = operations.move(session, operation_id, status, now, why, error=problem)
    tenant = tenants.by_uid(session, row.tenant_uid) if row.tenant_uid else None
    if tenant is not None:
        rules.release(session, tenant.uid)
    if tenant is not None and tenant.phase == Phase.REQUESTED:
        by = row.requested_by
        tenants.set_phase(
            session, tenant.uid, Phase.FAILED, why, actor=by, operation_id=operation_id, now=now
        )
    return operations.get(session, operation_id)


def _require_place(before: Tenant, columns: dict[str, Any]) -> None:
    """Where it was first asked for is where its secret lies."""
    for name in ("region", "cell"):
        if columns.pop(name) != getattr(before, name):
            raise AlreadyExists(
                f"{before.slug} was asked for in {name} {getattr(before, name)} and keeps that",
                hint=f"controlplane tenant destroy {before.slug}",
            )


def require_platform(session: Session, spec: TenantSpec) -> None:
    found = platforms.find(session, spec.blueprint, spec.environment.value, spec.cell)
    if found is None or not found.outputs:
        raise Conflict(
            f"the platform {spec.blueprint} is not there in {spec.environment} (cell {spec.cell}): "
            "a tenant needs its network and its parameter group",
            hint=f"controlplane blueprint apply {spec.blueprint} --environment {spec.environment}",
        )
