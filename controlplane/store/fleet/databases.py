"""The fleet's databases as they are recorded: everything a scan needs, in a handful of queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.operation import FINAL, Kind, Status
from controlplane.domain.selectors import subject_of
from controlplane.domain.tenant import Phase
from controlplane.store.slots import BESIDE, GONE
from controlplane.store.tables import Operation, Slot, Tenant, TenantEvent, TenantLabel

# Nothing is looked for of what was only asked for, is being made, or is gone.
ABSENT = frozenset({Phase.REQUESTED, Phase.PROVISIONING, Phase.TEARING_DOWN, Phase.TORN_DOWN})


@dataclass(frozen=True, slots=True)
class FleetDatabase:
    """A slot with its tenant."""

    uid: str
    slug: str
    stage: str
    environment: str
    region: str
    cell: str
    blueprint: str
    phase: str
    locations: int
    users: int
    cost_tier: str
    rightsizing_decision: str
    route_epoch: int
    epoch: int
    identifier: str
    size: str
    storage_gb: int
    multi_az: bool
    backup_days: int
    protected: bool
    alarms: bool
    kms_key_id: str
    engine_version: str
    slot_status: str
    slot_since: datetime
    slot_stage: str  # how this one is kept, and whose platform it is on, while its tenant moves
    slot_environment: str
    busy_with: str = ""  # an operation that is not over
    resized_at: datetime | None = None
    resized_from: str = ""  # the size before that; empty: it did not change
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_routed(self) -> bool:
        return self.epoch == self.route_epoch

    @property
    def selectable(self) -> dict[str, str]:
        """What a selector looks at."""
        return subject_of({name: getattr(self, name) for name in _SELECTED}, self.labels)


@dataclass(frozen=True, slots=True)
class SchemaTenant:
    """A tenant without a database of its own."""

    slug: str
    blueprint: str
    selectable: Mapping[str, str]


_SELECTED = ("slug", "stage", "size", "phase", "region", "environment", "blueprint", "cell", "cost_tier")
_TENANT = (
    "uid", "slug", "stage", "environment", "region", "cell", "blueprint", "phase", "locations", "users",
    "cost_tier", "rightsizing_decision", "epoch",
)  # fmt: skip
_SLOT = (
    "epoch", "identifier", "size", "storage_gb", "multi_az", "backup_days", "protected", "alarms",
    "kms_key_id", "engine_version", "status", "created_at", "stage", "environment",
)  # fmt: skip

_OF_SLOT = {
    "status": "slot_status",
    "created_at": "slot_since",
    "stage": "slot_stage",
    "environment": "slot_environment",
}
_NAMES = (
    *("route_epoch" if name == "epoch" else name for name in _TENANT),
    *(_OF_SLOT.get(name, name) for name in _SLOT),
)


def every(session: Session, region: str | None = None, cell: str = "") -> list[FleetDatabase]:
    """Of all tenants that have something running there, by slug and epoch."""
    query = (
        select(*(col(getattr(Tenant, n)) for n in _TENANT), *(col(getattr(Slot, n)) for n in _SLOT))
        .join(Slot, col(Slot.tenant_uid) == col(Tenant.uid))
        .where(col(Tenant.phase).notin_([p.value for p in ABSENT]), col(Slot.status).not_in((GONE, BESIDE)))
        .order_by(col(Tenant.slug), col(Slot.epoch))
    )
    if region is not None:
        query = query.where(col(Tenant.region) == region)
    if cell:
        query = query.where(col(Tenant.cell) == cell)
    busy, resized, labels = _busy(session), _resized(session), _labels(session)
    found = []
    for row in session.execute(query):
        values = dict(zip(_NAMES, row, strict=True))
        uid = values["uid"]
        more: dict[str, Any] = {
            "busy_with": busy.get(uid, ""),
            **resized.get(uid, {}),
            "labels": labels.get(uid, {}),
        }
        found.append(FleetDatabase(**values, **more))
    return found


def schemas(session: Session, blueprints: Sequence[str], region: str, cell: str = "") -> list[SchemaTenant]:
    """The living tenants of blueprints whose tenants share a database."""
    query = (
        select(Tenant)
        .where(
            col(Tenant.blueprint).in_(blueprints),
            col(Tenant.region) == region,
            col(Tenant.phase).notin_([p.value for p in ABSENT]),
        )
        .order_by(col(Tenant.slug))
    )
    if cell:
        query = query.where(col(Tenant.cell) == cell)
    labels = _labels(session)
    return [
        SchemaTenant(
            row.slug,
            row.blueprint,
            subject_of({name: getattr(row, name) for name in _SELECTED}, labels.get(row.uid, {})),
        )
        for row in session.scalars(query)
    ]


def an_endpoint(session: Session, cell: str) -> tuple[str, int] | None:
    """Host and port of a tenant of this cell that is up; None where there is none."""
    up = (col(Tenant.cell) == cell, col(Tenant.phase) == Phase.READY.value, col(Tenant.endpoint) != "")
    query = select(col(Tenant.endpoint), col(Tenant.port)).where(*up).order_by(col(Tenant.slug)).limit(1)
    found = session.execute(query).first()
    return (str(found[0]), int(found[1])) if found else None


def standing(session: Session) -> set[str]:
    """Identifiers of everything that is there, is being made or being removed."""
    return set(session.scalars(select(col(Slot.identifier)).where(col(Slot.status) != GONE)))


def _busy(session: Session) -> dict[str, str]:
    query = select(col(Operation.tenant_uid), col(Operation.id)).where(
        col(Operation.status).notin_([s.value for s in FINAL]), col(Operation.tenant_uid).is_not(None)
    )
    return {str(uid): operation for uid, operation in session.execute(query)}


def _resized(session: Session) -> dict[str, dict[str, Any]]:
    """When the class was changed last, and from which: by a resize that named a size, or by a move to another
    database."""
    query = (
        select(
            col(Operation.id),
            col(Operation.tenant_uid),
            col(Operation.kind),
            col(Operation.payload),
            col(Operation.ended_at),
        )
        .where(
            col(Operation.kind).in_([Kind.RESIZE.value, Kind.UPGRADE.value, Kind.ROLLBACK.value]),
            col(Operation.status).in_([Status.SUCCEEDED.value, Status.PARTIALLY_APPLIED.value]),
        )
        .order_by(col(Operation.seq))
    )
    rows: Sequence[Any] = session.execute(query).all()
    before = _sizes_before(session)
    return {
        str(uid): {"resized_at": ended, "resized_from": before.get(operation, "")}
        for operation, uid, kind, payload, ended in rows
        if ended is not None and (kind != Kind.RESIZE or payload.get("size"))
    }


def _sizes_before(session: Session) -> dict[str, str]:
    """By the resize that changed it."""
    query = (
        select(col(TenantEvent.operation_id), col(TenantEvent.before))
        .join(Operation, col(Operation.id) == col(TenantEvent.operation_id))
        .where(col(Operation.kind) == Kind.RESIZE.value)
        .order_by(col(TenantEvent.seq).desc())
    )
    return {str(of): str(before["size"]) for of, before in session.execute(query) if before.get("size")}


def _labels(session: Session) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    query = select(col(TenantLabel.tenant_uid), col(TenantLabel.key), col(TenantLabel.value))
    for uid, key, value in session.execute(query):
        found.setdefault(uid, {})[key] = value
    return found
