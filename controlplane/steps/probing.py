"""Is it really there? What AWS says of a database, and what the database itself answers."""

from __future__ import annotations

import time
from typing import Any

from controlplane.domain.errors import Conflict, Unavailable
from controlplane.domain.workspace import SlotSpec
from controlplane.ports import DatabaseInstance
from controlplane.steps import subject
from controlplane.steps.credentials import application_role, login
from controlplane.steps.story import effect, say
from controlplane.steps.world import world
from controlplane.store import tenants

_CONVERGE_SECONDS = 1800
_BROKEN = (
    "failed",
    "incompatible-network",
    "incompatible-parameters",
    "storage-full",
    "inaccessible-encryption-credentials",
)


@effect("converge", "waiting until RDS holds nothing back")
def converge(operation_id: str) -> dict[str, Any]:
    """Applied is not done: RDS may still hold pending values. Reads only."""
    found = subject.load(operation_id)
    return await_settled(found, found.route_slot())


def await_settled(found: subject.Subject, slot: SlotSpec) -> dict[str, Any]:
    """Until the slot's database is available and nothing waits for a reboot or a window."""
    deadline = time.monotonic() + _CONVERGE_SECONDS
    while True:
        instance = world().ports.cloud.database(slot.identifier)
        if instance is None:
            raise Conflict(
                f"the database {slot.identifier} is not there after its apply", hint="operation settle"
            )
        if instance.status in _BROKEN:
            raise Conflict(f"the database {slot.identifier} is {instance.status}")
        if instance.status == "available" and not instance.pending:
            return _observed(instance)
        if time.monotonic() > deadline:
            raise Conflict(
                f"the database {slot.identifier} is {instance.status} and still holds back "
                f"{sorted(instance.pending)} after {_CONVERGE_SECONDS} s",
                hint=f"controlplane tenant reconcile {found.operation.tenant_slug}",
            )
        time.sleep(world().poll_seconds)


def _observed(instance: DatabaseInstance) -> dict[str, Any]:
    return {
        "identifier": instance.identifier,
        "class": instance.instance_class,
        "storage_gb": instance.storage_gb,
        "multi_az": instance.multi_az,
        "engine_version": instance.engine_version,
        "endpoint": instance.endpoint,
        "port": instance.port,
    }


@effect("probe", "asking the database as the application would")
def probe(operation_id: str) -> dict[str, Any]:
    """A real query with the application's credentials; that it can't be reached is said, not hidden."""
    found = subject.load(operation_id)
    tenant, slot = found.the_tenant(), found.route_slot()
    if slot.adopted:
        detail = f"no login is known: controlplane tenant rotate {tenant.slug} --what master"
        return {"reachable": False, "detail": detail, "server_version": "", "latency_ms": 0}
    answer = world().ports.database.probe(login(tenant, slot, application_role(tenant, slot)))
    if not answer.reachable:
        say(operation_id, "warning", f"the database does not answer from this cell: {answer.detail}")
    return {
        "reachable": answer.reachable,
        "detail": answer.detail,
        "server_version": answer.server_version,
        "latency_ms": answer.latency_ms,
    }


@effect("record_endpoint", "recording where the database is")
def record_endpoint(operation_id: str, route: dict[str, Any], reachable: bool) -> None:
    here = world()
    with here.db.write() as session:
        found = subject.read(session, operation_id)
        tenants.set_route(
            session,
            found.the_tenant().uid,
            endpoint=route["host"],
            port=route["port"],
            epoch=route["epoch"],
            unverified=not reachable,
            now=here.now(),
        )


@effect("record_reach", "recording whether it answers")
def record_reach(operation_id: str, reachable: bool) -> None:
    """Where it is did not change."""
    here = world()
    with here.db.write() as session:
        tenant = subject.read(session, operation_id).the_tenant()
        tenants.set_route(
            session,
            tenant.uid,
            endpoint=tenant.endpoint,
            port=tenant.port,
            epoch=tenant.epoch,
            unverified=not reachable,
            now=here.now(),
        )


def canary(operation_id: str) -> dict[str, Any]:
    """What answered before is asked again: a tenant that stopped answering is not as it was."""
    answer = probe(operation_id)
    record_reach(operation_id, answer["reachable"])
    return {"probe": answer}


@effect("require_gone", "making sure that nothing is left")
def require_gone(operation_id: str) -> None:
    """After a destroy: AWS is asked, not only the state."""
    found = subject.load(operation_id)
    for slot in (*found.slots, *found.beside):
        require_absent(operation_id, slot)


def require_absent(operation_id: str, slot: SlotSpec) -> None:
    left = world().ports.cloud.database(slot.identifier)
    if left is not None and left.status == "deleting":
        raise Unavailable(f"the database {slot.identifier} is still being deleted")
    if left is not None:
        raise Conflict(
            f"the database {slot.identifier} is still there ({left.status}) after it was removed",
            hint=f"controlplane operation settle {operation_id}",
        )
