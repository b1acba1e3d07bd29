"""A database that somebody else made: what it is becomes what is wanted, and Terraform imports it."""

from __future__ import annotations

from typing import Any

from controlplane.domain.errors import Conflict, Refused
from controlplane.domain.names import slot_key
from controlplane.domain.tenant import Size, Stage, cost_tier
from controlplane.domain.workspace import SlotSpec
from controlplane.ports import DatabaseInstance
from controlplane.steps import subject
from controlplane.steps.story import effect, say
from controlplane.steps.world import world
from controlplane.store import operations, slots, tenants
from controlplane.store.tables import Tenant

_EXTENDED = (
    "{} was made with Extended Support: it costs once its engine's end of life has come, and is ended by"
    " nothing but a move to another database"
)
_LOGS = ("postgresql", "upgrade")  # exports whose groups the module manages


@effect("inspect_database", "looking at the database that is to be taken over")
def inspect(operation_id: str) -> dict[str, Any]:
    """Recorded as it is, so that the first plan changes as little as can be. Nothing in AWS is touched."""
    found = subject.load(operation_id)
    tenant, payload = found.the_tenant(), found.payload
    instance = _instance(tenant, payload["identifier"])
    size = Size(payload["size"]) if payload.get("size") else _size(instance)
    slot = _slot(tenant, instance, size)
    here = world()
    with here.db.write() as session:
        _require_free(session, tenant, instance.identifier)
        if slot.epoch not in found.there:
            slots.forget_wanted(session, tenant.uid)
            slots.save(session, tenant.uid, slot, status="wanted")
        spec = {"size": size.value, "storage_gb": slot.storage_gb}
        spec["cost_tier"] = cost_tier(Stage(tenant.stage), size)
        by = found.operation.requested_by
        tenants.change(session, tenant.uid, spec, actor=by, operation_id=operation_id, now=here.now())
        operations.note(session, operation_id, imports=_imports(slot, instance))
    if instance.extended_support:
        say(operation_id, "warning", _EXTENDED.format(instance.identifier))
    return {"class": instance.instance_class, "storage_gb": instance.storage_gb, "size": size.value}


def _instance(tenant: Tenant, identifier: str) -> DatabaseInstance:
    instance = world().ports.cloud.database(identifier)
    if instance is None:
        raise Refused(
            f"there is no database {identifier} in {tenant.region}",
            hint="controlplane tenant adopt --discover",
        )
    if instance.engine not in ("", "postgres"):
        raise Refused(f"{identifier} is {instance.engine}; only PostgreSQL is taken over")
    owner = instance.tags.get("uid") if instance.tags.get("managed-by") == "controlplane" else None
    if owner not in (None, tenant.uid):
        raise Refused(
            f"{identifier} belongs to the tenant {instance.tags.get('tenant', owner)} of a control plane",
            hint="controlplane catalog orphans",
        )
    if instance.status != "available":
        raise Conflict(
            f"{identifier} is {instance.status}: it is taken over when it is available",
            hint="start it, or wait, then: controlplane operation retry ID",
        )
    return instance


def _size(instance: DatabaseInstance) -> Size:
    sizes = world().catalog.sizes
    for size in Size:
        if sizes[size].instance_class == instance.instance_class:
            return size
    ladder = ", ".join(f"{size} ({sizes[size].instance_class})" for size in Size)
    raise Refused(
        f"{instance.identifier} is {instance.instance_class}, which is no size of ours",
        hint=f"say --size, and its class is changed with the takeover: {ladder}",
    )


def _slot(tenant: Tenant, instance: DatabaseInstance, size: Size) -> SlotSpec:
    catalog, stage = world().catalog, Stage(tenant.stage)
    tier = catalog.stages[stage]
    return SlotSpec(
        epoch=tenant.epoch,
        identifier=instance.identifier,
        size=size,
        storage_gb=max(instance.storage_gb, catalog.storage.least_gb),
        multi_az=instance.multi_az or tier.multi_az,
        backup_days=max(instance.backup_retention_days, tier.backup_days),
        adopted=True,
        kms_key_id=instance.kms_key_id,
        engine_version=instance.engine_version.partition(".")[0],
        stage=stage,
    )


def _require_free(session: Any, tenant: Tenant, identifier: str) -> None:
    holder = slots.holder_of(session, identifier)
    if holder not in (None, tenant.uid):
        raise Refused(
            f"{identifier} is the database of {tenants.by_uid(session, str(holder)).slug} already",
            hint="controlplane tenant list",
        )


def _imports(slot: SlotSpec, instance: DatabaseInstance) -> list[list[str]]:
    """The instance, and the log groups that its exports have made."""
    module = f'module.database["{slot_key(slot.epoch)}"]'
    found = [[f"{module}.aws_db_instance.this", instance.identifier]]
    return found + [
        [f'{module}.aws_cloudwatch_log_group.this["{log}"]', f"/aws/rds/instance/{instance.identifier}/{log}"]
        for log in _LOGS
        if log in instance.log_exports
    ]
