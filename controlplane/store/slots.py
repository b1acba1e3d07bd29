"""Slots: the databases of a tenant, as they were last wanted or found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import Conflict, Missing
from controlplane.domain.operation import FINAL
from controlplane.domain.workspace import SlotSpec
from controlplane.store.database import changed_rows, insert_if_absent, prepared
from controlplane.store.tables import Operation, Slot, Tenant

GONE = "gone"
BESIDE = "beside"  # the side that a switchover left: there, kept by its migration, and none of Terraform's
_FRESH = {"populate_existing": True}


def every(session: Session, uid: str) -> list[Slot]:
    """All that the tenant ever had, oldest first."""
    return list(session.scalars(_every(), {"uid": uid}, execution_options=_FRESH))


@prepared
def _every() -> Select[Slot]:
    return select(Slot).where(col(Slot.tenant_uid) == bindparam("uid")).order_by(col(Slot.epoch))


def present(session: Session, uid: str) -> list[Slot]:
    return [slot for slot in every(session, uid) if is_present(slot)]


def is_present(slot: Slot) -> bool:
    """It is wanted or there: what the workspace is rendered from."""
    return slot.status not in (GONE, BESIDE)


def beside(session: Session, uid: str) -> list[Slot]:
    return [slot for slot in every(session, uid) if is_beside(slot)]


def is_beside(slot: Slot) -> bool:
    return slot.status == BESIDE


def get(session: Session, uid: str, epoch: int) -> Slot:
    found = session.get(Slot, (uid, epoch), populate_existing=True)
    if found is None:
        raise Missing(f"the tenant {uid} has no slot e{epoch}")
    return found


def save(session: Session, uid: str, slot: SlotSpec, *, status: str) -> None:
    """Record the slot as it is; an epoch keeps its identifier for ever."""
    values = {name: "" if value is None else value for name, value in asdict(slot).items()}
    key = {"tenant_uid": uid, "epoch": values.pop("epoch")}
    row: dict[str, Any] = {**key, **values, "status": status, "final_snapshot": {}, "created_at": func.now()}
    if insert_if_absent(session, Slot, row):
        return
    same = [col(getattr(Slot, name)) == value for name, value in key.items()]
    same.append(col(Slot.identifier) == slot.identifier)
    if not changed_rows(session, update(Slot).where(*same).values(**values, status=status)):
        raise Conflict(f"the slot {slot.identifier} of {uid} cannot be recorded: its name or epoch is taken")


def record_resource(session: Session, uid: str, epoch: int, resource_id: str) -> None:
    """What AWS calls the instance: its automated backups are known by nothing else once it is gone."""
    this = (col(Slot.tenant_uid) == uid, col(Slot.epoch) == epoch)
    changed_rows(session, update(Slot).where(*this).values(resource_id=resource_id))


def retire(session: Session, uid: str) -> None:
    """All of the tenant's slots are gone."""
    changed_rows(session, update(Slot).where(col(Slot.tenant_uid) == uid).values(status=GONE))


def forget_wanted(session: Session, uid: str) -> None:
    """What was wanted and never begun, as if it had not been asked for."""
    changed_rows(session, delete(Slot).where(col(Slot.tenant_uid) == uid, col(Slot.status) == "wanted"))


def set_status(session: Session, uid: str, epoch: int, status: str) -> None:
    this = (col(Slot.tenant_uid) == uid, col(Slot.epoch) == epoch)
    if not changed_rows(session, update(Slot).where(*this).values(status=status)):
        get(session, uid, epoch)


def record_final_snapshot(session: Session, uid: str, receipt: Mapping[str, Any]) -> None:
    """Keep the receipt of a proven snapshot with the slot whose `database` it names."""
    this = (col(Slot.tenant_uid) == uid, col(Slot.identifier) == receipt["database"])
    if not changed_rows(session, update(Slot).where(*this).values(final_snapshot=dict(receipt))):
        raise Missing(f"the tenant {uid} has no slot {receipt['database']!r}")


@dataclass(frozen=True)
class Standing:
    """A database that is wanted or there, whose it is, and which operation is at work on it."""

    identifier: str
    slug: str
    busy_with: str
    is_beside: bool = False  # no state has to know it


def standing(session: Session, region: str) -> list[Standing]:
    busy = select(col(Operation.id)).where(
        col(Operation.tenant_uid) == col(Tenant.uid),
        col(Operation.status).notin_([status.value for status in FINAL]),
    )
    query = (
        select(col(Slot.identifier), col(Tenant.slug), busy.limit(1).scalar_subquery(), col(Slot.status))
        .join(Tenant, col(Tenant.uid) == col(Slot.tenant_uid))
        .where(col(Tenant.region) == region, col(Slot.status) != GONE)
    )
    return [Standing(name, slug, at or "", how == BESIDE) for name, slug, at, how in session.execute(query)]


def of_phase(session: Session, phase: str) -> list[tuple[str, str]]:
    """(slug, identifier) of the databases of all tenants in a phase; RDS stops none that it switched over."""
    query = (
        select(col(Tenant.slug), col(Slot.identifier))
        .join(Slot, col(Tenant.uid) == col(Slot.tenant_uid))
        .where(col(Tenant.phase) == phase, col(Slot.status).not_in((GONE, BESIDE)))
    )
    return [(slug, identifier) for slug, identifier in session.execute(query)]


def identifiers(session: Session) -> set[str]:
    """Of every database that the catalog ever knew."""
    return set(session.scalars(select(col(Slot.identifier))))


def holder_of(session: Session, identifier: str) -> str | None:
    """The uid of the tenant whose database this is or was."""
    query = select(col(Slot.tenant_uid)).where(col(Slot.identifier) == identifier)
    return session.scalars(query).one_or_none()


def count_in_region(session: Session, region: str) -> int:
    """Databases that are wanted or there, of all tenants of a region."""
    query = (
        select(func.count())
        .select_from(Slot)
        .join(Tenant, col(Tenant.uid) == col(Slot.tenant_uid))
        .where(col(Tenant.region) == region, col(Slot.status) != GONE)
    )
    return int(session.scalars(query).one())
