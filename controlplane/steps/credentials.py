"""A tenant's credentials: made by us, kept only in Secrets Manager, never in state, plan, log or database."""

from __future__ import annotations

import json
import secrets as randomness
from typing import Any

from controlplane.domain import names
from controlplane.domain.errors import Conflict
from controlplane.domain.tenant import Stage
from controlplane.domain.workspace import DATABASE_NAME, MASTER_USERNAME, SlotSpec, slot_tags, tenant_tags
from controlplane.ports import Login
from controlplane.steps import subject
from controlplane.steps.story import effect, say
from controlplane.steps.world import world
from controlplane.store.tables import Tenant

APPLICATION_ROLES = ("app_a", "app_b")
LOGIN_ROLES = ("cp_control", *APPLICATION_ROLES)
_UNNAMED = "postgres"  # where an instance was made without a database of its own
# RDS refuses / @ " ' and space; Terraform's templates mean something by % { } $ and \.
_ALPHABET = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_.~^*+="
_LENGTH = 32


def new_password() -> str:
    return "".join(randomness.choice(_ALPHABET) for _ in range(_LENGTH))


def tags_of(tenant: Tenant, slot: SlotSpec | None = None) -> dict[str, str]:
    """The tags that say whose a thing is, the same that Terraform sets; no slot: the tenant's own."""
    tags = tenant_tags(names.Slug(tenant.slug), names.TenantUid(tenant.uid), tenant.blueprint)
    if slot is None:
        return tags
    return {**tags, **slot_tags(slot.epoch, slot.stage or Stage(tenant.stage), slot.size)}


def secret_of(tenant: Tenant, epoch: int, role: str) -> str:
    return names.secret_name(names.Slug(tenant.slug), names.TenantUid(tenant.uid), epoch, role)


def _ensure(tenant: Tenant, slot: SlotSpec, role: str) -> None:
    name, token = secret_of(tenant, slot.epoch, role), f"{tenant.uid}-e{slot.epoch}-{role}"
    world().ports.cloud.ensure_secret(name, new_password(), tags_of(tenant, slot), token)


@effect("ensure_master_secret", "making the database's master secret")
def ensure_master(operation_id: str) -> None:
    """Before the plan, so that every retry sends the same password, even when all state is lost."""
    found = subject.load(operation_id)
    for slot in found.wanted():
        if slot.credential_write:  # with the gate closed its password is set already
            _ensure(found.the_tenant(), slot, "master")


@effect("set_up_roles", "making the login roles")
def set_up_roles(operation_id: str) -> None:
    """`cp_control`, `app_owner`, `app_a`, `app_b`, with passwords that only Secrets Manager keeps.

    Safe to repeat: a secret that is there keeps its value, and the roles are brought to it.
    """
    found = subject.load(operation_id)
    tenant, slot = found.the_tenant(), found.route_slot()
    if slot.adopted:
        say(operation_id, "warning", f"{slot.identifier} was adopted, and no login to it is known")
        return
    make_logins(tenant, slot)


def make_logins(tenant: Tenant, slot: SlotSpec) -> None:
    """The roles of one slot, brought to the passwords in its secrets."""
    for role in LOGIN_ROLES:
        _ensure(tenant, slot, role)
    cloud = world().ports.cloud
    passwords = {role: cloud.read_secret(secret_of(tenant, slot.epoch, role)) for role in LOGIN_ROLES}
    world().ports.database.set_up_roles(login(tenant, slot, "master"), passwords)


@effect("point_route", "pointing the route at the database")
def point_route(operation_id: str, role: str = "") -> dict[str, Any]:
    """The one switch: endpoint and epoch. Secret and parameter follow from it.

    The application goes on as whom it logs in now, unless `role` names the other one."""
    found = subject.load(operation_id)
    tenant, slot = found.the_tenant(), found.route_slot()
    cloud, at = world().ports.cloud, endpoint_of(slot)
    slug, uid = names.Slug(tenant.slug), names.TenantUid(tenant.uid)
    route = {"host": at["host"], "port": at["port"], "database": at["database"], "epoch": slot.epoch}
    if not slot.adopted:
        as_whom = login(tenant, slot, role or application_role(tenant, slot))
        credentials = {**route, "username": as_whom.username, "password": as_whom.password}
        name, text = names.route_secret(slug, uid), json.dumps(credentials, sort_keys=True)
        cloud.ensure_secret(name, text, tags_of(tenant), f"{uid}-route")
        if cloud.read_secret(name) != text:
            cloud.write_secret(name, text, f"{operation_id}-{randomness.token_hex(4)}")
    cloud.write_parameter(names.route_parameter(slug, uid), json.dumps(route, sort_keys=True))
    return route


def application_role(tenant: Tenant, slot: SlotSpec) -> str:
    """As whom the application logs in to this slot: what its secret says, else the first of the two."""
    name = names.route_secret(names.Slug(tenant.slug), names.TenantUid(tenant.uid))
    cloud = world().ports.cloud
    if not cloud.secret_exists(name):
        return APPLICATION_ROLES[0]
    said = json.loads(cloud.read_secret(name))
    return str(said["username"]) if said.get("epoch") == slot.epoch else APPLICATION_ROLES[0]


@effect("forget_secrets", "scheduling the secrets' deletion")
def forget(operation_id: str) -> None:
    """With Secrets Manager's recovery window, so that a restore in the grace period finds them again."""
    found = subject.load(operation_id)
    tenant = found.the_tenant()
    cloud = world().ports.cloud
    for slot in (*found.slots, *found.beside):
        forget_logins(tenant, slot.epoch)
    cloud.delete_secret(names.route_secret(names.Slug(tenant.slug), names.TenantUid(tenant.uid)))


def forget_logins(tenant: Tenant, epoch: int) -> None:
    for role in ("master", *LOGIN_ROLES):
        world().ports.cloud.delete_secret(secret_of(tenant, epoch, role))


def endpoint_of(slot: SlotSpec) -> dict[str, Any]:
    found = world().ports.cloud.database(slot.identifier)
    if found is None or not found.endpoint or not found.port:
        raise Conflict(
            f"the database {slot.identifier} has no endpoint: it is {found.status if found else 'not there'}",
            hint="controlplane tenant explain SLUG",
        )
    ours = found.master_username == MASTER_USERNAME
    return {
        "host": found.endpoint,
        "port": found.port,
        "status": found.status,
        "database": found.database_name or (DATABASE_NAME if ours else _UNNAMED),
        "master": found.master_username or MASTER_USERNAME,
    }


def login(tenant: Tenant, slot: SlotSpec, role: str) -> Login:
    """How to log in to a slot as one of its roles; the password is read now and kept nowhere."""
    at = endpoint_of(slot)
    return Login(
        host=at["host"],
        port=at["port"],
        database=at["database"],
        username=at["master"] if role == "master" else role,
        password=world().ports.cloud.read_secret(secret_of(tenant, slot.epoch, role)),
        tls=world().tls,
    )
