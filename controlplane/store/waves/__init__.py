"""Waves and their items. How an item is doing is told by its operation; nothing is copied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import Missing
from controlplane.store.database import changed_rows, prepared
from controlplane.store.tables import Operation, Wave, WaveItem


@dataclass(frozen=True)
class ItemState:
    position: int
    tenant_slug: str
    operation_id: str | None
    status: str  # of the item, or of its operation once it has one
    detail: str


def insert(session: Session, wave: Wave, tenants: Sequence[tuple[str, str]]) -> None:
    """A wave over (uid, slug) of its tenants, in the order in which they go."""
    session.add(wave)
    session.flush()
    session.add_all(
        WaveItem(wave_id=wave.id, position=n, tenant_uid=uid, tenant_slug=slug)
        for n, (uid, slug) in enumerate(tenants, 1)
    )
    session.flush()


def get(session: Session, wave_id: str) -> Wave:
    found = session.get(Wave, wave_id, populate_existing=True)
    if found is None:
        raise Missing(f"there is no wave {wave_id!r}", hint="controlplane wave list")
    return found


def every(session: Session, limit: int = 200) -> list[Wave]:
    query = select(Wave).order_by(col(Wave.created_at).desc(), col(Wave.id).desc()).limit(limit)
    return list(session.scalars(query))


def running(session: Session) -> list[str]:
    return list(session.scalars(_running()))


@prepared
def _running() -> Select[str]:
    return select(col(Wave.id)).where(col(Wave.status) == "running")


def items(session: Session, wave_id: str) -> list[ItemState]:
    """In order, each with the status that counts: its operation's, where it has one."""
    query = (
        select(WaveItem, col(Operation.status), col(Operation.waiting_for), col(Operation.error))
        .outerjoin(Operation, and_(col(Operation.id) == col(WaveItem.operation_id)))
        .where(col(WaveItem.wave_id) == wave_id)
        .order_by(col(WaveItem.position))
    )
    found = []
    for item, status, waiting_for, error in session.execute(query):
        detail = item.detail or (error or {}).get("detail", "") or waiting_for or ""
        found.append(
            ItemState(item.position, item.tenant_slug, item.operation_id, status or item.status, detail)
        )
    return found


def take(session: Session, wave_id: str, position: int) -> str | None:
    """Claim a waiting item for its start: its tenant's slug, or None when another worker has it."""
    where = (
        col(WaveItem.wave_id) == wave_id,
        col(WaveItem.position) == position,
        col(WaveItem.status) == "waiting",
    )
    if not changed_rows(session, update(WaveItem).where(*where).values(status="started")):
        return None
    item = session.get(WaveItem, (wave_id, position), populate_existing=True)
    return item.tenant_slug if item else None


def note_item(session: Session, wave_id: str, position: int, **fields: object) -> None:
    where = (col(WaveItem.wave_id) == wave_id, col(WaveItem.position) == position)
    changed_rows(session, update(WaveItem).where(*where).values(**fields))


def move(
    session: Session, wave_id: str, seen: str, status: str, note: str, ended_at: datetime | None
) -> bool:
    """From the status that was seen to another one; False when somebody else was faster."""
    values = {"status": status, "note": note, "ended_at": ended_at}
    where = (col(Wave.id) == wave_id, col(Wave.status) == seen)
    return bool(changed_rows(session, update(Wave).where(*where).values(**values)))
