"""What is called off before it began leaves nothing that waits for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from controlplane.domain.operation import Kind
from controlplane.operations import Destroy, Restore
from controlplane.services import operations as asking
from controlplane.services.control import Ask
from controlplane.services.explain import explain
from tests.operations.house import ADMIN, ASK, OTHER, House
from tests.operations.ordinary import change, create, destroy, done, shown, tenant

Run = Callable[[], None]
End = Callable[..., Any]
WAIT = Ask(reason="a test")


def approve(house: House, run: Run, operation: str) -> None:
    asking.approve(house.control, OTHER, operation, ASK)
    run()


@pytest.mark.parametrize("end", [asking.cancel, asking.reject])
def test_a_tenant_that_was_called_off_is_made_after_all(house: House, run: Run, end: End) -> None:
    operation = create(house, ask=WAIT, stage="production", size="small")
    run()
    end(house.control, ADMIN, operation, ASK)
    assert tenant(house)["phase"] == "failed"
    told = explain(house.control, ADMIN, "acme")
    assert told["next_command"] == f"controlplane operation retry {operation}"
    again = asking.retry(house.control, ADMIN, operation, ASK)["id"]
    run()
    done(house, again)
    assert tenant(house)["phase"] == "ready"


def test_one_in_the_queue_that_was_called_off_can_be_destroyed(house: House, run: Run) -> None:
    operation = create(house)
    asking.cancel(house.control, ADMIN, operation, ASK)
    assert (shown(house, operation)["status"], tenant(house)["phase"]) == ("cancelled", "failed")
    gone = destroy(house)
    run()
    done(house, gone)
    assert tenant(house)["phase"] == "torn_down"


def test_a_restore_beside_a_tenant_that_was_called_off_has_a_way_on(house: House, run: Run) -> None:
    create(house)
    run()
    operation = change(house, Kind.RESTORE, Restore.model_validate({"as": "acme-look"}))
    asking.cancel(house.control, ADMIN, operation, ASK)
    assert tenant(house, "acme-look")["phase"] == "failed"
    assert operation in explain(house.control, ADMIN, "acme-look")["next_command"]
    again = asking.retry(house.control, ADMIN, operation, ASK)["id"]
    run()
    done(house, again)
    assert (tenant(house)["phase"], tenant(house, "acme-look")["phase"]) == ("ready", "ready")


def test_what_is_called_off_of_a_living_tenant_leaves_it_as_it_was(house: House, run: Run) -> None:
    create(house, stage="production", size="small")
    run()
    operation = change(house, Kind.DESTROY, Destroy(confirm="acme"), ask=WAIT)
    run()
    asking.cancel(house.control, ADMIN, operation, ASK)
    assert (shown(house, operation)["status"], tenant(house)["phase"]) == ("cancelled", "ready")


def test_what_is_called_off_between_two_applies_is_for_a_person(house: House, run: Run) -> None:
    create(house, stage="production", size="small")
    run()
    operation = change(house, Kind.DESTROY, Destroy(confirm="acme"), ask=WAIT)
    run()
    approve(house, run, operation)
    assert shown(house, operation)["status"] == "awaiting_approval"
    asking.cancel(house.control, ADMIN, operation, ASK)
    run()
    seen = shown(house, operation)
    assert seen["status"] == "needs_operator", seen
    assert "what the first one did stays" in seen["metadata"]["waiting_for"]
