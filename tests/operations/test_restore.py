"""restore and reconcile: what was destroyed comes back; what differs goes back to what is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from controlplane.domain.errors import Conflict, Refused
from controlplane.domain.operation import Kind
from controlplane.operations import Reconcile, Restore
from controlplane.services import operations as asking
from controlplane.services.control import Ask
from tests.operations.house import ADMIN, ASK, House
from tests.operations.ordinary import application, change, create, destroy, done, shown, tenant

Run = Callable[[], None]


@pytest.fixture
def gone(house: House, run: Run) -> House:
    """A tenant with rows was destroyed."""
    create(house, size="small", storage_gb=30)
    run()
    house.database.write(application(house), "orders", "one", "two")
    destroy(house)
    run()
    assert tenant(house)["phase"] == "torn_down"
    return house


def restore(house: House) -> str:
    return change(house, Kind.RESTORE, Restore())


def test_a_restored_tenant_has_its_rows_its_size_and_another_epoch(gone: House, run: Run) -> None:
    operation = restore(gone)
    run()
    done(gone, operation)
    after = tenant(gone)
    assert (after["phase"], after["epoch"], after["size"], after["unverified"]) == (
        "ready",
        2,
        "small",
        False,
    )
    [database] = gone.cloud.databases()
    assert (database.identifier, database.storage_gb) == (f"acme-{after['uid']}-e2", 30)
    login = application(gone)
    assert login.host == after["endpoint"] == database.endpoint
    rows = gone.database.fingerprint(login)["tables"]["orders"]["count"]
    assert rows == 2


def test_the_fence_of_its_last_hour_is_opened(gone: House, run: Run) -> None:
    done_one = restore(gone)
    run()
    done(gone, done_one)
    with gone.database.world.open() as state:
        [server] = [one for key, one in state["servers"].items() if "-e2." in key]
    assert [server["roles"][role]["login"] for role in ("app_a", "app_b")] == [True, True]


def test_what_was_restored_can_be_destroyed_and_restored_again(gone: House, run: Run) -> None:
    for verb in (restore, destroy, restore):
        operation = verb(gone)
        run()
        done(gone, operation)
    assert tenant(gone)["epoch"] == 3
    assert gone.database.fingerprint(application(gone))["tables"]["orders"]["count"] == 2
    assert len(gone.cloud.databases()) == 1


def test_after_its_grace_period_nothing_is_restored(house: House, run: Run) -> None:
    create(house)
    run()
    destroy(house, grace_days=2)
    run()
    now = house.control.now
    late = replace(house, control=replace(house.control, now=lambda: now() + timedelta(days=3)))
    with pytest.raises(Refused, match="restorable until"):
        restore(late)
    assert restore(house)


def test_a_snapshot_that_is_gone_is_refused_and_leaves_it_torn_down(gone: House, run: Run) -> None:
    receipt = tenant(gone)["slots"][0]["final_snapshot"]
    gone.cloud.delete_snapshot(receipt["identifier"])
    operation = restore(gone)
    run()
    seen = shown(gone, operation)
    assert seen["status"] == "rejected"
    assert receipt["identifier"] in seen["error"]["detail"]
    after = tenant(gone)
    assert (after["phase"], after["epoch"], len(after["slots"])) == ("torn_down", 1, 1)


def test_a_snapshot_of_another_key_is_refused(gone: House, run: Run) -> None:
    with gone.db.write() as session:
        session.connection().exec_driver_sql(
            "UPDATE slot SET final_snapshot = json_set(final_snapshot, '$.kms_key_id', 'arn:other')"
        )
    operation = restore(gone)
    run()
    assert shown(gone, operation)["status"] == "rejected"
    assert gone.cloud.databases() == []


def test_a_living_tenant_is_not_restored(house: House, run: Run) -> None:
    create(house)
    run()
    with pytest.raises(Conflict, match="ready"):
        restore(house)


def test_a_rejected_restore_leaves_it_torn_down(house: House, run: Run) -> None:
    create(house, stage="production", size="small")
    run()
    destroy(house)
    run()
    operation = change(house, Kind.RESTORE, Restore(), ask=Ask(reason="a test"))
    run()
    assert shown(house, operation)["status"] == "awaiting_approval"
    asking.reject(house.control, ADMIN, operation, ASK)
    assert tenant(house)["phase"] == "torn_down"
    again = restore(house)
    run()
    done(house, again)
    assert tenant(house)["epoch"] == 2


# --- reconcile --------------------------------------------------------------------------------------


def test_what_is_as_recorded_has_no_changes(house: House, run: Run) -> None:
    create(house)
    run()
    operation = change(house, Kind.RECONCILE, Reconcile())
    run()
    done(house, operation, "no_changes")
    assert tenant(house)["phase"] == "ready"


def test_what_differs_goes_back_to_what_is_recorded(house: House, run: Run) -> None:
    create(house)
    run()
    house.terraform.drift("instance_class", "db.m6g.large")
    operation = change(house, Kind.RECONCILE, Reconcile())
    run()
    done(house, operation)
    assert house.cloud.databases()[0].instance_class == "db.t4g.micro"


def test_a_create_that_failed_is_finished(house: House, run: Run) -> None:
    house.terraform.fail_next_apply("InvalidParameterValue: not today")
    create(house)
    run()
    assert tenant(house)["phase"] == "failed"
    operation = change(house, Kind.RECONCILE, Reconcile())
    run()
    done(house, operation)
    assert tenant(house)["phase"] == "ready"
    assert len(house.cloud.databases()) == 1


def test_passwords_that_were_changed_by_hand_are_brought_to_their_secrets(house: House, run: Run) -> None:
    create(house)
    run()
    login = application(house)
    house.database.set_password(login, "app_a", "by-hand")
    assert not house.database.probe(login).reachable
    operation = change(house, Kind.RECONCILE, Reconcile())
    run()
    done(house, operation, "no_changes")
    assert house.database.probe(login).reachable
