"""The catalog rebuilt from AWS's tags and the rendered workspaces: what is missing is recorded, nothing else.

A row that is there is never changed: where it says otherwise than what was found, the difference is listed.
What neither tags nor workspaces hold (locations, users, payment) is as at birth, and is named as unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.migration.bluegreen import is_side_of
from controlplane.domain.tenant import Environment, Phase, Size, Stage, cost_tier
from controlplane.domain.workspace import SlotSpec
from controlplane.ports import DatabaseInstance
from controlplane.services.actor import Action, Actor
from controlplane.services.adoption import fleet
from controlplane.services.control import Control
from controlplane.store import audit, platforms, slots, tenants
from controlplane.store.tables import Platform, Tenant
from controlplane.store.tenants import rules

UNKNOWN = ("locations", "users", "paying", "sla", "sensitive", "display_name", "labels")
_COMPARED = ("size", "storage_gb", "multi_az", "backup_days")


@dataclass(frozen=True)
class Lost:
    """One tenant as AWS and its workspace show it."""

    uid: str
    slug: str
    blueprint: str
    databases: Mapping[int, DatabaseInstance]  # by epoch
    rendered: Mapping[str, Any] = field(default_factory=dict)  # the tfvars of its workspace


def rebuild(
    control: Control, actor: Actor, workspaces: Path, reason: str, *, dry_run: bool
) -> dict[str, Any]:
    """Answers what was found otherwise than recorded, and what was recorded now."""
    actor.require(Action.CHANGE_FLEET)
    there = fleet(control)
    found = list(_found(there, workspaces))
    items: list[dict[str, Any]] = []
    with control.db.read() as session:
        homes = platforms.every(session)
        for one in found:
            items += _differences(control, session, one, homes)
    missing = {item["tenant"] for item in items if item["recorded"] is None and not item["problem"]}
    if not dry_run:
        for one in found:
            if one.slug in missing:
                _record(control, actor, reason, one, homes)
    unknown = list(UNKNOWN) if missing else []
    return {
        "items": items,
        "unknown": unknown,
        "not_looked_into": list(_closed(control, there)),
        "dry_run": dry_run,
        "next_page_token": None,
    }


def _found(there: Sequence[DatabaseInstance], workspaces: Path) -> Iterator[Lost]:
    by_uid: dict[str, dict[int, DatabaseInstance]] = {}
    names = {one.identifier for one in there}
    for one in there:
        tags = one.tags
        if is_side_of(one.identifier, names):
            continue  # of a switchover: it has the epoch of the one that has the name
        if tags.get("managed-by") == "controlplane" and tags.get("uid") and tags.get("epoch", "").isdigit():
            by_uid.setdefault(tags["uid"], {})[int(tags["epoch"])] = one
    for uid, databases in sorted(by_uid.items()):
        tags = databases[max(databases)].tags
        rendered = _rendered(workspaces / f"tenant-{uid}" / "tenant.auto.tfvars.json")
        yield Lost(uid, tags.get("tenant", ""), tags.get("blueprint", ""), databases, rendered)


def _rendered(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text()))
    except (OSError, ValueError):
        return {}


def _closed(control: Control, there: Sequence[DatabaseInstance]) -> Iterator[dict[str, str]]:
    """Databases of ours whose tenants are schemas: AWS does not name these, so none is recorded."""
    shared = {blueprint.name for blueprint in control.catalog.blueprints.values() if blueprint.is_shared}
    for one in there:
        blueprint = one.tags.get("blueprint", "")
        if one.tags.get("managed-by") == "controlplane" and blueprint in shared:
            why = "its tenants are schemas, which AWS does not name: a backup of the catalog brings them back"
            yield {"identifier": one.identifier, "platform": blueprint, "why": why}


# --- comparing --------------------------------------------------------------------------------------


def _differences(
    control: Control, session: Session, lost: Lost, homes: Sequence[Platform]
) -> list[dict[str, Any]]:
    known = {row.epoch: row for row in slots.every(session, lost.uid)}
    items = []
    for epoch, instance in sorted(lost.databases.items()):
        row = known.get(epoch)
        if row is None:
            problem = _problem(control, session, lost, homes)
            items.append(_item(lost, instance, "database", None, instance.instance_class, problem))
            continue
        slot = _slot(control, lost, epoch, homes)
        if slot is not None:
            pairs = ((name, getattr(row, name), getattr(slot, name)) for name in _COMPARED)
            items += [_item(lost, instance, name, was, now, "") for name, was, now in pairs if was != now]
    return items


def _item(
    lost: Lost, instance: DatabaseInstance, what: str, recorded: Any, found: Any, problem: str
) -> dict[str, Any]:
    return {
        "id": instance.identifier,
        "tenant": lost.slug,
        "identifier": instance.identifier,
        "what": what,
        "recorded": None if recorded is None else str(recorded),
        "found": str(found),
        "problem": problem,
    }


def _problem(control: Control, session: Session, lost: Lost, homes: Sequence[Platform]) -> str:
    """Why it cannot be recorded by a machine; empty: it can."""
    if not lost.slug or not lost.blueprint:
        return "its tags name no tenant or no blueprint"
    there = tenants.find(session, lost.slug)
    if there is not None:
        return f"the name is another tenant's ({there.uid})" if there.uid != lost.uid else "a slot of it is"
    if len(lost.databases) > 1:
        return "it has several databases: which one its route points to stands in its SSM parameter"
    if _slot(control, lost, max(lost.databases), homes) is None:
        return "its class is no size of ours, or no recorded platform has its network and key"
    return ""


# --- recording --------------------------------------------------------------------------------------


def _slot(control: Control, lost: Lost, epoch: int, homes: Sequence[Platform]) -> SlotSpec | None:
    instance = lost.databases[epoch]
    size = next((s for s in Size if control.catalog.sizes[s].instance_class == instance.instance_class), None)
    home = _home(lost, instance, homes)
    if size is None or home is None:
        return None
    rendered = lost.rendered.get("slots", {}).get(f"e{epoch}", {})
    return SlotSpec(
        epoch=epoch,
        identifier=instance.identifier,
        size=size,
        storage_gb=instance.storage_gb,
        multi_az=instance.multi_az,
        backup_days=instance.backup_retention_days,
        protected=instance.deletion_protection,
        credential_version=int(rendered.get("credential_version", 1)),
        adopted=bool(rendered.get("adopted", False)),
        snapshot_identifier=rendered.get("snapshot_identifier"),
        kms_key_id=instance.kms_key_id,
        stage=Stage(instance.tags.get("stage", Stage.POC)),
        environment=Environment(home.environment),
    )


def _home(lost: Lost, instance: DatabaseInstance, homes: Sequence[Platform]) -> Platform | None:
    """The platform whose parameter group it has, else whose key."""
    mine = [row for row in homes if row.blueprint == lost.blueprint and row.outputs]
    for row in mine:
        groups = row.outputs.get("parameter_groups") or {}
        if instance.parameter_group in dict(groups).values():
            return row
    keyed = [row for row in mine if row.outputs.get("database_key_arn") == instance.kms_key_id]
    return keyed[0] if keyed else None


def _record(control: Control, actor: Actor, reason: str, lost: Lost, homes: Sequence[Platform]) -> None:
    epoch, now = max(lost.databases), control.now()
    slot, instance = _slot(control, lost, epoch, homes), lost.databases[epoch]
    home = _home(lost, instance, homes)
    if slot is None or home is None or slot.stage is None:
        return
    row = Tenant(
        uid=lost.uid,
        slug=lost.slug,
        stage=slot.stage.value,
        size=slot.size.value,
        region=home.region,
        cell=home.cell,
        blueprint=lost.blueprint,
        environment=home.environment,
        storage_gb=slot.storage_gb,
        phase=Phase.READY.value,
        phase_reason="rebuilt from AWS's tags",
        unverified=True,  # until somebody asks it: `tenant reconcile`
        epoch=epoch,
        endpoint=instance.endpoint or "",
        port=instance.port or 0,
        cost_tier=cost_tier(slot.stage, slot.size),
        created_at=instance.created_at or now,
        updated_at=now,
    )
    with control.db.write() as session:
        tenants.insert(session, row, {}, actor=actor.name)
        slots.save(session, lost.uid, slot, status="present")
        slots.record_resource(session, lost.uid, epoch, instance.resource_id)
        for environment, way_in in lost.rendered.get("access", {}).items():
            platform = platforms.find(session, lost.blueprint, environment, home.cell)
            if platform is not None:
                rules.keep(session, platform.workspace_id, lost.uid, int(way_in["priority"]))
        audit.append(
            session,
            at=now,
            actor=actor.name,
            action="catalog.rebuilt",
            subject=f"tenant/{lost.slug}",
            reason=reason,
            origin=actor.origin,
            after={"identifier": instance.identifier, "uid": lost.uid},
        )
