"""A tenant's life through door, worker and fakes: create, destroy, and what stands between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from controlplane.domain.errors import AlreadyExists, Conflict, Denied, Stale
from controlplane.domain.operation import Kind
from controlplane.operations import Create, Destroy
from controlplane.services import operations as asking
from controlplane.services import tenants
from controlplane.services.control import Ask
from tests.operations.house import ADMIN, ASK, OTHER, House

Run = Callable[[], None]
WAIT = Ask(reason="a test")


def create(house: House, slug: str = "acme", ask: Ask = ASK, **fields: object) -> str:
    return str(tenants.create(house.control, ADMIN, Create(slug=slug, **fields), ask)["id"])


def destroy(house: House, slug: str = "acme", ask: Ask = ASK) -> str:
    return str(tenants.change(house.control, ADMIN, Kind.DESTROY, slug, Destroy(confirm=slug), ask)["id"])


def assert_done(house: House, operation_id: str) -> None:
    seen = shown(house, operation_id)
    assert seen["status"] == "succeeded", (seen["metadata"], seen.get("error"))


def shown(house: House, operation_id: str) -> dict:
    return asking.show(house.control, ADMIN, operation_id)


def test_a_poc_inside_its_ceiling_is_created_without_an_approval(house: House, run: Run) -> None:
    operation = create(house, ask=WAIT)
    run()
    assert_done(house, operation)
    tenant = tenants.show(house.control, ADMIN, "acme")
    assert (tenant["phase"], tenant["unverified"]) == ("ready", False)
    assert tenant["endpoint"]
    assert len(house.cloud.databases()) == 1


def test_aws_is_called_under_the_name_of_the_operation(house: House, run: Run) -> None:
    first, second = create(house), create(house, "beta")
    run()
    with house.cloud.world.open() as state:
        made_by = {name.split("/")[1].split("-")[0]: one["made_by"] for name, one in state["secrets"].items()}
    assert made_by == {"acme": first, "beta": second}


def test_a_destroy_proves_a_snapshot_and_leaves_nothing(house: House, run: Run) -> None:
    create(house)
    run()
    operation = destroy(house)
    run()
    assert_done(house, operation)
    tenant = tenants.show(house.control, ADMIN, "acme")
    assert tenant["phase"] == "torn_down"
    assert house.cloud.databases() == []
    receipt = tenant["slots"][0]["final_snapshot"]
    assert house.cloud.snapshot(receipt["identifier"]).status == "available"


def test_a_slug_lives_twice_under_one_uid_and_two_epochs(house: House, run: Run) -> None:
    for epoch in (1, 2):
        create(house)
        run()
        tenant = tenants.show(house.control, ADMIN, "acme")
        assert tenant["epoch"] == epoch
        destroy(house)
        run()
    assert len(house.cloud.snapshots()) == 2
    assert tenants.show(house.control, ADMIN, "acme")["uid"] == tenant["uid"]


def test_a_production_tenant_waits_for_another_person(house: House, run: Run) -> None:
    operation = create(house, ask=WAIT, stage="production", size="small")
    run()
    seen = shown(house, operation)
    assert seen["status"] == "awaiting_approval"
    assert "operation approve" in seen["metadata"]["next_command"]
    asking.approve(house.control, OTHER, operation, ASK, seen["plan"]["meaning"][:12])
    run()
    assert shown(house, operation)["status"] == "succeeded"


def test_an_approval_names_the_plan_that_was_seen(house: House, run: Run) -> None:
    operation = create(house, ask=WAIT, stage="production", size="small")
    run()
    with pytest.raises(Stale):
        asking.approve(house.control, OTHER, operation, ASK, "0000")


def test_a_rejected_create_leaves_nothing_behind(house: House, run: Run) -> None:
    operation = create(house, ask=WAIT, stage="production", size="small")
    run()
    asking.reject(house.control, ADMIN, operation, ASK)
    run()
    assert shown(house, operation)["status"] == "rejected"
    assert house.cloud.databases() == []


def test_a_second_create_of_a_living_slug_is_refused(house: House, run: Run) -> None:
    create(house)
    with pytest.raises(AlreadyExists):
        create(house)


def test_a_change_of_a_held_tenant_names_the_holder(house: House, run: Run) -> None:
    create(house)
    run()
    first = destroy(house, ask=WAIT)
    with pytest.raises(Conflict, match=first):
        destroy(house)


def test_a_lost_apply_is_adopted_and_finished(house: House, run: Run) -> None:
    house.terraform.lose_next_apply(after_effect=True)
    operation = create(house)
    run()
    seen = shown(house, operation)
    assert seen["status"] == "succeeded", seen
    assert seen["attempt"] == 2
    assert len(house.cloud.databases()) == 1


def test_an_apply_lost_before_its_effect_is_done_again(house: House, run: Run) -> None:
    house.terraform.lose_next_apply(after_effect=False)
    operation = create(house)
    run()
    assert shown(house, operation)["status"] == "succeeded"
    assert len(house.cloud.databases()) == 1


def test_a_plan_that_is_lost_is_made_again_once(house: House, run: Run) -> None:
    house.terraform.lose_plans(1)
    lost = create(house, "acme")
    run()
    assert shown(house, lost)["status"] == "succeeded"
    house.terraform.lose_plans(2)
    twice = create(house, "beta")
    run()
    seen = shown(house, twice)
    assert (seen["status"], "the run was lost" in str(seen["error"])) == ("failed", True)


@pytest.mark.parametrize(
    "words", ["Throttling: Rate exceeded", "Error: reading SSM Parameter (/route): couldn't find resource"]
)
def test_what_may_pass_is_tried_again_and_a_hard_error_is_not(house: House, run: Run, words: str) -> None:
    house.terraform.fail_next_apply(words)
    passing = create(house, "acme")
    run()
    assert shown(house, passing)["status"] == "succeeded"
    house.terraform.fail_next_apply("InvalidParameterValue: no such class")
    hard = create(house, "beta")
    run()
    seen = shown(house, hard)
    assert seen["status"] == "failed"
    assert "no such class" in str(seen["error"])
    assert tenants.show(house.control, ADMIN, "beta")["phase"] == "failed"


def test_a_cancelled_wait_ends_at_once(house: House, run: Run) -> None:
    operation = create(house, ask=WAIT, stage="production", size="small")
    run()
    asking.cancel(house.control, ADMIN, operation, ASK)
    assert shown(house, operation)["status"] == "cancelled"


def test_no_database_is_deleted_when_its_snapshot_fails(house: House, run: Run) -> None:
    create(house)
    run()
    house.cloud.world.inject("create_snapshot", "denied", times=9)
    operation = destroy(house)
    run()
    assert shown(house, operation)["status"] == "needs_operator"
    assert len(house.cloud.databases()) == 1


@pytest.mark.parametrize("fault", ["throttled", "lost_answer", "unavailable"])
@pytest.mark.parametrize(
    "method", ["ensure_secret", "read_secret", "write_parameter", "create_snapshot", "database"]
)
def test_a_passing_fault_of_any_call_doubles_nothing(house: House, run: Run, method: str, fault: str) -> None:
    house.cloud.world.inject(method, fault)
    create(house)
    run()
    house.cloud.world.inject(method, fault)
    operation = destroy(house)
    run()
    assert_done(house, operation)
    assert house.cloud.databases() == []
    assert len(house.cloud.snapshots()) == 1


def test_two_persons_are_wanted_for_a_destroy(house: House, run: Run) -> None:
    create(house)
    run()
    operation = destroy(house, ask=WAIT)
    run()
    strict = replace(house.control, two_person=True)
    with pytest.raises(Denied):
        asking.approve(strict, ADMIN, operation, ASK)
    assert asking.approve(strict, OTHER, operation, ASK)["status"] == "awaiting_approval"
