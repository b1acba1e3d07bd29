"""Migrations: what is asked before one is begun, ended or taken back. Answers the payload that is frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain import names
from controlplane.domain.desired import slot_to_json
from controlplane.domain.errors import Conflict, Missing, Refused
from controlplane.domain.migration import bluegreen, checklist
from controlplane.domain.migration.checklist import Item
from controlplane.domain.migration.states import FINAL, Flip, State, Strategy
from controlplane.domain.migration.windows import check_soaked
from controlplane.domain.operation import Kind, Status
from controlplane.domain.tenant import LADDER, Environment, Size, Stage, cost_tier, default_size
from controlplane.domain.workspace import SlotSpec
from controlplane.operations.rollback import LEFTOVER
from controlplane.services import cells
from controlplane.services.accept import invalid_field
from controlplane.services.control import Control
from controlplane.steps.replicating import is_armed, loses_since
from controlplane.steps.subject import slot_spec
from controlplane.store import moves, operations, platforms, slots
from controlplane.store.fleet import drills
from controlplane.store.moves import Migration
from controlplane.store.operations import OperationFilter
from controlplane.store.tables import Tenant

Payload = dict[str, Any]
_STAYING = frozenset({Strategy.IN_PLACE, Strategy.RDS_BLUE_GREEN})  # in their network, under their key
_COLUMNS = ("stage", "environment", "size", "storage_gb", "cost_tier")
_REMEMBERED = timedelta(days=30)  # what a person answered for in an earlier try
_DRILLED = timedelta(days=90)


def admit_upgrade(control: Control, session: Session, tenant: Tenant, body: Payload) -> Payload:
    """The whole upgrade, frozen: from where to where, and who answers for what."""
    strategy = Strategy(body["strategy"])
    _require_upgradable(session, tenant)
    source = _slot(session, tenant, tenant.epoch)
    size, storage = _target_size(tenant, source, body, may_shrink=strategy is Strategy.LOGICAL_REPLICATION)
    spec = {"stage": "production", "environment": "production", "size": size.value, "storage_gb": storage}
    after = {**spec, "cost_tier": cost_tier(Stage.PRODUCTION, size)}
    answers = _answers(control, session, tenant, body, strategy)
    if strategy is Strategy.RDS_BLUE_GREEN:
        _require_switchable(tenant, source, answers)
    if strategy is not Strategy.IN_PLACE:
        cells.check_move(control, session, tenant, storage)
    _platform(session, tenant, Environment.PRODUCTION)  # it belongs there from then on, wherever it lies
    if strategy in _STAYING:
        seeded: Payload = {"slot": _grown(control, source, size, storage)}
    else:
        seeded = _elsewhere(control, session, tenant, source, size, storage)
    if strategy is Strategy.LOGICAL_REPLICATION:  # born empty: the rows follow
        seeded = {"slot": replace(seeded["slot"], snapshot_identifier=None), "copied_from": ""}
    checklist.require(tenant.slug, answers)
    return {
        **body,
        **seeded,
        "slot": slot_to_json(seeded["slot"]),
        "variant": strategy.value,
        "source_epoch": source.epoch,
        "before": {name: getattr(tenant, name) for name in _COLUMNS},
        "after": after,
        "checklist": [{**a.to_json(), "at": control.now().isoformat()} for a in answers],
    }


def _require_upgradable(session: Session, tenant: Tenant) -> None:
    if tenant.stage == Stage.PRODUCTION:
        raise Conflict(
            f"{tenant.slug} is in production already",
            hint=f"a larger one: controlplane tenant resize {tenant.slug} --size SIZE",
        )
    open_one = moves.current(session, tenant.uid)
    if open_one is not None:
        raise Conflict(f"{tenant.slug} is moving already: {open_one.state}", hint=_show(tenant))
    others = [row for row in slots.present(session, tenant.uid) if row.epoch != tenant.epoch]
    if others:
        raise Conflict(
            f"{tenant.slug} still has e{others[0].epoch} of an earlier try",
            hint=f"controlplane migration rollback {tenant.slug} removes it",
        )
    if tenant.unverified:
        raise Refused(
            f"{tenant.slug} does not answer from its cell: what cannot be reached cannot be verified",
            hint="controlplane doctor",
        )


def _require_switchable(tenant: Tenant, source: SlotSpec, answers: Sequence[checklist.Answer]) -> None:
    """Refused before anything is looked at in AWS, with what comes closest."""
    if source.adopted:
        raise Refused(
            f"{tenant.slug} was adopted, and no login to it is known: nothing could be fenced or compared",
            hint=f"take it over first: controlplane tenant rotate {tenant.slug} --what master",
        )
    if any(one.item is Item.STAYS_IN_NETWORK and not one.met for one in answers):
        raise Refused(
            f"upgrading {tenant.slug} by rds_blue_green: RDS makes the new side in the network and under the "
            f"key of {source.environment or tenant.environment}, and nobody has said that it may stay there",
            hint=f"where it may: --acknowledge {Item.STAYS_IN_NETWORK}; --strategy logical_replication takes "
            "it to production's network and closes the application out for seconds, with a way back; "
            "--strategy in_place stays, too, for an outage of a minute or two",
        )


def _slot(session: Session, tenant: Tenant, epoch: int) -> SlotSpec:
    return slot_spec(slots.get(session, tenant.uid, epoch))


def _target_size(tenant: Tenant, source: SlotSpec, body: Payload, *, may_shrink: bool) -> tuple[Size, int]:
    """What was asked for, else what the customer's class needs and never less than there is."""
    mapped = default_size(Stage.PRODUCTION, tenant.locations, tenant.users)
    size = Size(body["size"]) if body.get("size") else max(mapped, source.size, key=LADDER.index)
    if size is Size.MICRO and not tenant.rightsizing_decision:
        raise invalid_field("size", "micro in production needs a recorded right-sizing decision; use small")
    storage = int(body.get("storage_gb") or source.storage_gb)
    if storage < source.storage_gb and not may_shrink:
        said = f"storage never shrinks: {source.storage_gb} GB are there; --strategy logical_replication may"
        raise invalid_field("storage_gb", said)
    return size, storage


def _grown(control: Control, source: SlotSpec, size: Size, storage: int) -> SlotSpec:
    """The same database on the platform where it is, kept as production is."""
    kept = control.catalog.stages[Stage.PRODUCTION]
    return replace(
        source,
        size=size,
        storage_gb=storage,
        multi_az=kept.multi_az,
        backup_days=kept.backup_days,
        credential_write=False,
        stage=Stage.PRODUCTION,
        environment=source.environment or Environment.DEVELOPMENT,
    )


def _elsewhere(
    control: Control, session: Session, tenant: Tenant, source: SlotSpec, size: Size, storage: int
) -> Payload:
    """A new database on the production platform, from a snapshot under that platform's key."""
    home = _platform(session, tenant, Environment.PRODUCTION)
    left = source.environment or Environment(tenant.environment)
    old_key = source.kms_key_id or str(_platform(session, tenant, left)["database_key_arn"])
    new_key = str(home["database_key_arn"])
    epoch = max(row.epoch for row in slots.every(session, tenant.uid)) + 1
    kept = control.catalog.stages[Stage.PRODUCTION]
    slug, uid = names.Slug(tenant.slug), names.TenantUid(tenant.uid)
    taken = f"{source.identifier}-to-e{epoch}"
    moves_key = old_key != new_key
    slot = SlotSpec(
        epoch=epoch,
        identifier=names.database_identifier(slug, uid, epoch),
        size=size,
        storage_gb=storage,
        multi_az=kept.multi_az,
        backup_days=kept.backup_days,
        credential_write=True,
        snapshot_identifier=f"{taken}-copy" if moves_key else taken,
        kms_key_id=new_key,
        engine_version=source.engine_version,
        stage=Stage.PRODUCTION,
        environment=Environment.PRODUCTION,
    )
    return {"slot": slot, "copied_from": taken if moves_key else ""}


def _platform(session: Session, tenant: Tenant, environment: Environment) -> Mapping[str, Any]:
    found = platforms.find(session, tenant.blueprint, environment.value, tenant.cell)
    if found is None or not found.outputs or found.region != tenant.region:
        raise Missing(
            f"the platform {tenant.blueprint} is not there in {environment} "
            f"(cell {tenant.cell}, {tenant.region}): {tenant.slug} has nowhere to go",
            hint=f"controlplane blueprint apply {tenant.blueprint} --environment {environment}",
        )
    return found.outputs


def _answers(
    control: Control, session: Session, tenant: Tenant, body: Payload, strategy: Strategy
) -> list[checklist.Answer]:
    extra = (Item.STAYS_IN_NETWORK,) if strategy in _STAYING else ()
    said = {**_remembered(control, session, tenant), **{Item(item): "" for item in body["acknowledge"]}}
    wanted = (*checklist.EVERY_UPGRADE, *extra)
    person = body.get("asked_by", "")
    return checklist.answers(wanted, _seen(control, session, tenant), said, person)


def _seen(control: Control, session: Session, tenant: Tenant) -> dict[Item, str]:
    """What a machine can answer for."""
    alarms = len(control.catalog.alarms)
    found = {Item.ALARMS: f"{alarms} alarms are made with the new database and sent to the platform's topic"}
    wanted = OperationFilter(tenant_uid=tenant.uid, kind=Kind.RESTORE.value, status=Status.SUCCEEDED.value)
    drilled = drills.last_ended(session, tenant.uid, Status.SUCCEEDED)
    for row in (*operations.page(session, wanted, None, 1), drilled):
        if row and row.ended_at and control.now() - row.ended_at <= _DRILLED:
            said = f"{row.kind} {row.id} succeeded {row.ended_at:%Y-%m-%d}"
            found |= {Item.BACKUP_TESTED: said, Item.RECOVERY_TESTED: said}
    return found


def _remembered(control: Control, session: Session, tenant: Tenant) -> dict[Item, str]:
    """Whoever answered for it in an earlier try of the last days."""
    last = moves.latest(session, tenant.uid)
    said = last.checklist if last is not None else []
    return {
        Item(entry["item"]): str(entry["by"])
        for entry in said
        if entry["by"] not in ("", "machine")
        and control.now() - datetime.fromisoformat(entry["at"]) <= _REMEMBERED
    }


def admit_finalize(control: Control, session: Session, tenant: Tenant, body: Payload, reason: str) -> Payload:
    row = row_of(session, tenant)
    if row.state not in (State.SOAKING, State.FINALIZING) or row.opened_at is None:
        raise Conflict(
            f"{tenant.slug} has nothing to finalize: its migration is {row.state}", hint=_show(tenant)
        )
    if row.state == State.SOAKING:
        override = bool(body.get("override"))
        check_soaked(tenant.slug, row.opened_at, control.now(), override=override, reason=reason)
    variant = {"variant": bluegreen.VARIANT} if _old_side(session, tenant) else {}
    return {**body, **variant, "migration": row.id, "leaving": row.from_epoch, "removed_in": 1}


def _old_side(session: Session, tenant: Tenant) -> SlotSpec | None:
    """What a switchover left, as long as Terraform knows nothing of it."""
    found = [slot_spec(row) for row in slots.beside(session, tenant.uid)]
    return found[0] if found else None


def admit_rollback(session: Session, tenant: Tenant, body: Payload) -> Payload:
    """Past OPEN it gives up what was written since, unless that was sent back; what an earlier try left
    is simply removed."""
    row = row_of(session, tenant)
    leftover = {slot.epoch for slot in slots.present(session, tenant.uid)} - {tenant.epoch}
    if State(row.state) in FINAL and leftover:
        epoch = min(leftover)
        return {**body, "variant": LEFTOVER, "migration": row.id, "leaving": epoch, "removed_in": 1}
    if row.flip not in (Flip.FLIPPED, Flip.RETURNING) or row.state == State.FINALIZING:
        raise Conflict(
            f"{tenant.slug} has no way back to take: its migration is {row.state}", hint=_show(tenant)
        )
    if not body.get("accept_loss") and not is_armed(row):
        since = loses_since(row) or "its switch"
        raise Refused(
            f"going back gives up everything that {tenant.slug} has written since {since}: how much that is "
            "is counted once both databases are closed",
            hint=f"controlplane migration rollback {tenant.slug} --accept-loss",
            details={"since": since},
        )
    old = _old_side(session, tenant)
    leaving = {"migration": row.id, "leaving": row.to_epoch, "removed_in": 2}
    if old is None:
        return {**body, **leaving}
    taken = slot_to_json(replace(old, credential_write=True))
    again = {"removed_in": 3, "slot": taken, "after": row.before}
    return {**body, **leaving, **again, "variant": bluegreen.VARIANT}


def require_nothing_sent_back(session: Session, tenant: Tenant) -> None:
    """Rows are sent back with cp_control's password: with another one the way back would end unseen."""
    row = moves.current(session, tenant.uid)
    if row is not None and is_armed(row):
        raise Conflict(
            f"{tenant.slug} soaks, and what it writes is sent back with cp_control's password",
            hint=f"when it has soaked: controlplane migration finalize {tenant.slug}",
        )


def require_no_old_side(session: Session, tenant: Tenant) -> None:
    """RDS stops no side of a deployment, and the one that was left would go on and cost."""
    old = _old_side(session, tenant)
    if old is not None:
        raise Conflict(
            f"{tenant.slug} soaks, and {old.identifier} is kept beside it: RDS stops neither",
            hint=f"when it has soaked: controlplane migration finalize {tenant.slug}",
        )


def row_of(session: Session, tenant: Tenant) -> Migration:
    row = moves.current(session, tenant.uid) or moves.latest(session, tenant.uid)
    if row is None:
        raise Missing(f"{tenant.slug} has never moved", hint=f"controlplane tenant upgrade {tenant.slug}")
    return row


def _show(tenant: Tenant) -> str:
    return f"controlplane migration show {tenant.slug}"
