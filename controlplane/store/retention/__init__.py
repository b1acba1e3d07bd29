"""What old runs and old states leave behind, and what of it may go.

Never what an operation that is not over may still read, and never a workspace's newest state.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Delete, delete, func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.operation import FINAL
from controlplane.store.database import changed_rows
from controlplane.store.tables import Artifact, Operation, Run, RunLine, StateVersion

_ENDED = ("ended", "lost")


def drop_runs(session: Session, before: datetime, *, logs: bool) -> int:
    """Plans and lock files of runs that ended before then, or their lines; how many rows."""
    open_ones = select(col(Operation.id)).where(col(Operation.status).not_in([s.value for s in FINAL]))
    old = select(col(Run.id)).where(
        col(Run.status).in_(_ENDED),
        col(Run.ended_at) > 0,
        col(Run.ended_at) < before.timestamp(),
        col(Run.operation_id).not_in(open_ones),
    )
    this: Delete = (
        delete(RunLine).where(col(RunLine.run_id).in_(old))
        if logs
        else delete(Artifact).where(col(Artifact.run_id).in_(old))
    )
    return changed_rows(session, this)


def drop_states(session: Session, before: datetime, keep: int) -> int:
    """Versions that are older, but for the newest `keep` of each workspace; the newest always stays."""
    place = func.row_number().over(
        partition_by=col(StateVersion.workspace_id), order_by=col(StateVersion.seq).desc()
    )
    ranked = select(col(StateVersion.seq).label("seq"), place.label("place")).subquery()
    beyond = select(ranked.c.seq).where(ranked.c.place > max(1, keep))
    old = col(StateVersion.created_at) < before.timestamp()
    return changed_rows(session, delete(StateVersion).where(old, col(StateVersion.seq).in_(beyond)))
