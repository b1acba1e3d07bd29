"""Leases of worker processes, on the database's clock. Only PostgreSQL has several workers."""

from __future__ import annotations

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.store.tables import WorkerLease


def database_now(session: Session) -> float:
    """Seconds since 1970 where the leases are kept: hosts' clocks differ, this one does not."""
    postgres = session.get_bind().dialect.name == "postgresql"
    query = (
        "SELECT extract(epoch FROM clock_timestamp())"
        if postgres
        else "SELECT (julianday('now') - 2440587.5) * 86400.0"
    )
    return float(session.execute(text(query)).scalar_one())


def take(session: Session, executor_id: str, host: str, pid: int, seconds: float, cell: str = "") -> None:
    now = database_now(session)
    until = now + seconds
    session.add(
        WorkerLease(executor_id=executor_id, cell=cell, host=host, pid=pid, started_at=now, lease_until=until)
    )


def renew(session: Session, executor_id: str, seconds: float) -> bool:
    """False: the lease is gone, somebody took over; this worker must end."""
    until = database_now(session) + seconds
    where = (col(WorkerLease.executor_id) == executor_id,)
    result = session.execute(update(WorkerLease).where(*where).values(lease_until=until))
    return bool(result.rowcount)  # type: ignore[attr-defined]


def holds(session: Session, executor_id: str) -> bool:
    """Whether the lease is kept; until this transaction ends nobody takes it away."""
    mine = select(WorkerLease).where(
        col(WorkerLease.executor_id) == executor_id, col(WorkerLease.lease_until) >= database_now(session)
    )
    return session.scalars(mine.with_for_update(read=True)).first() is not None


def drop_expired(session: Session) -> list[str]:
    """Remove the leases that ran out; their executors may be taken over."""
    now = database_now(session)
    expired = list(
        session.scalars(select(col(WorkerLease.executor_id)).where(col(WorkerLease.lease_until) < now))
    )
    if expired:
        where = (col(WorkerLease.executor_id).in_(expired), col(WorkerLease.lease_until) < now)
        session.execute(delete(WorkerLease).where(*where))
    return expired


def release(session: Session, executor_id: str) -> None:
    session.execute(delete(WorkerLease).where(col(WorkerLease.executor_id) == executor_id))


def living(session: Session, cell: str = "") -> list[WorkerLease]:
    """In every cell, unless one is named."""
    query = select(WorkerLease).where(col(WorkerLease.lease_until) >= database_now(session))
    return list(session.scalars(query.where(col(WorkerLease.cell) == cell) if cell else query))
