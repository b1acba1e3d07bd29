"""State that was lost, a database that is tainted, a database that is gone: nothing is made a second time."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from controlplane.domain.operation import Kind
from controlplane.operations import Create, Destroy, Platform
from controlplane.operations.reconcile import Reconcile
from controlplane.operations.resize import Resize
from controlplane.services import operations as asking
from controlplane.services import platforms, tenants
from controlplane.services.control import Ask
from tests.operations.house import ADMIN, ASK, BLUEPRINT, House

Run = Callable[[], None]


def shown(house: House, operation_id: str) -> dict[str, Any]:
    return asking.show(house.control, ADMIN, operation_id)


def story(house: House, operation_id: str) -> str:
    return "\n".join(e["text"] for e in asking.events(house.control, ADMIN, operation_id))


def workspace_of(house: House) -> str:
    return f"tenant-{tenants.show(house.control, ADMIN, 'acme')['uid']}"


def tfvars(house: House) -> dict[str, Any]:
    file = house.folder / "workspaces" / workspace_of(house) / "tenant.auto.tfvars.json"
    return dict(json.loads(file.read_text()))


def resize(house: House, size: str = "small") -> str:
    return str(tenants.change(house.control, ADMIN, Kind.RESIZE, "acme", Resize(size=size), ASK)["id"])


@pytest.fixture
def created(house: House, run: Run) -> str:
    made = tenants.create(house.control, ADMIN, Create(slug="acme"), ASK)["id"]
    run()
    assert shown(house, made)["status"] == "succeeded"
    return workspace_of(house)


def test_a_lost_state_is_adopted_before_anything_is_changed(house: House, run: Run, created: str) -> None:
    before = house.terraform.resources(created)
    house.terraform.lose_state(created)
    operation = resize(house)
    run()
    assert shown(house, operation)["status"] == "succeeded", shown(house, operation)
    assert "to be adopted" in story(house, operation)
    assert len(house.cloud.databases()) == 1
    assert set(house.terraform.resources(created)) == set(before)


def test_what_was_adopted_leaves_no_imports_and_a_closed_gate(house: House, run: Run, created: str) -> None:
    house.terraform.lose_state(created)
    resize(house)
    run()
    folder = house.folder / "workspaces" / created
    assert not (folder / "imports.tf").exists()
    assert tfvars(house)["slots"]["e1"]["credential_write"] is False


def test_an_adopted_database_is_sent_the_password_that_it_has(house: House, run: Run, created: str) -> None:
    house.terraform.lose_state(created)
    operation = resize(house)
    run()
    plan = asking.plan(house.control, ADMIN, operation)
    database = next(c for c in plan["changes"] if c["type"] == "aws_db_instance")
    assert database["imported_id"]
    assert "password_wo_version" in json.dumps(plan)


def lose_database(house: House) -> None:
    """Somebody deleted it, past everything that protects it."""
    identifier = house.cloud.databases()[0].identifier
    house.cloud.change_database(identifier, deletion_protection=False)
    house.cloud.remove_database(identifier)


@pytest.mark.parametrize("with_state", [True, False])
def test_a_database_that_is_gone_is_not_replaced_by_an_empty_one(
    house: House, run: Run, created: str, *, with_state: bool
) -> None:
    lose_database(house)
    house.terraform.lose_state(created, only_the_database=with_state)
    operation = tenants.change(house.control, ADMIN, Kind.RECONCILE, "acme", Reconcile(), ASK)["id"]
    run()
    assert house.cloud.databases() == []
    seen = shown(house, operation)
    assert (seen["status"], "tenant restore acme" in seen["error"]["hint"]) == ("rejected", True)


def test_a_tenant_whose_database_is_gone_can_be_destroyed(house: House, run: Run, created: str) -> None:
    lose_database(house)
    house.terraform.lose_state(created, only_the_database=True)
    operation = tenants.change(house.control, ADMIN, Kind.DESTROY, "acme", Destroy(confirm="acme"), ASK)["id"]
    run()
    assert shown(house, operation)["status"] == "succeeded", shown(house, operation)
    assert house.terraform.resources(created) == {}


def test_a_destroy_without_a_state_adopts_and_then_destroys(house: House, run: Run, created: str) -> None:
    house.terraform.lose_state(created)
    operation = tenants.change(house.control, ADMIN, Kind.DESTROY, "acme", Destroy(confirm="acme"), ASK)["id"]
    run()
    assert shown(house, operation)["status"] == "succeeded", shown(house, operation)
    assert house.cloud.databases() == []
    assert len(house.cloud.snapshots()) == 1


def test_a_database_of_somebody_else_under_our_name_stops_the_plan(house: House, run: Run) -> None:
    operation = tenants.create(house.control, ADMIN, Create(slug="acme"), ASK)["id"]
    uid = tenants.show(house.control, ADMIN, "acme")["uid"]
    house.cloud.add_database(f"acme-{uid}-e1", {})
    run()
    seen = shown(house, operation)
    assert seen["status"] == "rejected"
    assert "without our ownership tags" in seen["error"]["detail"]


def test_a_tainted_database_waits_for_a_person_and_settling_takes_it_over(house: House, run: Run) -> None:
    house.terraform.taint_next_apply()
    operation = tenants.create(house.control, ADMIN, Create(slug="acme"), ASK)["id"]
    run()
    held = shown(house, operation)
    assert held["status"] == "needs_operator"
    assert held["metadata"]["next_command"] == f"controlplane operation settle {operation}"
    taken_up = asking.settle(house.control, ADMIN, operation, Ask(reason="it is whole"))
    assert (taken_up["status"], taken_up["metadata"]["waiting_for"]) == ("planning", "")
    run()
    assert shown(house, operation)["status"] == "succeeded", shown(house, operation)
    assert len(house.cloud.databases()) == 1
    assert "tainted" in story(house, operation)


def test_a_tainted_database_can_be_given_up(house: House, run: Run) -> None:
    house.terraform.taint_next_apply()
    operation = tenants.create(house.control, ADMIN, Create(slug="acme"), ASK)["id"]
    run()
    asking.settle(house.control, ADMIN, operation, Ask(reason="not wanted"), "failed")
    given_up = tenants.change(house.control, ADMIN, Kind.DESTROY, "acme", Destroy(confirm="acme"), ASK)["id"]
    run()
    assert house.cloud.databases() == [], shown(house, given_up)


def test_a_platform_without_its_state_is_not_made_twice(house: House, run: Run) -> None:
    body = Platform(environment="development")
    operation = platforms.apply(house.control, ADMIN, BLUEPRINT, body, ASK)["id"]
    run()
    seen = shown(house, operation)
    assert (seen["status"], "second platform" in seen["error"]["detail"]) == ("rejected", True)


def test_an_operation_waits_while_a_person_plans_by_hand(house: House, run: Run, created: str) -> None:
    house.terraform.lock_by_hand(created, looks=2)
    operation = resize(house)
    run()
    assert shown(house, operation)["status"] == "succeeded"
    assert "waiting: the state of" in story(house, operation)
