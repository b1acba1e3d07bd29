"""A tenant's credentials: made by us, kept only in Secrets Manager, never in state, plan, log or database."""

from __future__ import annotations

import json
import secrets as randomness
from typing import Any

from controlplane.domain import names
from controlplane.domain.errors import Conflict
from controlplane.domain.tenant import Stage
from controlplane.domain.workspace import DATABASE_NAME, MASTER_USERNAME, SlotSpec, tenant_tags
from controlplane.ports import Login
from controlplane.steps import subject
from controlplane.steps.story import effect
from controlplane.steps.world import world
from controlplane.store.tables import Tenant

LOGIN_ROLES = ("cp_control", "app_a", "app_b")
# RDS refuses / @ " ' and space; Terraform's templates mean something by % { } $ and \.
_ALPHABET = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_.~^*+="
_LENGTH = 32


def new_password() -> str:
    return "".join(randomness.choice(_ALPHABET) for _ in range(_LENGTH))


def tags_of(tenant: Tenant, epoch: int | None = None) -> dict[str, str]:
    """The tags that say whose a thing is, the same that Terraform sets; no epoch: the tenant's own."""
    slug, uid = names.Slug(tenant.slug), names.TenantUid(tenant.uid)
    tags = tenant_tags(slug, uid, Stage(tenant.stage), tenant.blueprint, tenant.cost_tier)
    return tags if epoch is None else {**tags, "epoch": str(epoch)}


def secret_of(tenant: Tenant, epoch: int, role: str) -> str:
    return names.secret_name(names.Slug(tenant.slug), names.TenantUid(tenant.uid), epoch, role)


def _ensure(tenant: Tenant, epoch: int, role: str) -> None:
    name = secret_of(tenant, epoch, role)
    world().ports.cloud.ensure_secret(
        name, new_password(), tags_of(tenant, epoch), f"{tenant.uid}-e{epoch}-{role}"
    )


@effect("ensure_master_secret", "making the database's master secret")
def ensure_master(operation_id: str) -> None:
    """Before the plan, so that every retry sends the same password, even when all state is lost."""
    found = subject.load(operation_id)
    for slot in found.wanted():
        if not slot.adopted:
            _ensure(found.the_tenant(), slot.epoch, "master")


@effect("set_up_roles", "making the login roles")
def set_up_roles(operation_id: str) -> None:
    """`cp_control`, `app_owner`, `app_a`, `app_b`, with passwords that only Secrets Manager keeps.

    Safe to repeat: a secret that is there keeps its value, and the roles are brought to it.
    """
    found = subject.load(operation_id)
    tenant, slot = found.the_tenant(), found.route_slot()
    for role in LOGIN_ROLES:
        _ensure(tenant, slot.epoch, role)
    cloud = world().ports.cloud
    passwords = {role: cloud.read_secret(secret_of(tenant, slot.epoch, role)) for role in LOGIN_ROLES}
    world().ports.database.set_up_roles(login(tenant, slot, "master"), passwords)


@effect("point_route", "pointing the route at the database")
def point_route(operation_id: str) -> dict[str, Any]:
    """The one switch: endpoint and epoch. Secret and parameter follow from it."""
    found = subject.load(operation_id)
    tenant, slot = found.the_tenant(), found.route_slot()
    cloud = world().ports.cloud
    at = endpoint_of(slot)
    application = login(tenant, slot, "app_a")
    route = {"host": at["host"], "port": at["port"], "database": application.database, "epoch": slot.epoch}
    uid, slug = names.TenantUid(tenant.uid), names.Slug(tenant.slug)
    credentials = {**route, "username": application.username, "password": application.password}
    name = names.route_secret(slug, uid)
    text = json.dumps(credentials, sort_keys=True)
    cloud.ensure_secret(name, text, tags_of(tenant), f"{uid}-route")
    if cloud.read_secret(name) != text:
        cloud.write_secret(name, text, operation_id)
    cloud.write_parameter(names.route_parameter(slug, uid), json.dumps(route, sort_keys=True))
    return route


@effect("forget_secrets", "scheduling the secrets' deletion")
def forget(operation_id: str) -> None:
    """With Secrets Manager's recovery window, so that a restore in the grace period finds them again."""
    found = subject.load(operation_id)
    tenant = found.the_tenant()
    cloud = world().ports.cloud
    for slot in found.slots:
        for role in ("master", *LOGIN_ROLES):
            cloud.delete_secret(secret_of(tenant, slot.epoch, role))
    cloud.delete_secret(names.route_secret(names.Slug(tenant.slug), names.TenantUid(tenant.uid)))


def endpoint_of(slot: SlotSpec) -> dict[str, Any]:
    found = world().ports.cloud.database(slot.identifier)
    if found is None or not found.endpoint or not found.port:
        raise Conflict(
            f"the database {slot.identifier} has no endpoint: it is {found.status if found else 'not there'}",
            hint="controlplane tenant explain SLUG",
        )
    return {"host": found.endpoint, "port": found.port, "status": found.status}


def login(tenant: Tenant, slot: SlotSpec, role: str) -> Login:
    """How to log in to a slot as one of its roles; the password is read now and kept nowhere."""
    at = endpoint_of(slot)
    return Login(
        host=at["host"],
        port=at["port"],
        database=DATABASE_NAME,
        username=MASTER_USERNAME if role == "master" else role,
        password=world().ports.cloud.read_secret(secret_of(tenant, slot.epoch, role)),
        tls=world().tls,
    )
