"""An upgrade by RDS's own switchover: the name stays, another instance answers to it, Terraform follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from controlplane.domain.errors import Conflict, Refused
from controlplane.domain.migration.checklist import Item
from controlplane.domain.operation import Kind
from controlplane.operations import Destroy, Finalize, Reconcile, Restore, Rollback, Suspend
from controlplane.services import operations as asking
from controlplane.store.fleet import databases, scans
from tests.operations.house import ADMIN, ASK, House
from tests.operations.ordinary import application, change, done, shown, tenant
from tests.operations.upgrading import (
    ACKNOWLEDGED,
    TABLE,
    fenced,
    later,
    login_at,
    picture,
    rows,
    slots,
    upgrade,
)

Run = Callable[[], None]
STAYING = [*ACKNOWLEDGED, Item.STAYS_IN_NETWORK]
BEFORE = ["requested", "preflight", "approved", "seeding", "target_ready", "catching_up", "fencing", "fenced"]
PATH = [*BEFORE, "drained", "verified", "flipped", "open", "soaking"]


def switch(house: House, **fields: object) -> str:
    return upgrade(house, **{"strategy": "rds_blue_green", "acknowledge": STAYING, **fields})


def ids(house: House) -> dict[str, str]:
    before = f"acme-{tenant(house)['uid']}-e"
    return {one.identifier.removeprefix(before): one.resource_id for one in house.cloud.databases()}


def test_the_slot_keeps_its_name_and_another_instance_answers_to_it(poc: House, run: Run) -> None:
    before, left = ids(poc), application(poc)
    operation = switch(poc)
    run()
    done(poc, operation)
    seen = tenant(poc)
    assert (seen["stage"], seen["environment"], seen["size"]) == ("production", "production", "small")
    assert (seen["phase"], seen["migration_state"], seen["epoch"]) == ("ready", "soaking", 1)
    assert application(poc) == left, "nothing that applications know changes"
    assert rows(poc) == ["one", "two"]
    assert ids(poc)["1-old1"] == before["1"] != ids(poc)["1"]
    assert slots(poc) == {1: "present", 2: "beside"}
    assert [s["state"] for s in picture(poc)["states"]] == PATH
    assert all(s["at"] for s in picture(poc)["states"])


def test_terraform_means_the_side_that_serves_and_has_nothing_left_to_do(poc: House, run: Run) -> None:
    switch(poc)
    run()
    again = change(poc, Kind.RECONCILE, Reconcile())
    run()
    done(poc, again, "no_changes")
    workspace = f"tenant-{tenant(poc)['uid']}"
    kept = poc.terraform.resources(workspace)['module.database["e1"].aws_db_instance.this']
    assert kept["resource_id"] == ids(poc)["1"]
    instance = poc.cloud.database(f"acme-{tenant(poc)['uid']}-e1")
    assert instance is not None
    assert (instance.multi_az, instance.instance_class) == (True, "db.t4g.small")


def test_the_side_that_was_left_is_closed_and_only_read(poc: House, run: Run) -> None:
    before = application(poc)
    switch(poc)
    run()
    assert not fenced(poc, 1)
    uid = tenant(poc)["uid"]
    old = poc.cloud.database(f"acme-{uid}-e1-old1")
    assert old is not None
    at_old = replace(before, host=str(old.endpoint))
    assert not poc.database.probe(at_old).reachable
    assert not poc.database.probe(replace(at_old, username="cp_control")).reachable


@pytest.mark.parametrize(
    ("facts", "said", "hint"),
    [
        ({"backup_retention_days": 0}, "no automated backups", "turn them on"),
        ({"replicas": ["acme-reader"]}, "read replicas: acme-reader", "remove them"),
        ({"pending": {"instance_class": "db.t4g.large"}}, "still holds back", "reconcile"),
        ({"storage_gb": 60}, "has grown to 60 GB", "--storage-gb 60"),
    ],
)
def test_what_rds_would_refuse_is_refused_before_anything_begins(
    poc: House, run: Run, facts: dict[str, object], said: str, hint: str
) -> None:
    poc.cloud.change_database(f"acme-{tenant(poc)['uid']}-e1", **facts)
    operation = switch(poc)
    run()
    seen = shown(poc, operation)
    assert (seen["status"], tenant(poc)["phase"]) == ("rejected", "ready")
    assert said in seen["error"]["detail"]
    assert hint in seen["error"]["hint"]
    assert not fenced(poc, 1)
    assert "begin_blue_green" not in " ".join(poc.cloud.world.calls())


def test_it_is_refused_where_the_tenant_may_not_stay_in_its_network(poc: House) -> None:
    with pytest.raises(Refused, match="under the key of development") as caught:
        switch(poc, acknowledge=ACKNOWLEDGED)
    for way in ("--acknowledge stays_in_network", "logical_replication", "in_place"):
        assert way in caught.value.hint


def test_a_side_that_is_not_the_same_is_not_switched_to(poc: House, run: Run) -> None:
    """Rows that got into the green side behind our back."""
    before = ids(poc)
    poc.database.stray = True
    operation = switch(poc)
    run()
    seen = shown(poc, operation)
    assert seen["status"] == "failed", seen
    assert "V1" in seen["error"]["detail"]
    assert (ids(poc), slots(poc)) == (before, {1: "present"})
    assert (tenant(poc)["phase"], tenant(poc)["stage"], tenant(poc)["migration_state"]) == (
        "ready",
        "poc",
        "rolled_back",
    )
    assert not fenced(poc, 1)


def test_a_switchover_that_rds_takes_back_costs_nothing(poc: House, run: Run) -> None:
    before = ids(poc)
    poc.cloud.stall_switchover()
    operation = switch(poc)
    run()
    seen = shown(poc, operation)
    assert seen["status"] == "failed", seen
    assert "the switchover timed out" in seen["error"]["detail"]
    assert (ids(poc), tenant(poc)["migration_state"], tenant(poc)["stage"]) == (before, "rolled_back", "poc")
    assert not fenced(poc, 1)
    again = switch(poc)
    run()
    done(poc, again)
    assert rows(poc) == ["one", "two"]


def test_a_cancelled_one_is_taken_back_before_the_switchover(poc: House, run: Run) -> None:
    before, operations = ids(poc), []
    poc.cloud.on_green = lambda: asking.cancel(poc.control, ADMIN, operations[0], ASK)
    operations.append(switch(poc))
    run()
    seen = shown(poc, operations[0])
    assert seen["status"] == "failed", seen
    assert "cancelled before the switch" in seen["error"]["detail"]
    assert (ids(poc), tenant(poc)["phase"]) == (before, "ready")
    assert not fenced(poc, 1)


def test_a_check_that_fails_behind_it_leaves_the_side_that_serves_open(poc: House, run: Run) -> None:
    """The side that was left gets nothing back: a person decides, and nobody is kept out."""
    poc.database.change_server(login_at(poc, 1), broken_sql="no orders")
    operation = switch(poc)
    run()
    seen = shown(poc, operation)
    assert (seen["status"], tenant(poc)["phase"]) == ("needs_operator", "needs_operator")
    assert "smoke checks failed" in seen["metadata"]["waiting_for"]
    assert not fenced(poc, 1)
    assert slots(poc) == {1: "present", 2: "beside"}
    poc.database.change_server(login_at(poc, 1), broken_sql="")
    asking.settle(poc.control, ADMIN, operation, ASK)
    run()
    done(poc, operation)
    assert picture(poc)["state"] == "soaking"


def test_a_finalize_removes_the_side_that_was_left_once_its_snapshot_is_proven(poc: House, run: Run) -> None:
    switch(poc)
    run()
    serves = ids(poc)["1"]
    with pytest.raises(Refused, match="kept until"):
        change(poc, Kind.FINALIZE, Finalize())
    later(poc, days=1, seconds=5)
    operation = change(poc, Kind.FINALIZE, Finalize())
    run()
    done(poc, operation)
    assert (ids(poc), slots(poc)) == ({"1": serves}, {1: "present", 2: "gone"})
    assert (tenant(poc)["migration_state"], rows(poc)) == ("complete", ["one", "two"])
    uid = tenant(poc)["uid"]
    assert [one.identifier for one in poc.cloud.snapshots()] == [f"acme-{uid}-e1-old1-teardown"]
    assert poc.cloud.world.calls("end_blue_green") != []
    order = [one.split()[0] for one in poc.cloud.world.calls()]
    assert order.index("create_snapshot") < order.index("end_blue_green") < order.index("delete_database")


def test_who_soaks_beside_its_old_side_is_not_suspended(poc: House, run: Run) -> None:
    switch(poc)
    run()
    with pytest.raises(Conflict, match="RDS stops neither") as caught:
        change(poc, Kind.SUSPEND, Suspend())
    assert "migration finalize acme" in caught.value.hint


def test_the_side_that_was_left_is_paid_for_counted_and_no_orphan(poc: House, run: Run) -> None:
    switch(poc)
    run()
    with poc.db.read() as session:
        assert scans.counts(session, "us-east-1")["databases"] == 2
        assert [one.identifier[-3:] for one in databases.every(session)] == ["-e1"], "none of Terraform's"
    soaking = float(tenant(poc)["monthly_usd"])
    later(poc, days=1, seconds=5)
    change(poc, Kind.FINALIZE, Finalize())
    run()
    assert float(tenant(poc)["monthly_usd"]) < soaking


def test_no_side_is_removed_when_its_snapshot_fails(poc: House, run: Run) -> None:
    switch(poc)
    run()
    poc.cloud.world.inject("create_snapshot", "denied", times=9)
    operation = change(poc, Kind.FINALIZE, Finalize(override=True))
    run()
    assert shown(poc, operation)["status"] == "needs_operator"
    assert set(ids(poc)) == {"1", "1-old1"}


def test_the_way_back_gives_up_what_was_written_since_and_says_so(poc: House, run: Run) -> None:
    switch(poc)
    run()
    poc.database.write(application(poc), TABLE, "three")
    with pytest.raises(Refused, match="everything that acme has written since 20") as caught:
        change(poc, Kind.ROLLBACK, Rollback())
    assert "--accept-loss" in caught.value.hint
    old = ids(poc)["1-old1"]
    operation = change(poc, Kind.ROLLBACK, Rollback(accept_loss=True))
    run()
    done(poc, operation)
    seen = tenant(poc)
    assert (seen["stage"], seen["size"], seen["epoch"]) == ("poc", "micro", 2)
    assert (seen["phase"], seen["migration_state"]) == ("ready", "rolled_back")
    assert rows(poc) == ["one", "two"]
    assert (ids(poc), slots(poc)) == ({"1-old1": old}, {1: "gone", 2: "present"})
    assert poc.cloud.snapshot(f"acme-{seen['uid']}-e1-teardown") is not None, "what is given up is kept"
    assert picture(poc)["loss"]["rows_more_by_table"] == {TABLE: 1}


def test_a_tenant_that_came_back_can_go_again(poc: House, run: Run) -> None:
    switch(poc)
    run()
    change(poc, Kind.ROLLBACK, Rollback(accept_loss=True))
    run()
    again = switch(poc)
    run()
    done(poc, again)
    assert slots(poc) == {1: "gone", 2: "present", 3: "beside"}
    assert rows(poc) == ["one", "two"]


def test_a_tenant_that_is_destroyed_while_it_soaks_leaves_nothing(poc: House, run: Run) -> None:
    switch(poc)
    run()
    operation = change(poc, Kind.DESTROY, Destroy(confirm="acme"))
    run()
    done(poc, operation)
    assert poc.cloud.databases() == []
    uid = tenant(poc)["uid"]
    names = [one.identifier for one in poc.cloud.snapshots()]
    assert names == [f"acme-{uid}-e1-old1-teardown", f"acme-{uid}-e1-teardown"]
    back = change(poc, Kind.RESTORE, Restore())
    run()
    done(poc, back)
    assert (tenant(poc)["epoch"], rows(poc)) == (3, ["one", "two"])
