"""A bulk change over 500 tenants, and one tenant's own: it waits for no more than a place that gets free."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from controlplane.services.waves import PRIORITY as BULK_PRIORITY
from controlplane.store import operations, queue
from controlplane.store.database import Database
from controlplane.store.tables import Operation
from controlplane.worker.loop import Worker
from tests.operations.house import House

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
TENANTS, PLACES = 500, 8


@dataclass
class Slowly:
    """An engine whose legs end when the test says so."""

    running: list[tuple[str, int]] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)

    def enqueue(self, session: Any, name: str, workflow_id: str, operation_id: str, number: int) -> None:
        del session, name, workflow_id
        self.running.append((operation_id, number))
        self.begun.append(operation_id)

    def wake(self) -> None:
        """It sees for itself."""


def ask(db: Database, name: str, priority: int) -> None:
    with db.write() as session:
        operations.insert(
            session,
            Operation(
                id=name,
                kind="resize",
                workspace_id=f"tenant-{name}",
                requested_by="ann",
                priority=priority,
                created_at=NOW,
            ),
        )


def end_one(db: Database, engine: Slowly) -> None:
    """The leg that runs longest ends; its operation has another one, which is ready at once."""
    operation, number = engine.running.pop(0)
    with db.write() as session:
        queue.end_leg(session, operation, number, "apply")


@pytest.mark.parametrize("ended_before", [0, 40])
def test_one_change_waits_for_one_leg_of_a_bulk_change(house: House, ended_before: int) -> None:
    engine = Slowly()
    worker = Worker(house.db, engine, lambda: NOW, capacity=PLACES, poll_seconds=0)  # type: ignore[arg-type]
    for number in range(TENANTS):
        ask(house.db, f"bulk-{number}", BULK_PRIORITY)
    worker.dispatch()
    for _ in range(ended_before):
        end_one(house.db, engine)
        worker.dispatch()
    assert len(engine.running) == PLACES
    ask(house.db, "single", 10)
    worker.dispatch()
    assert "single" not in engine.begun, "every place is taken"
    end_one(house.db, engine)
    worker.dispatch()
    assert engine.begun[-1] == "single"
    assert len(engine.begun) == PLACES + ended_before + 1


def test_its_second_leg_goes_first_too(house: House) -> None:
    engine = Slowly()
    worker = Worker(house.db, engine, lambda: NOW, capacity=1, poll_seconds=0)  # type: ignore[arg-type]
    for number in range(20):
        ask(house.db, f"bulk-{number}", BULK_PRIORITY)
    ask(house.db, "single", 10)
    for _ in range(3):
        worker.dispatch()
        end_one(house.db, engine)
    assert engine.begun == ["single"] * 3
