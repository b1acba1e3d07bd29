"""From a proof of concept to production and back, through door, worker and fakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from controlplane.domain.errors import Conflict, Missing, Refused
from controlplane.domain.migration.checklist import Item
from controlplane.domain.migration.states import Strategy
from controlplane.domain.operation import Kind
from controlplane.operations import Create, Destroy, Finalize, Resize, Rollback
from controlplane.services import operations as asking
from controlplane.services import tenants
from controlplane.services.control import Ask
from controlplane.steps import world
from controlplane.store import platforms
from controlplane.worker.loop import Worker
from tests.operations.house import ADMIN, ASK, OTHER, House
from tests.operations.ordinary import application, change, done, shown, tenant
from tests.operations.upgrading import (
    ACKNOWLEDGED,
    TABLE,
    fenced,
    later,
    login_at,
    rows,
    slots,
    upgrade,
)

Run = Callable[[], None]
WAIT = Ask(reason="a test")


def test_a_poc_becomes_production_with_its_rows(poc: House, run: Run) -> None:
    left = application(poc)
    operation = upgrade(poc)
    run()
    done(poc, operation)
    seen = tenant(poc)
    assert (seen["stage"], seen["environment"], seen["size"]) == ("production", "production", "small")
    assert (seen["phase"], seen["migration_state"], seen["epoch"]) == ("ready", "soaking", 2)
    assert seen["cost_tier"] == "production-small"
    assert rows(poc) == ["one", "two"]
    assert application(poc).host != left.host
    assert not poc.database.probe(left).reachable, "the old database is closed to its application"


def test_an_upgrade_needs_an_answer_for_every_prerequisite(poc: House) -> None:
    with pytest.raises(Refused) as caught:
        upgrade(poc, acknowledge=[Item.LOAD_TEST])
    assert "--acknowledge on_call" in caught.value.hint
    assert "load_test" not in caught.value.hint
    assert "alarms" not in caught.value.hint, "a machine answers for the alarms"


@pytest.mark.parametrize("strategy", list(Strategy))
def test_an_upgrade_needs_the_production_platform(poc: House, strategy: Strategy) -> None:
    """Also where the database stays: it is rendered with what production's platform says."""
    with poc.db.write() as session:
        workspace = "platform-fargate_db_per_tenant-production-default"
        platforms.record_outputs(session, workspace, {}, "torn_down", poc.control.now())
    with pytest.raises(Missing) as caught:
        upgrade(poc, strategy=strategy, acknowledge=[*ACKNOWLEDGED, Item.STAYS_IN_NETWORK])
    assert "--environment production" in caught.value.hint


def test_nothing_is_closed_before_somebody_approved(poc: House, run: Run) -> None:
    operation = upgrade(poc, ask=WAIT)
    run()
    assert shown(poc, operation)["status"] == "awaiting_approval"
    assert poc.database.probe(application(poc)).reachable
    assert len(poc.cloud.snapshots()) == 0
    asking.approve(poc.control, OTHER, operation, ASK)
    run()
    done(poc, operation)


def test_a_rejected_upgrade_leaves_the_tenant_free_to_ask_again(poc: House, run: Run) -> None:
    operation = upgrade(poc, ask=WAIT)
    run()
    asking.reject(poc.control, ADMIN, operation, ASK)
    run()
    assert tenant(poc)["migration_state"] == "rolled_back"
    again = upgrade(poc)
    run()
    done(poc, again)
    assert tenant(poc)["epoch"] == 2


def test_the_new_database_gets_the_keys_and_passwords_of_its_own(poc: House, run: Run) -> None:
    upgrade(poc)
    run()
    old, new = login_at(poc, 1), login_at(poc, 2)
    assert old.password != new.password
    copy = poc.cloud.snapshot(f"acme-{tenant(poc)['uid']}-e1-to-e2-copy")
    assert copy is not None
    assert str(copy.kms_key_id).endswith("production")


def obstacle(house: House, epoch: int, **facts: object) -> None:
    house.database.change_server(login_at(house, epoch), **facts)


def test_what_stands_in_the_way_is_found_before_the_fence(poc: House, run: Run) -> None:
    obstacle(poc, 1, prepared=["left-over"])
    operation = upgrade(poc)
    run()
    seen = shown(poc, operation)
    assert (seen["status"], tenant(poc)["phase"]) == ("rejected", "ready")
    assert "left-over" in seen["error"]["detail"]
    assert not fenced(poc, 1)


def test_a_verification_that_fails_takes_everything_back(poc: House, run: Run) -> None:
    """Rows that got into the new database behind our back."""
    poc.terraform.after_create = lambda: poc.database.write(login_at(poc, 2, "master"), TABLE, "stray")
    operation = upgrade(poc)
    run()
    seen = shown(poc, operation)
    assert seen["status"] == "partially_applied", seen
    assert "V1" in seen["error"]["detail"]
    assert "migration rollback acme removes e2" in seen["error"]["hint"]
    assert (tenant(poc)["phase"], tenant(poc)["epoch"], tenant(poc)["stage"]) == ("ready", 1, "poc")
    assert not fenced(poc, 1)
    assert rows(poc) == ["one", "two"]


def test_what_a_failed_upgrade_left_is_removed_and_the_next_one_goes_through(poc: House, run: Run) -> None:
    poc.terraform.after_create = lambda: poc.database.write(login_at(poc, 2, "master"), TABLE, "stray")
    upgrade(poc)
    run()
    with pytest.raises(Conflict, match="e2"):
        upgrade(poc)
    removal = change(poc, Kind.ROLLBACK, Rollback())
    run()
    done(poc, removal)
    assert slots(poc) == {1: "present", 2: "gone"}
    poc.terraform.after_create = None
    again = upgrade(poc)
    run()
    done(poc, again)
    assert (tenant(poc)["epoch"], rows(poc)) == (3, ["one", "two"])


def test_an_apply_that_fails_lifts_the_fence_and_forgets_the_slot(poc: House, run: Run) -> None:
    poc.terraform.fail_next_apply("InvalidParameterValue: no such class")
    operation = upgrade(poc)
    run()
    seen = shown(poc, operation)
    assert seen["status"] == "failed", seen
    assert not fenced(poc, 1)
    assert slots(poc) == {1: "present", 2: "gone"}
    assert (tenant(poc)["phase"], tenant(poc)["migration_state"]) == ("ready", "rolled_back")


def test_an_apply_whose_end_nobody_saw_is_adopted_under_the_fence(poc: House, run: Run) -> None:
    poc.terraform.lose_next_apply(after_effect=True)
    operation = upgrade(poc)
    run()
    done(poc, operation)
    assert rows(poc) == ["one", "two"]


@pytest.mark.parametrize("watched", [True, False], ids=["watched", "the watch looks too late"])
def test_a_fence_that_lapses_is_lifted_and_nothing_is_switched(
    poc: House, worker: Worker, run: Run, watched: bool
) -> None:
    """The restore takes longer than the outage that was approved."""
    here = world.world()
    if not watched:
        worker.hooks = ()
    poc.terraform.after_create = lambda: world.install(
        replace(here, now=lambda: here.now() + timedelta(minutes=6))
    )
    operation = upgrade(poc, outage_minutes=5)
    run()
    seen = shown(poc, operation)
    assert seen["status"] == "partially_applied", seen
    assert "lapsed" in seen["error"]["detail"]
    assert (tenant(poc)["epoch"], tenant(poc)["phase"]) == (1, "ready")
    assert not fenced(poc, 1)


def test_a_cancelled_upgrade_is_taken_back_before_the_switch(poc: House, run: Run) -> None:
    ids: list[str] = []
    poc.terraform.after_create = lambda: asking.cancel(poc.control, ADMIN, ids[0], ASK)
    ids.append(upgrade(poc))
    run()
    assert shown(poc, ids[0])["status"] == "partially_applied"
    assert "cancelled before the switch" in shown(poc, ids[0])["error"]["detail"]
    assert tenant(poc)["epoch"] == 1
    assert not fenced(poc, 1)


def without_a_way_back(house: House) -> None:
    """Rows cannot be sent back: neither database may subscribe."""
    fact = {"strategy": "logical_replication", "name": "cp_control cannot subscribe", "detail": "a test"}
    obstacle(house, 1, obstacles=[fact])


def test_a_rollback_past_open_says_what_it_gives_up_and_goes_back(poc: House, run: Run) -> None:
    without_a_way_back(poc)
    upgrade(poc)
    run()
    poc.database.write(application(poc), TABLE, "three")
    with pytest.raises(Refused) as caught:
        change(poc, Kind.ROLLBACK, Rollback())
    assert "--accept-loss" in caught.value.hint
    operation = change(poc, Kind.ROLLBACK, Rollback(accept_loss=True))
    run()
    done(poc, operation)
    seen = tenant(poc)
    assert (seen["stage"], seen["size"], seen["epoch"]) == ("poc", "micro", 1)
    assert (seen["phase"], seen["migration_state"]) == ("ready", "rolled_back")
    assert rows(poc) == ["one", "two"]
    assert slots(poc) == {1: "present", 2: "gone"}
    last = poc.cloud.snapshot(f"acme-{seen['uid']}-e2-teardown")
    assert last is not None, "what is given up is kept as a snapshot"
    assert shown(poc, operation)["response"]["removed"] == "e2"


def test_a_finalize_waits_for_a_day(poc: House, run: Run) -> None:
    upgrade(poc)
    run()
    later(poc, hours=23, minutes=59)
    with pytest.raises(Refused, match="kept until"):
        change(poc, Kind.FINALIZE, Finalize())
    later(poc, minutes=1, seconds=30)
    operation = change(poc, Kind.FINALIZE, Finalize())
    run()
    done(poc, operation)
    assert slots(poc) == {1: "gone", 2: "present"}
    assert (tenant(poc)["migration_state"], rows(poc)) == ("complete", ["one", "two"])
    names = [one.identifier for one in poc.cloud.snapshots()]
    assert names == [f"acme-{tenant(poc)['uid']}-e1-teardown"], "only the proven one is kept"


def test_a_finalize_before_a_day_needs_a_reason(poc: House, run: Run) -> None:
    upgrade(poc)
    run()
    with pytest.raises(Refused, match="reason"):
        change(poc, Kind.FINALIZE, Finalize(override=True), ask=Ask(auto_approve=True))
    operation = change(poc, Kind.FINALIZE, Finalize(override=True))
    run()
    done(poc, operation)


def test_no_source_is_removed_when_its_snapshot_fails(poc: House, run: Run) -> None:
    upgrade(poc)
    run()
    poc.cloud.world.inject("create_snapshot", "denied", times=9)
    operation = change(poc, Kind.FINALIZE, Finalize(override=True))
    run()
    assert shown(poc, operation)["status"] == "needs_operator"
    assert len(poc.cloud.databases()) == 2


def test_a_soaking_tenant_can_grow_and_still_go_back(poc: House, run: Run) -> None:
    upgrade(poc)
    run()
    grown = change(poc, Kind.RESIZE, Resize(size="medium"))
    run()
    done(poc, grown)
    assert tenant(poc)["size"] == "medium"
    change(poc, Kind.ROLLBACK, Rollback(accept_loss=True))
    run()
    assert (tenant(poc)["size"], tenant(poc)["epoch"]) == ("micro", 1)


def test_a_tenant_that_is_destroyed_while_it_soaks_leaves_nothing(poc: House, run: Run) -> None:
    upgrade(poc)
    run()
    operation = change(poc, Kind.DESTROY, Destroy(confirm="acme"))
    run()
    done(poc, operation)
    assert poc.cloud.databases() == []
    assert tenant(poc)["migration_state"] == "none"
    tenants.create(poc.control, ADMIN, Create(slug="acme"), ASK)
    run()
    assert (tenant(poc)["epoch"], tenant(poc)["phase"]) == (3, "ready")


def test_an_upgrade_in_place_changes_the_same_database(poc: House, run: Run) -> None:
    there = [*ACKNOWLEDGED, Item.STAYS_IN_NETWORK]
    operation = upgrade(poc, strategy="in_place", size="medium", acknowledge=there)
    run()
    done(poc, operation)
    seen = tenant(poc)
    assert (seen["stage"], seen["size"], seen["epoch"]) == ("production", "medium", 1)
    assert (seen["migration_state"], rows(poc)) == ("complete", ["one", "two"])
    instance = poc.cloud.database(f"acme-{seen['uid']}-e1")
    assert instance is not None
    assert (instance.multi_az, instance.instance_class) == (True, "db.t4g.medium")
    assert len(poc.cloud.snapshots()) == 1, "the way back is taken before"


def test_an_upgrade_in_place_has_its_own_prerequisite(poc: House) -> None:
    with pytest.raises(Refused, match="stays_in_network"):
        upgrade(poc, strategy="in_place")
