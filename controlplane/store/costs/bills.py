"""What was billed, kept day by day; and the one query a day, whose row says who asks."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.cost.report.bill import BillRow
from controlplane.store.costs.rows import BillDay, BillQuery
from controlplane.store.database import changed_rows, insert_if_absent


def claim(session: Session, query: BillQuery) -> bool:
    """Take today's query; False for who comes second."""
    return insert_if_absent(session, BillQuery, query.model_dump())


def release(session: Session, asked_on: date) -> None:
    """The query came to nothing: somebody may ask again today."""
    unanswered = (col(BillQuery.asked_on) == asked_on, col(BillQuery.requests) == 0)
    changed_rows(session, delete(BillQuery).where(*unanswered))


def keep(
    session: Session, query: BillQuery, rows: tuple[BillRow, ...], requests: int, cost_usd: Decimal | None
) -> None:
    """Replace the period by what AWS says of it now."""
    period = (col(BillDay.day) >= query.begins, col(BillDay.day) < query.ends)
    changed_rows(session, delete(BillDay).where(*period))
    sums: dict[tuple[date, str, str], BillRow] = {}
    for row in rows:
        key = (row.day, row.tenant, row.service)
        before = sums.get(key)
        usd = row.usd + (before.usd if before else 0)
        sums[key] = BillRow(*key, usd, row.estimated or bool(before and before.estimated))
    if sums:
        values = [
            {"day": r.day, "tenant": r.tenant, "service": r.service, "usd": r.usd, "estimated": r.estimated}
            for r in sums.values()
        ]
        session.execute(insert(BillDay), values)
    this = update(BillQuery).where(col(BillQuery.asked_on) == query.asked_on)
    changed_rows(session, this.values(requests=requests, cost_usd=cost_usd))


def rows(session: Session, since: date) -> tuple[BillRow, ...]:
    query = select(BillDay).where(col(BillDay.day) >= since).order_by(col(BillDay.day))
    return tuple(BillRow(r.day, r.tenant, r.service, r.usd, r.estimated) for r in session.scalars(query))


def last_query(session: Session) -> BillQuery | None:
    query = select(BillQuery).order_by(col(BillQuery.asked_on).desc()).limit(1)
    return session.scalars(query, execution_options={"populate_existing": True}).one_or_none()


def known_until(session: Session) -> date | None:
    """The last day of which something is billed."""
    return session.scalar(select(func.max(col(BillDay.day))))
