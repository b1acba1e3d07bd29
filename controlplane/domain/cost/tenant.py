"""What a tenant's own workspace costs: its databases, secrets, alarms, backups, snapshots, logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from controlplane.domain.cost import components
from controlplane.domain.cost.book import Rates
from controlplane.domain.cost.components import Database
from controlplane.domain.cost.estimate import ZERO, Estimate, Line, charge, check_numbers
from controlplane.domain.cost.model import CostModel
from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.tenant import TenantSpec
from controlplane.domain.workspace import SlotSpec

STAGES = ("poc", "production")


@dataclass(frozen=True, slots=True)
class TenantShape:
    """One database of a tenant with what hangs on it; None means: as the plan for its stage says."""

    size: str
    stage: str = "poc"
    storage_gb: int = 20
    multi_az: bool | None = None
    running: bool = True
    backup_gb: Decimal | None = None  # all that is kept, measured; as much as the storage is free
    snapshot_gb: Decimal = ZERO
    log_gb: Decimal = ZERO
    log_months: Decimal = ZERO
    insights_days: int = 7
    alarms: int | None = None
    secrets: int | None = None
    proxy: bool = False
    replicas: int = 0


def shape_of(spec: TenantSpec) -> TenantShape:
    return TenantShape(size=spec.size.value, stage=spec.stage.value, storage_gb=spec.storage_gb)


def shape_of_slot(slot: SlotSpec, stage: str, *, running: bool = True) -> TenantShape:
    return TenantShape(
        size=slot.size.value,
        stage=slot.stage.value if slot.stage else stage,
        storage_gb=slot.storage_gb,
        multi_az=slot.multi_az,
        running=running,
        alarms=None if slot.alarms else 0,
        backup_gb=None if slot.backup_days else ZERO,
    )


def check_shape(model: CostModel, shape: TenantShape) -> None:
    """Refuse what cannot be, naming the field."""
    model.size(shape.size)
    if shape.stage not in STAGES:
        message = f"there is no stage {shape.stage!r}: use poc or production"
        raise Invalid(message, errors=[FieldError("stage", f"unknown: {shape.stage!r}")])
    check_numbers(
        storage_gb=shape.storage_gb,
        backup_gb=shape.backup_gb,
        snapshot_gb=shape.snapshot_gb,
        log_gb=shape.log_gb,
        log_months=shape.log_months,
        insights_days=shape.insights_days,
        alarms=shape.alarms,
        secrets=shape.secrets,
        replicas=shape.replicas,
    )


def estimate_tenant(model: CostModel, rates: Rates, shape: TenantShape, subject: str = "") -> Estimate:
    """One tenant, one database: the steady state."""
    check_shape(model, shape)
    lines = _slot_lines(model, rates, shape)
    lines += components.secrets(rates, _secrets(model, shape))
    return Estimate(_named(lines, subject), rates.book, rates.region)


def estimate_slots(model: CostModel, rates: Rates, slots: Sequence[tuple[str, TenantShape]]) -> Estimate:
    """A tenant with several databases, as during a migration: (slot key, shape) each."""
    lines: list[Line] = []
    for key, shape in slots:
        check_shape(model, shape)
        own = _slot_lines(model, rates, shape)
        count = model.tenant.secrets_per_slot if shape.secrets is None else shape.secrets
        lines += _named([*own, *components.secrets(rates, count)], key)
    if slots:
        lines += components.secrets(rates, model.tenant.secrets_per_tenant)
    return Estimate(tuple(lines), rates.book, rates.region)


def estimate_schema(rates: Rates) -> Estimate:
    """A tenant that is a schema of a shared database adds its secret. What it takes of the database is in the
    platform's cost, which is the same with one tenant more."""
    note = "its share of the platform is in the platform's cost"
    return Estimate(tuple(components.secrets(rates, 1)), rates.book, rates.region, note)


def _slot_lines(model: CostModel, rates: Rates, shape: TenantShape) -> list[Line]:
    facts, plan = model.sizes[shape.size], model.tenant
    multi_az = plan.multi_az[shape.stage] if shape.multi_az is None else shape.multi_az
    db = Database(facts.instance_class, multi_az, shape.storage_gb, shape.running, shape.stage)
    lines = components.database(rates, db)
    lines += components.backup(rates, _billed_backup(model, shape))
    alarms = plan.alarms_per_slot if shape.alarms is None else shape.alarms
    lines.append(
        charge("alarms", Decimal(alarms), "alarm-month", rates["cloudwatch.alarm"], "alarms of the database")
    )
    return lines + _extras(model, rates, shape, db)


def _extras(model: CostModel, rates: Rates, shape: TenantShape, db: Database) -> list[Line]:
    vcpu = model.sizes[shape.size].vcpu
    lines: list[Line] = []
    if shape.snapshot_gb:
        lines += components.snapshots(rates, shape.snapshot_gb)
    if shape.log_gb:
        lines += components.logs(rates, shape.log_gb)
        lines += components.kept_logs(rates, shape.log_gb, shape.log_months)
    lines += components.insights(rates, model.free, vcpu, shape.insights_days)
    if shape.proxy:
        lines += components.proxy(rates, vcpu)
    if shape.replicas:
        single = Database(db.instance_class, False, db.storage_gb, db.running)
        lines += [
            replace(x, component="rds_replica") for x in components.database(rates, single, shape.replicas)
        ]
    return lines


def _billed_backup(model: CostModel, shape: TenantShape) -> Decimal:
    """Measured backups beyond the storage's own size, or what is planned for the stage."""
    if shape.backup_gb is None:
        return Decimal(model.tenant.billed_backup_gb[shape.stage])
    return max(ZERO, shape.backup_gb - shape.storage_gb)


def _secrets(model: CostModel, shape: TenantShape) -> int:
    if shape.secrets is not None:
        return shape.secrets
    return model.tenant.secrets_per_slot + model.tenant.secrets_per_tenant


def _named(lines: list[Line], subject: str) -> tuple[Line, ...]:
    return tuple(replace(line, subject=subject) for line in lines) if subject else tuple(lines)
