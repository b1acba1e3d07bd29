"""Restore drills: a backup is restored beside its tenant, looked at, measured, and nothing of it stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from controlplane.domain.errors import Conflict, Missing, Refused
from controlplane.domain.migration.checklist import Item
from controlplane.domain.operation import Kind
from controlplane.operations import Drill
from controlplane.services import figures, moves
from controlplane.services import operations as asking
from controlplane.services.actor import Actor, Role
from controlplane.services.recovery import drilling
from controlplane.services.schedules import running
from controlplane.store import slots
from controlplane.store import tenants as rows
from tests.operations.house import ADMIN, ASK, House
from tests.operations.ordinary import application, change, create, done, shown, tenant

Run = Callable[[], None]


@pytest.fixture
def acme(house: House, run: Run) -> House:
    """A tenant in production, with two rows."""
    create(house, stage="production", storage_gb=30)
    run()
    house.database.write(application(house), "orders", "one", "two")
    return house


def drill(house: House) -> str:
    return change(house, Kind.DRILL, Drill())


def report(house: House) -> dict[str, Any]:
    return dict(drilling.page(house.control, ADMIN, drilling.Listing())["items"][0])


def assert_nothing_is_left(house: House) -> None:
    """Of the copy; and the tenant is as it was."""
    copy = report(house)["copy_slug"]
    assert [one.identifier for one in house.cloud.databases()] == [f"acme-{tenant(house)['uid']}-e1"]
    assert house.cloud.snapshots() == []
    assert tenant(house, copy)["phase"] == "torn_down"
    assert house.terraform.resources(f"tenant-{tenant(house, copy)['uid']}") == {}
    with house.cloud.world.open() as state:
        left = [name for name, one in state["secrets"].items() if copy in name and not one["deleted"]]
    assert left == []
    assert tenant(house)["phase"] == "ready"
    assert house.database.probe(application(house)).reachable


def test_a_backup_is_restored_verified_measured_and_removed(acme: House, run: Run) -> None:
    before = tenant(acme)
    operation = drill(acme)
    run()
    seen = done(acme, operation)["response"]
    assert seen["tenant"] == "acme"
    assert 0 <= seen["rpo_seconds"] < 300
    assert 0 < seen["rto_seconds"] < 3600
    assert {one["id"]: one["detail"] for one in seen["checks"] if one["passed"]}["V1"] == "2 rows in 1 tables"
    assert_nothing_is_left(acme)
    assert tenant(acme) == before
    assert report(acme)["problem"] == ""


def test_nobody_has_to_approve_what_makes_and_removes_a_copy(acme: House, run: Run) -> None:
    operation = change(acme, Kind.DRILL, Drill(), ask=replace(ASK, auto_approve=False))
    run()
    done(acme, operation)


def test_its_workspace_is_not_the_tenants(acme: House, run: Run) -> None:
    operation = drill(acme)
    busy = drill(acme)  # the tenant is held by neither
    assert shown(acme, operation)["workspace"] != shown(acme, busy)["workspace"]
    assert tenant(acme)["open_operation"] is None
    run()
    done(acme, busy)


def test_a_copy_that_is_not_whole_fails_the_drill_and_goes(acme: House, run: Run) -> None:
    acme.terraform.after_create = lambda: spoil_copies(acme, tables={})
    operation = drill(acme)
    run()
    seen = shown(acme, operation)
    assert seen["status"] == "failed"
    assert "V0 schema" in seen["error"]["detail"]
    assert "nothing of it is left" in seen["error"]["detail"]
    assert report(acme)["rto_seconds"] is not None
    assert_nothing_is_left(acme)


def spoil_copies(house: House, **facts: object) -> None:
    with house.database.world.open() as state:
        for key, server in state["servers"].items():
            if "-drill-" in key:
                server.update(facts)


def test_an_apply_that_fails_leaves_nothing(acme: House, run: Run) -> None:
    acme.terraform.fail_next_apply("Error: KMSKeyNotAccessibleFault")
    operation = drill(acme)
    run()
    seen = shown(acme, operation)
    assert seen["status"] == "failed"
    assert "KMSKeyNotAccessibleFault" in str(seen["error"]) or "exited 1" in seen["error"]["detail"]
    assert_nothing_is_left(acme)


def test_a_copy_that_nobody_can_reach_fails_the_drill_and_goes(acme: House, run: Run) -> None:
    acme.terraform.after_create = lambda: spoil_copies(acme, up=False)
    operation = drill(acme)
    run()
    seen = shown(acme, operation)
    assert (seen["status"], tenant(acme)["phase"]) == ("failed", "ready")
    assert_nothing_is_left(acme)


def test_without_backups_nothing_is_begun(acme: House, run: Run) -> None:
    acme.cloud.change_database(f"acme-{tenant(acme)['uid']}-e1", backup_retention_days=0)
    operation = drill(acme)
    run()
    seen = shown(acme, operation)
    assert (seen["status"], "has no backups" in seen["error"]["detail"]) == ("rejected", True)
    assert_nothing_is_left(acme)


def test_one_that_is_called_off_leaves_nothing(acme: House, run: Run) -> None:
    operation = drill(acme)
    asking.cancel(acme.control, ADMIN, operation, ASK)
    run()
    assert shown(acme, operation)["status"] == "cancelled"
    assert_nothing_is_left(acme)


def test_who_may_not_change_the_tenant_drills_none(acme: House) -> None:
    stranger = Actor("eve", Role.OPERATOR, tenants=("other-*",))
    with pytest.raises(Missing, match="acme"):
        drilling.begin(acme.control, stranger, "acme", ASK)


def test_what_was_adopted_or_is_not_ready_is_refused(acme: House) -> None:
    with acme.db.write() as session:
        slot = slots.get(session, tenant(acme)["uid"], 1)
        slot.adopted = True
    with pytest.raises(Refused, match="adopted"):
        drill(acme)
    with acme.db.write() as session:
        rows.by_uid(session, tenant(acme)["uid"]).phase = "suspended"
    with pytest.raises(Conflict, match="suspended"):
        drill(acme)


def test_the_schedule_picks_one_and_waits_for_its_end(acme: House, run: Run) -> None:
    said = running.run(acme.control, ADMIN, "restore-drill", ASK)
    assert (said["last_status"], said["last_words"].split(":")[0]) == ("done", "acme")
    again = running.run(acme.control, ADMIN, "restore-drill", ASK)
    assert "is not over" in again["last_words"]
    run()
    assert_nothing_is_left(acme)
    third = running.run(acme.control, ADMIN, "restore-drill", ASK)
    assert "before it acme: succeeded" in third["last_words"]


def test_a_schedule_without_tenants_says_so(house: House) -> None:
    said = running.run(house.control, ADMIN, "restore-drill", ASK)
    assert said["last_words"] == "there is no tenant that could be restored"


def test_what_was_drilled_answers_for_an_upgrade_and_for_the_figures(poc: House, run: Run) -> None:
    done_one = drill(poc)
    assert "controlplane_restore_drill_passed" not in figures.gauges(poc.control)
    run()
    done(poc, done_one)
    with poc.db.read() as session:
        seen = moves._seen(poc.control, session, rows.by_uid(session, tenant(poc)["uid"]))
    assert done_one in seen[Item.RECOVERY_TESTED]
    told = figures.gauges(poc.control)
    assert told["controlplane_restore_drill_passed"] == {(): 1.0}
    assert told["controlplane_restore_drill_rto_seconds"][()] > 0
