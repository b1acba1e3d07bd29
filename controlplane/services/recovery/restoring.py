"""restore: what is asked before one is begun, and from where the data come.

A torn-down tenant comes back itself, in its next epoch. A living one is never written over: what it was is
brought up beside it, as a tenant of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain import names
from controlplane.domain.desired import slot_to_json
from controlplane.domain.errors import AlreadyExists, Conflict, Missing, Refused
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Environment, Phase, Size, Stage, TenantSpec
from controlplane.domain.workspace import SlotSpec
from controlplane.operations.restore import BACKUPS, Restore
from controlplane.services import cells, views
from controlplane.services.accept import Intake, invalid_field
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Ask, Control
from controlplane.services.founding import found_tenant, never_began, require_platform
from controlplane.steps.subject import slot_spec
from controlplane.store import history, operations, platforms, slots, tenants
from controlplane.store.operations import OperationFilter
from controlplane.store.tables import Slot, Tenant

Payload = dict[str, Any]
_GRACE_DAYS = 30
_COPIED = (
    "region", "cell", "blueprint", "storage_gb", "locations", "users", "paying", "sla", "sensitive",
    "rightsizing_decision",
)  # fmt: skip


def admit(control: Control, session: Session, tenant: Tenant, body: Payload) -> Payload:
    """What was torn down, in its next epoch: from its final snapshot, or as of a point in time."""
    _require_grace(control, session, tenant)
    rows = slots.every(session, tenant.uid)
    at = _moment(control, body)
    epoch = max((row.epoch for row in rows), default=0) + 1
    source = _as_of(session, tenant, at) if at else _last_with_snapshot(tenant, rows)
    return {**body, **_from(slot_of(session, tenant, tenant, source, epoch, at))}


def _from(slot: SlotSpec) -> Payload:
    return {"slot": slot_to_json(slot), "variant": BACKUPS if slot.backup_source else ""}


def beside(control: Control, actor: Actor, slug: str, body: Restore, ask: Ask) -> dict[str, Any]:
    """Another tenant with this one's data; answers the operation, which is the new tenant's."""
    new = names.parse_slug(str(body.as_), "as")
    actor.require(Action.CHANGE_TENANT, names.parse_slug(slug))
    actor.require(Action.CREATE_TENANT, new)
    with control.db.write() as session:
        source = tenant_named(session, slug)
        _require_free(session, new)
        spec = spec_like(session, source)
        require_platform(session, spec)
        cells.check_admission(control, session, spec)
        at = _moment(control, body.model_dump(mode="json"))
        row = _source(session, source, at)
        tenant = found_tenant(control, session, new, spec, actor)
        slot = slot_of(session, source, tenant, row, tenant.epoch, at)
        slots.save(session, tenant.uid, slot, status="wanted")
        said = body.model_dump(mode="json", exclude_none=True, by_alias=True)
        payload = {**said, **_from(slot), "from": source.slug}
        workspace = names.tenant_workspace(names.TenantUid(tenant.uid))
        operation = Intake(control, session, actor, ask).accept(Kind.RESTORE, workspace, payload, tenant)
        return views.operation(session, operation)


def tenant_named(session: Session, slug: str) -> Tenant:
    found = tenants.find(session, slug)
    if found is None:
        raise Missing(f"there is no tenant {slug!r}", hint="controlplane tenant list")
    return found


def _require_free(session: Session, new: names.Slug) -> None:
    """Data of one tenant never go under the name of another that there was."""
    there = tenants.find(session, new)
    if there is not None and not never_began(session, there):
        raise AlreadyExists(
            f"the name {new!r} is or was another tenant's: it is {there.phase}",
            hint="say a name that nobody had: --as NEW-SLUG",
        )


def spec_like(session: Session, source: Tenant) -> TenantSpec:
    return TenantSpec(
        stage=Stage(source.stage),
        size=Size(source.size),
        environment=Environment(source.environment),
        display_name=source.display_name,
        labels=tenants.labels(session, source.uid),
        **{name: getattr(source, name) for name in _COPIED},
    )


# --- from where -------------------------------------------------------------------------------------


def _moment(control: Control, body: Mapping[str, Any]) -> datetime | None:
    if not body.get("at"):
        return None
    at = datetime.fromisoformat(body["at"]).astimezone(UTC).replace(microsecond=0)
    if at > control.now():
        raise invalid_field("at", f"{at.isoformat()} is still to come")
    return at


def _source(session: Session, tenant: Tenant, at: datetime | None) -> Slot:
    """Without a time: of what is gone its final snapshot, of what lives the latest that can be reached."""
    if at is not None:
        return _as_of(session, tenant, at)
    if tenant.phase == Phase.TORN_DOWN:
        return _last_with_snapshot(tenant, slots.every(session, tenant.uid))
    return of_epoch(session, tenant, tenant.epoch)


def _last_with_snapshot(tenant: Tenant, rows: list[Slot]) -> Slot:
    found = [row for row in rows if row.final_snapshot]
    if not found:
        raise Refused(
            f"{tenant.slug} cannot be restored: no final snapshot of it is recorded",
            hint=f"from its automated backups: controlplane tenant restore {tenant.slug} --at TIME",
        )
    # What the route pointed to at last, not what was left or given up before.
    return next((row for row in found if row.epoch == tenant.epoch), found[-1])


def _as_of(session: Session, tenant: Tenant, at: datetime) -> Slot:
    """The slot that the route pointed to then: a tenant that has moved was another database before."""
    return of_epoch(session, tenant, history.value_at(session, tenant.uid, "epoch", at, tenant.epoch))


def of_epoch(session: Session, tenant: Tenant, epoch: int) -> Slot:
    found = next((row for row in slots.every(session, tenant.uid) if row.epoch == epoch), None)
    if found is None or not found.resource_id:
        raise Conflict(
            f"{tenant.slug}: no database of its epoch {epoch} was ever recorded as being there",
            hint=f"controlplane tenant explain {tenant.slug}",
        )
    return found


def slot_of(
    session: Session, source: Tenant, target: Tenant, row: Slot, epoch: int, at: datetime | None
) -> SlotSpec:
    """The source's database as the target's slot of this epoch."""
    receipt = row.final_snapshot if at is None and source.phase == Phase.TORN_DOWN else {}
    slug, uid = names.Slug(target.slug), names.TenantUid(target.uid)
    key = receipt.get("kms_key_id") if receipt else row.kms_key_id or _key_of_platform(session, source, row)
    return replace(
        slot_spec(row),
        epoch=epoch,
        identifier=names.database_identifier(slug, uid, epoch),
        size=Size(source.size),
        storage_gb=max(source.storage_gb, row.storage_gb, int(receipt.get("storage_gb") or 0)),
        protected=True,
        alarms=True,
        credential_version=1,
        credential_write=True,
        adopted=False,
        snapshot_identifier=receipt["identifier"] if receipt else None,
        backup_source=None if receipt else row.resource_id,
        backup_time=at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None,
        kms_key_id=key,
    )


def _key_of_platform(session: Session, tenant: Tenant, row: Slot) -> str | None:
    """A copy keeps the key of its source, whatever its own platform's is."""
    environment = row.environment or tenant.environment
    home = platforms.find(session, tenant.blueprint, environment, tenant.cell)
    key = home.outputs.get("database_key_arn") if home else None
    return str(key) if key else None


# --- how long ---------------------------------------------------------------------------------------


def _require_grace(control: Control, session: Session, tenant: Tenant) -> None:
    until = restorable_until(session, tenant)
    if until is not None and control.now() > until:
        raise Refused(
            f"{tenant.slug} was restorable until {until:%Y-%m-%d %H:%M} {until.tzname()}",
            hint="a person restores the snapshot by hand where it still is there, and adopts the database",
        )


def restorable_until(session: Session, tenant: Tenant) -> datetime | None:
    """The end of the grace period that its destroy promised; None: it is not torn down."""
    if tenant.torn_down_at is None:
        return None
    last = operations.page(session, OperationFilter(tenant_uid=tenant.uid, kind=Kind.DESTROY.value), None, 1)
    days = last[0].payload.get("grace_days", _GRACE_DAYS) if last else _GRACE_DAYS
    return tenant.torn_down_at + timedelta(days=int(days))
