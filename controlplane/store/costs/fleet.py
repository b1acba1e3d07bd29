"""The fleet as cost sees it: every tenant with its slots, in a handful of queries, as columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.operation import FINAL
from controlplane.domain.tenant import Phase, Size, Stage
from controlplane.domain.workspace import SlotSpec
from controlplane.store.slots import GONE
from controlplane.store.tables import Operation, Plan, Slot, Tenant, TenantLabel

# Of these nothing runs: it was only asked for, is being made, or is gone.
ABSENT = frozenset({Phase.REQUESTED, Phase.PROVISIONING, Phase.TORN_DOWN})


@dataclass(frozen=True, slots=True)
class CostTenant:
    uid: str
    slug: str
    stage: str
    size: str
    region: str
    cell: str
    blueprint: str
    environment: str
    phase: str
    users: int
    created_at: datetime
    slots: tuple[SlotSpec, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    was_applied: bool = True  # False: its creation failed before anything was applied

    @property
    def is_there(self) -> bool:
        return self.phase not in ABSENT and self.was_applied

    @property
    def is_schema(self) -> bool:
        """No database of its own, not even one that is wanted: it is a schema of its platform's."""
        return not self.slots

    @property
    def is_running(self) -> bool:
        return self.phase != Phase.SUSPENDED


_NAMES = (
    "uid", "slug", "stage", "size", "region", "cell", "blueprint", "environment", "phase", "users",
    "created_at",
)  # fmt: skip
_TENANT = tuple(col(getattr(Tenant, name)) for name in _NAMES)
_SLOT = tuple(
    col(getattr(Slot, name))
    for name in (
        "tenant_uid", "epoch", "identifier", "size", "storage_gb", "multi_az", "backup_days", "alarms",
        "stage",
    )
)  # fmt: skip


def tenants(session: Session, slug: str | None = None) -> list[CostTenant]:
    """All tenants, the torn down ones too, by slug; or one."""
    query = select(*_TENANT).order_by(col(Tenant.slug))
    if slug is not None:
        query = query.where(col(Tenant.slug) == slug)
    rows = session.execute(query).all()
    uid = rows[0].uid if slug is not None and rows else None
    slots, labels = _slots(session, uid), _labels(session, uid)
    never = unmade(session, [row.uid for row in rows if row.phase == Phase.FAILED])
    own = [(dict(zip(_NAMES, row, strict=True)), row.uid) for row in rows]
    return [
        CostTenant(
            **values,
            slots=tuple(slots.get(owner, ())),
            labels=labels.get(owner, {}),
            was_applied=owner not in never,
        )
        for values, owner in own
    ]


def unmade(session: Session, failed: list[str]) -> set[str]:
    """Of tenants that failed those of whom no plan was ever applied: there is nothing to pay for."""
    if not failed:
        return set()
    query = (
        select(col(Operation.tenant_uid))
        .join(Plan, col(Plan.operation_id) == col(Operation.id))
        .where(col(Operation.tenant_uid).in_(failed), col(Plan.consumed_by).is_not(None))
    )
    return set(failed) - {str(uid) for uid in session.scalars(query)}


def _slots(session: Session, uid: str | None) -> dict[str, list[SlotSpec]]:
    query = select(*_SLOT).where(col(Slot.status) != GONE).order_by(col(Slot.tenant_uid), col(Slot.epoch))
    if uid is not None:
        query = query.where(col(Slot.tenant_uid) == uid)
    found: dict[str, list[SlotSpec]] = {}
    for owner, *facts, alarms, stage in session.execute(query):
        epoch, identifier, size, storage_gb, multi_az, backup_days = facts
        kept = Stage(stage) if stage else None
        spec = SlotSpec(epoch, identifier, Size(size), storage_gb, multi_az, backup_days, alarms=alarms)
        found.setdefault(owner, []).append(replace(spec, stage=kept))
    return found


def _labels(session: Session, uid: str | None) -> dict[str, dict[str, str]]:
    query = select(col(TenantLabel.tenant_uid), col(TenantLabel.key), col(TenantLabel.value))
    if uid is not None:
        query = query.where(col(TenantLabel.tenant_uid) == uid)
    found: dict[str, dict[str, str]] = {}
    for owner, key, value in session.execute(query):
        found.setdefault(owner, {})[key] = value
    return found


@dataclass(frozen=True, slots=True)
class OpenChange:
    """An operation that is not over. Once it is planned it says what its tenant costs afterwards."""

    operation: str
    seq: int
    is_planned: bool
    cost_after: Decimal | None


def open_changes(session: Session) -> dict[str, OpenChange]:
    """By tenant; of several the oldest, which goes first."""
    this = Operation
    query = (
        select(
            col(this.tenant_uid),
            col(this.id),
            col(this.seq),
            col(this.plan_id).is_not(None),
            col(this.cost_after),
        )
        .where(col(this.status).notin_([s.value for s in FINAL]), col(this.tenant_uid).is_not(None))
        .order_by(col(this.seq).desc())
    )
    rows = session.execute(query)
    return {str(uid): OpenChange(id_, seq or 0, bool(planned), cost) for uid, id_, seq, planned, cost in rows}
