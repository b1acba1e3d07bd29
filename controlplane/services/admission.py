"""What is asked of a request before it is accepted, verb by verb; answers the payload that is then frozen.

Only what is recorded is looked at: what AWS knows, the operation's first steps ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain import names
from controlplane.domain.desired import slot_to_json
from controlplane.domain.errors import Conflict, Refused
from controlplane.domain.operation import Kind
from controlplane.domain.plan.resize import Classes, Current, Wanted, check_resize
from controlplane.domain.tenant import Size
from controlplane.domain.workspace import SlotSpec
from controlplane.operations.rotate import Login
from controlplane.services import moves
from controlplane.services.accept import invalid_field
from controlplane.services.control import Control
from controlplane.steps import resizing
from controlplane.steps.subject import slot_spec
from controlplane.store import history, operations, slots
from controlplane.store.operations import OperationFilter
from controlplane.store.tables import Slot, Tenant

Payload = dict[str, Any]
_GRACE_DAYS = 30


@dataclass(frozen=True)
class Wish:
    """One request, within the transaction in which it is accepted."""

    control: Control
    session: Session
    tenant: Tenant
    body: Payload
    person: str = ""
    reason: str = ""


def admit(kind: Kind, wish: Wish) -> Payload:
    """The payload; raises when the request cannot be right."""
    require_verb(wish.control, kind, wish.tenant.slug, wish.tenant.blueprint)
    check = _ADMISSIONS.get(kind)
    return check(wish) if check else wish.body


def require_verb(control: Control, kind: Kind, slug: str, name: str) -> None:
    """A blueprint says what its tenants can do."""
    blueprint = control.catalog.blueprint(name)
    if kind not in blueprint.verbs:
        offered = ", ".join(sorted(blueprint.verbs))
        raise Conflict(
            f"{slug} is of {blueprint.name}, whose tenants have no {kind}; they have: {offered}",
            hint=f"controlplane blueprint show {blueprint.name}",
        )


def _destroy(wish: Wish) -> Payload:
    if wish.body.get("confirm") != wish.tenant.slug:
        raise invalid_field("confirm", f"repeat the slug to destroy it: --confirm {wish.tenant.slug}")
    return wish.body


def _resize(wish: Wish) -> Payload:
    """What RDS refuses whatever the database does meanwhile."""
    slot, sizes = _route_slot(wish), wish.control.catalog.sizes
    size = Size(wish.body.get("size", slot.size))
    current = Current(
        status="available",
        instance_class=sizes[slot.size].instance_class,
        spec_storage_gb=slot.storage_gb,
        storage_gb=slot.storage_gb,
        last_storage_change_at=history.last_change_of(wish.session, wish.tenant.uid, "storage_gb"),
    )
    wanted = Wanted(sizes[size].instance_class, wish.body.get("storage_gb", slot.storage_gb))
    classes = Classes({sizes[s].instance_class: sizes[s].max_connections for s in Size})
    objections = check_resize(current, wanted, classes, wish.control.now())
    resizing.refuse(wish.tenant.slug, [o for o in objections if o.blocks])
    return wish.body


def _rotate(wish: Wish) -> Payload:
    """The version that a new master password gets is fixed here: planned twice, it is the same one."""
    slot, what = _route_slot(wish), wish.body["what"]
    payload = {**wish.body, "variant": what}
    if what == Login.MASTER:
        return {**payload, "credential_version": slot.credential_version + (0 if slot.adopted else 1)}
    if slot.adopted:
        raise Refused(
            f"{wish.tenant.slug} was adopted, and no login to it is known",
            hint=f"take it over first: controlplane tenant rotate {wish.tenant.slug} --what master",
        )
    return payload


def _restore(wish: Wish) -> Payload:
    """The slot of the next epoch, from the newest final snapshot."""
    tenant = wish.tenant
    rows = [row for row in slots.every(wish.session, tenant.uid) if row.final_snapshot]
    if not rows:
        raise Refused(
            f"{tenant.slug} cannot be restored: no final snapshot of it is recorded",
            hint="look in AWS for automated backups that were kept",
        )
    _require_grace(wish)
    epoch = max(row.epoch for row in slots.every(wish.session, tenant.uid)) + 1
    return {**wish.body, "slot": slot_to_json(_restored(wish, rows[-1], epoch))}


def _restored(wish: Wish, last: Slot, epoch: int) -> SlotSpec:
    tenant, receipt = wish.tenant, last.final_snapshot
    identifier = names.database_identifier(names.Slug(tenant.slug), names.TenantUid(tenant.uid), epoch)
    return replace(
        slot_spec(last),
        epoch=epoch,
        identifier=identifier,
        size=Size(tenant.size),
        storage_gb=max(tenant.storage_gb, int(receipt.get("storage_gb") or 0)),
        protected=True,
        alarms=True,
        credential_version=1,
        credential_write=True,
        adopted=False,
        snapshot_identifier=receipt["identifier"],
        kms_key_id=receipt.get("kms_key_id"),
    )


def _require_grace(wish: Wish) -> None:
    until = restorable_until(wish.session, wish.tenant)
    if until is not None and wish.control.now() > until:
        raise Refused(
            f"{wish.tenant.slug} was restorable until {until:%Y-%m-%d %H:%M} {until.tzname()}",
            hint="a person restores the snapshot by hand where it still is there, and adopts the database",
        )


def restorable_until(session: Session, tenant: Tenant) -> datetime | None:
    """The end of the grace period that its destroy promised; None: it is not torn down."""
    if tenant.torn_down_at is None:
        return None
    last = operations.page(session, OperationFilter(tenant_uid=tenant.uid, kind=Kind.DESTROY.value), None, 1)
    days = last[0].payload.get("grace_days", _GRACE_DAYS) if last else _GRACE_DAYS
    return tenant.torn_down_at + timedelta(days=int(days))


def _route_slot(wish: Wish) -> SlotSpec:
    found = [row for row in slots.present(wish.session, wish.tenant.uid) if row.epoch == wish.tenant.epoch]
    if not found:
        raise Conflict(
            f"{wish.tenant.slug} has no database", hint=f"controlplane tenant explain {wish.tenant.slug}"
        )
    return slot_spec(found[0])


def _upgrade(wish: Wish) -> Payload:
    body = {**wish.body, "asked_by": wish.person}
    return moves.admit_upgrade(wish.control, wish.session, wish.tenant, body)


def _finalize(wish: Wish) -> Payload:
    return moves.admit_finalize(wish.control, wish.session, wish.tenant, wish.body, wish.reason)


def _rollback(wish: Wish) -> Payload:
    return moves.admit_rollback(wish.session, wish.tenant, wish.body)


_ADMISSIONS: Mapping[Kind, Callable[[Wish], Payload]] = {
    Kind.UPGRADE: _upgrade,
    Kind.FINALIZE: _finalize,
    Kind.ROLLBACK: _rollback,
    Kind.DESTROY: _destroy,
    Kind.RESIZE: _resize,
    Kind.ROTATE: _rotate,
    Kind.RESTORE: _restore,
}
