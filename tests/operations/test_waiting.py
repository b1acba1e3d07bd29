"""What waits and what is applied once: windows, approvals that expire or are void, plans that are used up."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
from controlplane.steps import settling
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
    with house.terraform.world.open() as state:
        state["states"][workspace_of(house, operation)]["serial"] += 1


def workspace_of(house: House, operation: str) -> str:
    return str(asking.show(house.control, ADMIN, operation)["workspace"])


def test_an_approval_is_void_for_a_plan_that_means_another_thing(house: House, worker: Worker) -> None:
    operation = production(house)
    worker.run(until_idle=True)
    asking.approve(house.control, OTHER, operation, ASK)
    move_state(house, operation)
    with house.terraform.world.open() as state:
        state["states"][workspace_of(house, operation)]["resources"]["module.stray.aws_db_instance.this"] = {
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


def test_a_create_plan_is_applied_once_at_once_in_sequence_and_without_its_state(
    house: House, worker: Worker
) -> None:
    operation = production(house)
    worker.run(until_idle=True)
    plan = asking.show(house.control, ADMIN, operation)["plan"]["id"]

    def accepted(_: object = None) -> bool:
        try:
            asking.approve(house.control, OTHER, operation, ASK)
        except Conflict:
            return False
        return True

    def use_up(run_id: str) -> None:
        with house.db.write() as session:
            operations.consume_plan(session, plan, run_id, datetime.now(UTC))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(accepted, range(8))).count(True) == 1
    worker.run(until_idle=True)
    assert status(house, operation) == "succeeded"
    for lose in (lambda: None, lambda: house.terraform.lose_state(workspace_of(house, operation))):
        lose()
        assert not accepted()
        with pytest.raises(Conflict, match="applied before"):
            use_up("another-run")
        worker.run(until_idle=True)
    assert house.terraform.applied() == [plan]
    assert len(house.cloud.databases()) == 1


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


def test_each_phase_has_a_time_out_of_its_own(house: House, worker: Worker) -> None:
    install(replace(world(), plan_timeout_seconds=11, apply_timeout_seconds=22))
    tenants.create(house.control, ADMIN, Create(slug="acme"), ASK)
    worker.run(until_idle=True)
    with house.terraform.world.open() as state:
        assert {run["verb"]: run["timeout_seconds"] for run in state["runs"].values()} == {
            "plan": 11,
            "apply": 22,
        }


def test_what_may_pass_is_tried_again_five_times_at_most_and_its_reason_is_kept(
    house: House, worker: Worker
) -> None:
    operation = production(house)
    worker.run(until_idle=True)
    plan = asking.show(house.control, ADMIN, operation)["plan"]["id"]
    throttled = {"status": "ended", "exit_code": 1, "interrupted": False, "timed_out": False}
    throttled["tail"] = ["Throttling: Rate exceeded"]
    *again, last = [settling.judge(operation, throttled, plan) for _ in range(5)]
    assert [one["pause_seconds"] for one in again] == [2, 4, 8, 16]
    assert (last["verdict"], last["status"]) == ("end", "failed")
    assert "Rate exceeded" in last["problem"]["details"]["last_lines"]


@pytest.mark.long
def test_a_step_whose_call_never_passes_ends_with_its_reason(house: House, worker: Worker) -> None:
    house.cloud.world.inject("ensure_secret", "throttled", times=99)
    operation = tenants.create(house.control, ADMIN, Create(slug="acme"), ASK)["id"]
    worker.run(until_idle=True)
    seen = asking.show(house.control, ADMIN, operation)
    assert (seen["status"], seen["error"]["code"]) == ("failed", "throttled")
    assert house.cloud.databases() == []
