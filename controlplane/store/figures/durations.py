"""How long things took, as Prometheus counts it: over everything that ever ended, so that it only grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.store.tables import Operation, Run

OPERATION_BOUNDS = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14_400.0)
RUN_BOUNDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)


@dataclass(frozen=True)
class Histogram:
    """`counts`: how many were at most each bound; `number`: all of them."""

    bounds: Sequence[float]
    counts: Sequence[int]
    number: int
    seconds: float


def of_operations(session: Session) -> Mapping[tuple[str, ...], Histogram]:
    """By kind and status, from the start of its work to its end: waiting for people is part of it."""
    started, ended = col(Operation.started_at), col(Operation.ended_at)
    if session.get_bind().dialect.name == "postgresql":
        seconds: ColumnElement[Any] = func.extract("epoch", ended - started)
    else:
        seconds = (func.julianday(ended) - func.julianday(started)) * 86400.0
    by = (col(Operation.kind), col(Operation.status))
    where = (started.is_not(None), ended.is_not(None))
    return _counted(session, seconds, by, where, OPERATION_BOUNDS)


def of_runs(session: Session) -> Mapping[tuple[str, ...], Histogram]:
    """Terraform itself: plans and applies."""
    seconds = col(Run.ended_at) - col(Run.started_at)
    where = (col(Run.started_at) > 0, col(Run.ended_at) > 0)
    return _counted(session, seconds, (col(Run.verb), col(Run.status)), where, RUN_BOUNDS)


def _counted(
    session: Session, seconds: Any, by: Sequence[Any], where: Sequence[Any], bounds: Sequence[float]
) -> Mapping[tuple[str, ...], Histogram]:
    buckets = [func.sum(case((seconds <= bound, 1), else_=0)) for bound in bounds]
    query = select(*by, func.count(), func.sum(seconds), *buckets).where(*where).group_by(*by)
    found = {}
    for row in session.execute(query):
        names, (number, total, *counts) = tuple(row[: len(by)]), row[len(by) :]
        found[names] = Histogram(bounds, [int(c) for c in counts], int(number), float(total))
    return found
