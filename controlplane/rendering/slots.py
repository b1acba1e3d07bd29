"""A slot's decisions: from stage and size to what RDS is told. Each of them is visible in the tfvars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controlplane.catalog import AlarmRule, Catalog, DatabaseSize
from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.names import (
    Slug,
    TenantUid,
    database_identifier,
    final_snapshot_identifier,
    secret_name,
)
from controlplane.domain.tenant import TenantSpec, cost_tier
from controlplane.domain.workspace import DATABASE_NAME, MASTER_USERNAME, SlotSpec, TenantWorkspace
from controlplane.rendering.shapes import MapOf, Maybe

ALARM_SHAPE = {"metric": str, "comparison": str, "threshold": int, "minutes": int}
SLOT_SHAPE = {
    "epoch": int,
    "stage": str,
    "cost_tier": str,
    "identifier": str,
    "final_snapshot_identifier": str,
    "instance_class": str,
    "engine_version": str,
    "parameter_group": str,
    "storage_gb": int,
    "max_storage_gb": int,
    "multi_az": bool,
    "backup_days": int,
    "log_days": int,
    "protected": bool,
    "database_name": str,
    "master_username": str,
    "master_secret": str,
    "credential_version": int,
    "credential_write": bool,
    "adopted": bool,
    "snapshot_identifier": Maybe(str),
    "backup_source": Maybe(str),
    "backup_time": Maybe(str),
    "kms_key_arn": str,
    "alarms": MapOf(ALARM_SHAPE),
}
_COMPARISONS = {"above": "GreaterThanThreshold", "below": "LessThanThreshold"}


def slot_for(spec: TenantSpec, slug: Slug, uid: TenantUid, epoch: int, catalog: Catalog) -> SlotSpec:
    """The slot of a database that is to be born: its gate is open, so that it gets its password."""
    tier = catalog.stages[spec.stage]
    return SlotSpec(
        epoch=epoch,
        identifier=database_identifier(slug, uid, epoch),
        size=spec.size,
        storage_gb=spec.storage_gb,
        multi_az=tier.multi_az,
        backup_days=tier.backup_days,
        credential_write=True,
        stage=spec.stage,
        environment=spec.environment,
    )


def max_storage_gb(slot: SlotSpec, workspace: TenantWorkspace, catalog: Catalog) -> int:
    """Autoscaling may double the storage, and may always reach the stage's ceiling."""
    wanted = max(catalog.stages[workspace.stage_of(slot)].storage_ceiling_gb, 2 * slot.storage_gb)
    return min(wanted, catalog.storage.most_gb)


def slot_values(slot: SlotSpec, workspace: TenantWorkspace, catalog: Catalog) -> dict[str, Any]:
    """The slot as Terraform gets it."""
    _check(slot, catalog)
    size, stage = catalog.sizes[slot.size], workspace.stage_of(slot)
    engine_version = slot.engine_version or catalog.engine.default_major
    return {
        "epoch": slot.epoch,
        "stage": stage.value,
        "cost_tier": cost_tier(stage, slot.size),
        "identifier": slot.identifier,
        "final_snapshot_identifier": final_snapshot_identifier(workspace.slug, workspace.uid, slot.epoch),
        "instance_class": size.instance_class,
        "engine_version": engine_version,
        "parameter_group": _parameter_group(engine_version, size, workspace.home_of(slot)),
        "storage_gb": slot.storage_gb,
        "max_storage_gb": max_storage_gb(slot, workspace, catalog),
        "multi_az": slot.multi_az,
        "backup_days": slot.backup_days,
        "log_days": catalog.stages[stage].log_days,
        "protected": slot.protected,
        "database_name": DATABASE_NAME,
        "master_username": MASTER_USERNAME,
        "master_secret": secret_name(workspace.slug, workspace.uid, slot.epoch, "master"),
        "credential_version": slot.credential_version,
        "credential_write": slot.credential_write,
        "adopted": slot.adopted,
        "snapshot_identifier": slot.snapshot_identifier,
        "backup_source": slot.backup_source,
        "backup_time": slot.backup_time,
        # A restored database keeps its snapshot's key, whatever the platform's is now.
        "kms_key_arn": slot.kms_key_id or workspace.home_of(slot).get("database_key_arn"),
        "alarms": {r.name: alarm_values(r, slot, size) for r in catalog.alarms} if slot.alarms else {},
    }


def alarm_values(rule: AlarmRule, slot: SlotSpec, size: DatabaseSize) -> dict[str, Any]:
    return {
        "metric": rule.metric,
        "comparison": _COMPARISONS[rule.side],
        "threshold": rule.threshold(size, slot.storage_gb),
        "minutes": rule.minutes,
    }


def _parameter_group(engine_version: str, size: DatabaseSize, home: Mapping[str, object]) -> str:
    major = engine_version.partition(".")[0]
    if major not in size.engine_majors:
        raise _misfit(
            "engine_version", engine_version, f"{size.instance_class} runs {', '.join(size.engine_majors)}"
        )
    groups = home.get("parameter_groups")
    offered = groups if isinstance(groups, dict) else {}
    if major not in offered:
        raise _misfit(
            "engine_version",
            engine_version,
            f"the platform has parameter groups for {', '.join(sorted(offered)) or 'no major'}",
        )
    return str(offered[major])


def _check(slot: SlotSpec, catalog: Catalog) -> None:
    least, most = catalog.storage.least_gb, catalog.storage.most_gb
    # A tenth is left at the top: the ceiling of autoscaling lies above the storage.
    if not least <= slot.storage_gb <= most * 10 // 11:
        raise _misfit("storage_gb", slot.storage_gb, f"{least} to {most * 10 // 11} GB")
    if slot.adopted and slot.credential_write:
        raise _misfit("credential_write", True, "an adopted database keeps its password until it is rotated")
    if slot.epoch < 1:
        raise _misfit("epoch", slot.epoch, "epochs count from 1")


def _misfit(field: str, value: object, allowed: str) -> Invalid:
    return Invalid(f"slot.{field} is {value!r}: {allowed}", errors=[FieldError(f"slot.{field}", allowed)])
