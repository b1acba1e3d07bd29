"""resize: in place, behind a snapshot, and refused before Terraform where RDS would refuse it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from controlplane.domain.errors import Conflict, Invalid, Refused
from controlplane.domain.operation import Kind
from controlplane.operations import Resize, Suspend
from controlplane.services.bodies import parse
from tests.fakes.rds import wait_until
from tests.operations.house import House
from tests.operations.ordinary import application, change, create, done, shown, tenant, warnings

Run = Callable[[], None]


@pytest.fixture
def acme(house: House, run: Run) -> str:
    """The identifier of a database that is ready."""
    create(house)
    run()
    return house.cloud.databases()[0].identifier


def resize(house: House, **wanted: object) -> str:
    return change(house, Kind.RESIZE, Resize.model_validate(wanted))


def test_another_size_is_another_class_and_another_tier(house: House, run: Run, acme: str) -> None:
    before, login = tenant(house), application(house)
    operation = resize(house, size="small")
    run()
    seen = done(house, operation)
    after = tenant(house)
    assert house.cloud.database(acme).instance_class == "db.t4g.small"
    assert (after["size"], after["cost_tier"], after["phase"]) == ("small", "poc-small", "ready")
    assert float(after["monthly_usd"]) > float(before["monthly_usd"])
    assert float(seen["cost_after"]) == float(after["monthly_usd"])
    assert after["generation"] == before["generation"] + 1 == after["observed_generation"]
    assert application(house) == login


def test_a_snapshot_is_taken_before_anything_changes(house: House, run: Run, acme: str) -> None:
    operation = resize(house, storage_gb=40)
    run()
    done(house, operation)
    taken = house.cloud.snapshot(f"{acme}-before-{operation}")
    assert (taken.status, taken.storage_gb) == ("available", 20)
    assert house.cloud.database(acme).storage_gb == 40


def test_nothing_changes_when_its_snapshot_fails(house: House, run: Run, acme: str) -> None:
    house.cloud.world.inject("create_snapshot", "denied", times=9)
    operation = resize(house, size="small")
    run()
    assert shown(house, operation)["status"] == "failed"
    assert house.cloud.database(acme).instance_class == "db.t4g.micro"
    assert (tenant(house)["phase"], tenant(house)["size"]) == ("ready", "micro")


def test_what_is_there_already_changes_nothing(house: House, run: Run, acme: str) -> None:
    operation = resize(house, size="micro")
    run()
    done(house, operation, "no_changes")
    assert house.cloud.snapshots() == []


def test_nothing_asked_for_is_refused() -> None:
    with pytest.raises(Invalid, match="say a size"):
        parse(Resize, {})


def test_storage_that_shrinks_is_refused_at_once_with_the_way_that_works(
    house: House, run: Run, acme: str
) -> None:
    run_once = resize(house, storage_gb=60)
    run()
    done(house, run_once)
    with pytest.raises(Refused, match="never shrinks") as refused:
        resize(house, storage_gb=40)
    assert "logical_replication" in refused.value.hint


def test_six_hours_pass_between_two_changes_of_storage(house: House, run: Run, acme: str) -> None:
    first = resize(house, storage_gb=40)
    run()
    done(house, first)
    with pytest.raises(Refused, match="six hours"):
        resize(house, storage_gb=60)
    # The size does not wait for that.
    second = resize(house, size="small")
    run()
    done(house, second)
    later = replace(
        house, control=replace(house.control, now=lambda: house.control.now() + timedelta(hours=7))
    )
    assert resize(later, storage_gb=60)


def test_storage_that_grew_by_itself_cannot_be_asked_for_again(house: House, run: Run, acme: str) -> None:
    house.cloud.change_database(acme, storage_gb=50)
    operation = resize(house, storage_gb=40)
    run()
    seen = shown(house, operation)
    assert seen["status"] == "rejected"
    assert "autoscaling has grown" in seen["error"]["detail"]
    assert len(house.terraform.applied()) == 1


def test_a_class_without_room_for_the_peak_is_refused(house: House, run: Run, acme: str) -> None:
    done_first = resize(house, size="small")
    run()
    done(house, done_first)
    house.cloud.measure_peak(acme, 150)
    operation = resize(house, size="micro")
    run()
    seen = shown(house, operation)
    assert seen["status"] == "rejected"
    assert "the peak was 150" in seen["error"]["detail"]
    assert "db.t4g.small" in seen["error"]["hint"]


def test_a_peak_that_was_not_measured_is_said_and_not_taken_for_zero(
    house: House, run: Run, acme: str
) -> None:
    done_first = resize(house, size="small")
    run()
    done(house, done_first)
    operation = resize(house, size="micro")
    run()
    done(house, operation)
    assert any("is not measured" in line for line in warnings(house, operation))


def test_storage_that_leaves_the_tiers_band_wants_another_size(house: House, run: Run, acme: str) -> None:
    operation = resize(house, storage_gb=2000)
    run()
    seen = shown(house, operation)
    assert seen["status"] == "rejected"
    assert "leaves the band of poc-micro" in seen["error"]["detail"]


def test_a_suspended_tenant_is_not_resized(house: House, run: Run, acme: str) -> None:
    change(house, Kind.SUSPEND, Suspend())
    run()
    with pytest.raises(Conflict, match="suspended"):
        resize(house, size="small")


def test_a_database_that_was_stopped_outside_is_refused_with_the_way(
    house: House, run: Run, acme: str
) -> None:
    house.cloud.change_database(acme, status="stopped")
    operation = resize(house, size="small")
    run()
    seen = shown(house, operation)
    assert seen["status"] == "rejected"
    assert "resume" in seen["error"]["hint"]


def test_an_update_that_aws_refused_is_no_success_whatever_the_state_says(
    house: House, run: Run, acme: str
) -> None:
    house.terraform.refuse_next_update("InsufficientDBInstanceCapacity: not today")
    operation = resize(house, size="small")
    run()
    seen = shown(house, operation)
    assert seen["status"] == "partially_applied", seen["status"]
    assert "InsufficientDBInstanceCapacity" in str(seen["error"])
    assert tenant(house)["phase"] == "failed"
    assert house.cloud.databases()[0].instance_class == "db.t4g.micro"


def test_what_rds_holds_back_is_waited_for(house: House, run: Run, acme: str) -> None:
    """Applied is not done: only when nothing is pending any more the tenant is asked, and ready."""
    seen: list[str] = []

    def let_go() -> None:
        wait_until(lambda: shown(house, operation)["status"] == "verifying", "it to be applied", 120)
        time.sleep(0.3)
        seen.append(shown(house, operation)["status"])
        house.cloud.change_database(acme, pending={})

    house.cloud.change_database(acme, pending={"DBInstanceClass": "db.t4g.small"})
    operation = resize(house, size="small")
    later = threading.Thread(target=let_go, daemon=True)
    later.start()
    run()
    later.join(10)
    done(house, operation)
    assert seen == ["verifying"]


def test_a_tenant_that_stops_answering_is_not_as_it_was(house: House, run: Run, acme: str) -> None:
    house.database.world.inject("probe", "denied")
    operation = resize(house, size="small")
    run()
    done(house, operation)
    assert any("does not answer" in line for line in warnings(house, operation))
    assert tenant(house)["unverified"]
    again = resize(house, size="medium")
    run()
    done(house, again)
    assert not tenant(house)["unverified"]
