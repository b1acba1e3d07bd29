"""What waits and what is applied once: windows, approvals that expire or are void, plans that are used up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controlplane.domain.errors import Conflict
from controlplane.domain.operation import Kind
from controlplane.operations import Create, Destroy
from controlplane.services import operations as asking
from controlplane.services import tenants
from controlplane.services.control import Ask
from controlplane.services.explain import explain
from controlplane.steps.world import install, world
from controlplane.store import operations
from controlplane.store.guard import windows
from controlplane.store.tables import Operation, Window
from controlplane.worker import sweep
from controlplane.worker.loop import Worker
from tests.operations.house import ADMIN, ASK, OTHER, House

Run = Callable[[], None]
WAIT = Ask(reason="a test")
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def production(house: House, slug: str = "acme") -> str:
    body = Create(slug=slug, stage="production", size="small")
    return str(tenants.create(house.control, ADMIN, body, WAIT)["id"])


def status(house: House, operation: str) -> str:
    return str(asking.show(house.control, ADMIN, operation)["status"])


def set_clock(worker: Worker, now: datetime) -> None:
    install(replace(world(), now=lambda: now))
    worker.now = lambda: now


def add_window(house: House, effect: str, selector: str = "") -> None:
    with house.db.write() as session:
        windows.add(
            session,
            Window(
                id=f"w-{effect}",
                name=effect,
                effect=effect,
                cron="0 2 * * *",
                minutes=60,
                selector=selector,
                created_by="ann",
                created_at=NOON,
            ),
        )


def test_a_change_waits_for_its_window_and_goes_on_when_it_opens(house: House, worker: Worker) -> None:
    add_window(house, "allow")
    set_clock(worker, NOON)
    operation = tenants.create(house.control, ADMIN, Create(slug="acme"), ASK)["id"]
    worker.run(until_idle=True)
    seen = asking.show(house.control, ADMIN, operation)
    assert "2026-03-05T02:00" in seen["metadata"]["waiting_for"]
    set_clock(worker, NOON + timedelta(hours=14, minutes=5))
    worker.run(until_idle=True)
    assert status(house, operation) == "succeeded"


def test_a_window_of_others_is_no_obstacle(house: House, worker: Worker) -> None:
    add_window(house, "allow", "stage=production")
    set_clock(worker, NOON)
    operation = tenants.create(house.control, ADMIN, Create(slug="acme"), ASK)["id"]
    worker.run(until_idle=True)
    assert status(house, operation) == "succeeded"


def test_an_approval_that_nobody_gives_expires_with_a_notice(house: House, worker: Worker) -> None:
    operation = production(house)
    worker.run(until_idle=True)
    sweep.sweep(house.db, worker.engine, datetime.now(UTC) + timedelta(days=6))
    assert status(house, operation) == "awaiting_approval"
    sweep.sweep(house.db, worker.engine, datetime.now(UTC) + timedelta(days=8))
    seen = asking.show(house.control, ADMIN, operation)
    assert (seen["status"], seen["error"]["code"]) == ("rejected", "approval_expired")


def test_an_approval_survives_a_plan_that_means_the_same(house: House, worker: Worker) -> None:
    operation = production(house)
    worker.run(until_idle=True)
    asking.approve(house.control, OTHER, operation, ASK)
    move_state(house, operation)
    worker.run(until_idle=True)
    assert status(house, operation) == "succeeded"


def move_state(house: House, operation: str) -> None:
    """Somebody else wrote a new serial of the same state: the saved plan is stale."""
    workspace = asking.show(house.control, ADMIN, operation)["workspace"]
    with house.terraform.world.open() as state:
        state["states"][workspace]["serial"] += 1


def test_an_approval_is_void_for_a_plan_that_means_another_thing(house: House, worker: Worker) -> None:
    operation = production(house)
    worker.run(until_idle=True)
    asking.approve(house.control, OTHER, operation, ASK)
    move_state(house, operation)
    workspace = asking.show(house.control, ADMIN, operation)["workspace"]
    with house.terraform.world.open() as state:
        state["states"][workspace]["resources"]["module.stray.aws_db_instance.this"] = {
            "type": "aws_db_instance",
            "values": {
                "identifier": "stray",
                "final_snapshot_identifier": "stray-final",
                "skip_final_snapshot": False,
            },
        }
    worker.run(until_idle=True)
    seen = asking.show(house.control, ADMIN, operation)
    assert seen["status"] in ("awaiting_approval", "rejected")  # a stray database may not be deleted at all
    assert house.cloud.databases() == []


def test_a_plan_is_applied_once(house: House, worker: Worker) -> None:
    operation = tenants.create(house.control, ADMIN, Create(slug="acme"), ASK)["id"]
    worker.run(until_idle=True)
    plan = asking.show(house.control, ADMIN, operation)["plan"]["id"]
    with pytest.raises(Conflict, match="applied before"), house.db.write() as session:
        operations.consume_plan(session, plan, "another-run", datetime.now(UTC))
    with house.terraform.world.open() as state:
        state["states"].clear()
    with pytest.raises(Conflict, match="applied before"), house.db.write() as session:
        operations.consume_plan(session, plan, "another-run", datetime.now(UTC))
    with pytest.raises(Conflict):
        asking.approve(house.control, OTHER, operation, ASK)


def test_a_change_that_is_asked_twice_is_done_once(house: House, worker: Worker) -> None:
    tenants.create(house.control, ADMIN, Create(slug="acme"), ASK)
    worker.run(until_idle=True)
    tenants.change(house.control, ADMIN, Kind.DESTROY, "acme", Destroy(confirm="acme"), ASK)
    with pytest.raises(Conflict):
        tenants.change(house.control, ADMIN, Kind.DESTROY, "acme", Destroy(confirm="acme"), ASK)


def test_who_waits_is_told_who_holds_the_workspace(house: House, worker: Worker) -> None:
    first = production(house)
    worker.run(until_idle=True)
    with house.db.write() as session:
        held = operations.get(session, first)
        second = Operation(
            id="op-second",
            kind="reconcile",
            workspace_id=held.workspace_id,
            tenant_uid=held.tenant_uid,
            tenant_slug=held.tenant_slug,
            requested_by="ann",
            created_at=NOON,
        )
        operations.insert(session, second)
    seen = asking.show(house.control, ADMIN, "op-second")["metadata"]
    assert seen["holder"] == first
    assert first in seen["cause"]
    assert seen["next_command"] == f"controlplane operation show {first}"
    assert asking.show(house.control, ADMIN, first)["metadata"]["holder"] is None


def test_a_long_story_is_told_to_its_end(house: House, worker: Worker) -> None:
    operation = str(tenants.create(house.control, ADMIN, Create(slug="acme"), ASK)["id"])
    with house.db.write() as session:
        for number in range(600):
            operations.tell(session, operation, NOON, "warning", text=f"line {number}")
    worker.run(until_idle=True)
    progress = asking.show(house.control, ADMIN, operation)["metadata"]["progress"]
    assert [one["step"] for one in progress][:2] == ["ensure_master_secret", "write_workspace"]
    assert {one["state"] for one in progress} == {"done"}
    assert all(one["ended_at"] for one in progress)
    told = explain(house.control, ADMIN, "acme")["evidence"]
    assert "line 4" not in " ".join(told)
