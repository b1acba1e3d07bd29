"""What is asked of a request before it is accepted, verb by verb; answers the payload that is then frozen.

Only what is recorded is looked at: what AWS knows, the operation's first steps ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.errors import Conflict, Refused
from controlplane.domain.operation import Kind
from controlplane.domain.plan.resize import Classes, Current, Wanted, check_resize
from controlplane.domain.schema import VARIANT as SCHEMA
from controlplane.domain.tenant import Size
from controlplane.domain.workspace import SlotSpec
from controlplane.operations.rotate import Login
from controlplane.services import moves
from controlplane.services.accept import invalid_field, require_verb
from controlplane.services.control import Control
from controlplane.services.recovery import restoring
from controlplane.steps import resizing
from controlplane.steps.subject import slot_spec
from controlplane.steps.templates import kept
from controlplane.store import history, slots, templates
from controlplane.store.tables import Tenant

Payload = dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """One request, within the transaction in which it is accepted."""

    control: Control
    session: Session
    tenant: Tenant
    body: Payload
    person: str = ""
    reason: str = ""

    @property
    def is_schema(self) -> bool:
        return self.control.catalog.blueprint(self.tenant.blueprint).is_shared


def admit(kind: Kind, wish: Wish) -> Payload:
    """The payload; raises when the request cannot be right."""
    require_verb(wish.control, kind, wish.tenant.slug, wish.tenant.blueprint)
    check = _ADMISSIONS.get(kind)
    return check(wish) if check else wish.body


def _destroy(wish: Wish) -> Payload:
    if wish.body.get("confirm") != wish.tenant.slug:
        raise invalid_field("confirm", f"repeat the slug to destroy it: --confirm {wish.tenant.slug}")
    return {**wish.body, "variant": SCHEMA} if wish.is_schema else wish.body


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
    if wish.is_schema:
        return _rotate_schema(wish)
    slot, what = _route_slot(wish), wish.body["what"]
    payload = {**wish.body, "variant": what}
    if what == Login.MASTER:
        return {**payload, "credential_version": slot.credential_version + (0 if slot.adopted else 1)}
    if slot.adopted:
        raise Refused(
            f"{wish.tenant.slug} was adopted, and no login to it is known",
            hint=f"take it over first: controlplane tenant rotate {wish.tenant.slug} --what master",
        )
    if what == Login.CONTROL:
        moves.require_nothing_sent_back(wish.session, wish.tenant)
    return payload


def _rotate_schema(wish: Wish) -> Payload:
    if wish.body["what"] != Login.APPLICATION:
        raise invalid_field(
            "what",
            f"{wish.tenant.slug} is a schema of a shared database: {Login.APPLICATION} only; "
            "other logins are the platform's",
        )
    return {**wish.body, "variant": SCHEMA}


def _restore(wish: Wish) -> Payload:
    if wish.body.get("as"):
        raise invalid_field("as", "beside the living tenant: that is asked of one tenant at a time")
    return restoring.admit(wish.control, wish.session, wish.tenant, wish.body)


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


def _suspend(wish: Wish) -> Payload:
    moves.require_no_old_side(wish.session, wish.tenant)
    return wish.body


def _rollout(wish: Wish) -> Payload:
    """From now on it means this template, whatever release comes meanwhile."""
    tenant, session = wish.tenant, wish.session
    wanted = kept.by_version(session, wish.control.catalog, tenant.blueprint, str(wish.body.get("to", "")))
    if tenant.template_digest == wanted.digest:
        raise Conflict(f"{tenant.slug} is made from {tenant.blueprint} {wanted.version} already")
    templates.keep(session, wanted, wish.control.now())
    return {"template": wanted.digest, "from": tenant.template_version, "to": wanted.version}


_ADMISSIONS: Mapping[Kind, Callable[[Wish], Payload]] = {
    Kind.UPGRADE: _upgrade,
    Kind.FINALIZE: _finalize,
    Kind.ROLLBACK: _rollback,
    Kind.DESTROY: _destroy,
    Kind.RESIZE: _resize,
    Kind.ROTATE: _rotate,
    Kind.RESTORE: _restore,
    Kind.ROLLOUT: _rollout,
    Kind.SUSPEND: _suspend,
}
