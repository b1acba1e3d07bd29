"""Terraform runs: ordered once, written by their supervisor (with plain SQL), read by everybody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import Conflict, Missing
from controlplane.ports import Keyring, RunLine, RunOrder
from controlplane.store.database import Database, insert_if_absent
from controlplane.store.leases import database_now, living
from controlplane.store.sealed import open_record
from controlplane.store.states import release_of_run
from controlplane.store.tables import Artifact, Run
from controlplane.store.tables import RunLine as Line

_OPEN = ("ordered", "claimed", "running")


class Runs:
    def __init__(self, db: Database, keyring: Keyring) -> None:
        self._db = db
        self._keyring = keyring

    def order(self, order: RunOrder) -> bool:
        """Write the order down; False when it stands there already."""
        details = {
            "folder": order.folder,
            "plan_run": order.plan_run,
            "destroy": order.destroy,
            "touches_database": order.touches_database,
            "timeout_seconds": order.timeout_seconds,
        }
        with self._db.write() as session:
            return insert_if_absent(
                session,
                Run,
                {
                    "id": order.run_id,
                    "operation_id": order.operation,
                    "verb": order.verb.value,
                    "workspace_id": order.workspace,
                    "details": details,
                    "status": "ordered",
                    "host": "",
                    "pid": 0,
                    "supervisor": "",
                    "lease_until": 0.0,
                    "lock_id": "",
                    "interrupt_requested": "",
                    "interrupted": False,
                    "timed_out": False,
                    "ordered_at": database_now(session),
                    "started_at": 0.0,
                    "ended_at": 0.0,
                },
            )

    def find(self, run_id: str) -> Run | None:
        with self._db.read() as session:
            return session.get(Run, run_id)

    def of_operation(self, operation_id: str) -> list[Run]:
        query = select(Run).where(col(Run.operation_id) == operation_id).order_by(col(Run.ordered_at))
        with self._db.read() as session:
            return list(session.scalars(query))

    def unfinished(self) -> list[Run]:
        with self._db.read() as session:
            return list(session.scalars(select(Run).where(col(Run.status).in_(("claimed", "running")))))

    def lines(self, run_id: str, after: int = 0, limit: int = 500) -> list[RunLine]:
        query = select(Line).where(col(Line.run_id) == run_id, col(Line.number) > after)
        with self._db.read() as session:
            rows = session.scalars(query.order_by(col(Line.number)).limit(limit)).all()
        return [_line(row) for row in rows]

    def tail(self, run_id: str, count: int = 40) -> list[str]:
        query = select(Line).where(col(Line.run_id) == run_id).order_by(col(Line.number).desc())
        with self._db.read() as session:
            rows = session.scalars(query.limit(count)).all()
        return [row.text for row in reversed(rows)]

    def ask_to_stop(self, run_id: str, *, insist: bool) -> None:
        """Its supervisor polls for this; who insisted once is not taken back."""
        where = (col(Run.id) == run_id, col(Run.status).in_(_OPEN), col(Run.interrupt_requested) != "insist")
        with self._db.write() as session:
            session.execute(
                update(Run).where(*where).values(interrupt_requested="insist" if insist else "ask")
            )

    def declare_lost(self, run_id: str, supervisor: str) -> bool:
        """The supervisor of this token is gone for good; False when another one is at it, or it ended."""
        with self._db.write() as session:
            return _lose(session, run_id, supervisor, "the run is lost: its lease and its host's ran out")

    def artifact(self, run_id: str, name: str) -> bytes:
        with self._db.read() as session:
            row = session.get(Artifact, (run_id, name))
        if row is None:
            raise Missing(f"run {run_id} left no {name}")
        return open_record(self._keyring, row)

    def artifact_digest(self, run_id: str, name: str) -> str | None:
        """SHA-256 of the clear content."""
        where = (col(Artifact.run_id) == run_id, col(Artifact.name) == name)
        with self._db.read() as session:
            return session.scalar(select(col(Artifact.sha256)).where(*where))

    def host_lives(self, host: str) -> bool:
        """Whether any worker on that host renews its lease. A run's host is `name:id of its data folder`."""
        names = (host, host.partition(":")[0])
        with self._db.read() as session:
            return any(lease.host in names for lease in living(session))

    def now(self) -> float:
        """The database's clock, on which leases are kept."""
        with self._db.read() as session:
            return database_now(session)


def _line(row: Line) -> RunLine:
    return RunLine(row.number, datetime.fromtimestamp(row.at, UTC), row.stream, row.text)


def open_run(session: Session, operation_id: str) -> Run | None:
    """The run that an operation waits for now."""
    query = select(Run).where(col(Run.operation_id) == operation_id, col(Run.status).in_(_OPEN))
    return session.scalars(query.order_by(col(Run.ordered_at).desc()).limit(1)).first()


def give_up(session: Session, run: Run, actor: str, why: str) -> None:
    """A person says that it is gone for good. Not while its lease is kept: then somebody is at it."""
    if run.lease_until >= database_now(session):
        raise Conflict(
            f"run {run.id} is not lost: its supervisor on {run.host or 'this host'} keeps its lease",
            hint=f"controlplane operation cancel {run.operation_id}",
        )
    if not _lose(session, run.id, run.supervisor, why or "a person says that the run is lost", actor):
        raise Conflict(f"run {run.id} has not begun, or is over by now; look again")


def _lose(session: Session, run_id: str, supervisor: str, why: str, by: str = "controlplane") -> bool:
    where = (
        col(Run.id) == run_id,
        col(Run.supervisor) == supervisor,
        col(Run.status).in_(("claimed", "running")),
    )
    changed = update(Run).where(*where).values(status="lost", ended_at=database_now(session))
    lost = bool(session.execute(changed).rowcount)  # type: ignore[attr-defined]
    if lost:
        release_of_run(session, run_id, why, by)
    return lost


# --- the log of an operation ------------------------------------------------------------------------


@dataclass(frozen=True)
class LogLine:
    """A line with its place: the how-manieth run of the operation, and the number within that run."""

    run: int
    number: int
    run_id: str
    verb: str
    at: datetime
    stream: str
    text: str


def log_lines(session: Session, operation_id: str, run: int, number: int, limit: int) -> list[LogLine]:
    """What follows that place, over all runs of the operation in their order."""
    order = (col(Run.ordered_at), col(Run.id))
    ids = session.execute(
        select(col(Run.id), col(Run.verb)).where(col(Run.operation_id) == operation_id).order_by(*order)
    ).all()
    found: list[LogLine] = []
    for place, (run_id, verb) in enumerate(ids):
        if place < run or len(found) >= limit:
            continue
        after = number if place == run else 0
        query = select(Line).where(col(Line.run_id) == run_id, col(Line.number) > after)
        rows = session.scalars(query.order_by(col(Line.number)).limit(limit - len(found)))
        found += [
            LogLine(place, r.number, run_id, verb, datetime.fromtimestamp(r.at, UTC), r.stream, r.text)
            for r in rows
        ]
    return found
