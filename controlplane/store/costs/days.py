"""The fleet's cost day by day: one row a tenant, and one for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.store.costs.rows import FLEET, CostDay
from controlplane.store.database import changed_rows


def record(session: Session, day: date, rows: Sequence[CostDay]) -> None:
    """Write the day; recorded again it is what was seen last."""
    changed_rows(session, delete(CostDay).where(col(CostDay.day) == day))
    if rows:
        session.execute(insert(CostDay), [row.model_dump() for row in rows])


def fleet(session: Session, since: date) -> list[CostDay]:
    """The rows of the whole fleet, oldest first."""
    return of_tenant(session, FLEET, since)


def of_tenant(session: Session, uid: str, since: date) -> list[CostDay]:
    query = (
        select(CostDay)
        .where(col(CostDay.tenant_uid) == uid, col(CostDay.day) >= since)
        .order_by(col(CostDay.day))
    )
    return list(session.scalars(query))


def by_tenant(session: Session, since: date) -> list[tuple[date, str, Decimal | None]]:
    """Day, slug and monthly cost of every tenant, oldest first."""
    query = (
        select(col(CostDay.day), col(CostDay.slug), col(CostDay.monthly_usd))
        .where(col(CostDay.tenant_uid) != FLEET, col(CostDay.day) >= since)
        .order_by(col(CostDay.day))
    )
    return [(day, slug, usd) for day, slug, usd in session.execute(query)]


def databases(session: Session, since: date) -> dict[date, dict[tuple[str, bool], int]]:
    """How many databases of each size, with a standby or not, ran on each day."""
    query = (
        select(col(CostDay.day), col(CostDay.size), col(CostDay.multi_az), func.sum(col(CostDay.databases)))
        .where(col(CostDay.tenant_uid) != FLEET, col(CostDay.day) >= since)
        .group_by(col(CostDay.day), col(CostDay.size), col(CostDay.multi_az))
    )
    found: dict[date, dict[tuple[str, bool], int]] = {}
    for day, size, multi_az, count in session.execute(query):
        found.setdefault(day, {})[size, bool(multi_az)] = int(count)
    return found
