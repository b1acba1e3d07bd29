"""New passwords: first in Secrets Manager, then in the database, so that a step run again heals itself.

The application has two logins and uses one. The idle one gets a new password and is tried; the route is
pointed at it; only then the other one's password is taken away. Sessions that are open stay open.
"""

from __future__ import annotations

import secrets as randomness

from controlplane.domain.errors import Conflict, Unavailable
from controlplane.domain.workspace import SlotSpec
from controlplane.steps import subject
from controlplane.steps.credentials import (
    APPLICATION_ROLES,
    application_role,
    login,
    new_password,
    secret_of,
)
from controlplane.steps.story import effect
from controlplane.steps.world import world
from controlplane.store.tables import Tenant


@effect("check_logins", "trying the logins that rotate")
def check_logins(operation_id: str) -> None:
    """Before anything is changed: we have to get in."""
    found = subject.load(operation_id)
    admin = "master" if found.payload["variant"] == "control" else "cp_control"
    _require_in(found.the_tenant(), found.route_slot(), admin)


@effect("renew_idle_login", "giving the idle login a new password")
def renew_idle(operation_id: str) -> dict[str, str]:
    """The route still names the other one: until it is pointed, running this again changes nothing else."""
    found = subject.load(operation_id)
    tenant, slot = found.the_tenant(), found.route_slot()
    active = application_role(tenant, slot)
    idle = next(role for role in APPLICATION_ROLES if role != active)
    _renew(operation_id, tenant, slot, idle, "cp_control")
    return {"active": active, "idle": idle}


@effect("retire_login", "taking the old password away")
def retire(operation_id: str, role: str) -> None:
    """From here on the old password is refused, which is tried."""
    found = subject.load(operation_id)
    tenant, slot = found.the_tenant(), found.route_slot()
    old = login(tenant, slot, role)
    _renew(operation_id, tenant, slot, role, "cp_control")
    if world().ports.database.probe(old).reachable:
        raise Conflict(f"the old password of {role} still opens {slot.identifier}", hint="rotate again")


@effect("renew_control", "giving cp_control a new password")
def renew_control(operation_id: str) -> None:
    found = subject.load(operation_id)
    _renew(operation_id, found.the_tenant(), found.route_slot(), "cp_control", "master")


@effect("write_master", "writing a new master password")
def write_master(operation_id: str) -> None:
    """The next apply brings it to the database; each apply that is tried gets one of its own."""
    found = subject.load(operation_id)
    tenant, slot = found.the_tenant(), found.route_slot()
    name = secret_of(tenant, slot.epoch, "master")
    world().ports.cloud.write_secret(name, new_password(), _token(operation_id))


@effect("try_master", "trying the new master password")
def try_master(operation_id: str) -> None:
    found = subject.load(operation_id)
    _require_in(found.the_tenant(), found.route_slot(), "master")


def _renew(operation_id: str, tenant: Tenant, slot: SlotSpec, role: str, admin: str) -> None:
    ports, password = world().ports, new_password()
    ports.cloud.write_secret(secret_of(tenant, slot.epoch, role), password, _token(operation_id))
    ports.database.set_password(login(tenant, slot, admin), role, password)
    _require_in(tenant, slot, role)


def _require_in(tenant: Tenant, slot: SlotSpec, role: str) -> None:
    answer = world().ports.database.probe(login(tenant, slot, role))
    if not answer.reachable:
        raise Unavailable(
            f"{role} cannot log in to {slot.identifier}: {answer.detail}",
            hint=f"controlplane tenant reconcile {tenant.slug}, which brings the logins to their secrets",
        )


def _token(operation_id: str) -> str:
    """A value of its own for each try: nobody has used it yet, since the database comes after it."""
    return f"{operation_id}-{randomness.token_hex(4)}"
