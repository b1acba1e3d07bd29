"""The archive: what a database held lies as files in a bucket before the database goes, or it does not go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controlplane.domain.operation import Kind
from controlplane.operations import Destroy, Finalize
from controlplane.ports import ArchivePlace
from controlplane.services import operations as asking
from controlplane.store import platforms
from tests.operations.house import ADMIN, ASK, BLUEPRINT, PLATFORM, House
from tests.operations.ordinary import change, destroy, done, shown, tenant, warnings
from tests.operations.upgrading import upgrade

Run = Callable[[], None]


def receipt(house: House, epoch: int = 1) -> dict[str, Any]:
    return next(dict(s["final_snapshot"]) for s in tenant(house)["slots"] if s["epoch"] == epoch)


def begun(house: House) -> dict[str, dict[str, Any]]:
    with house.cloud.world.open() as state:
        return dict(state["exports"])


def test_a_destroy_exports_the_final_snapshot_and_writes_down_where_it_is(poc: House, run: Run) -> None:
    operation = destroy(poc)
    run()
    done(poc, operation)
    name = f"acme-{tenant(poc)['uid']}-e1"
    assert receipt(poc)["archive"] == {
        "export": f"{tenant(poc)['uid']}-e1-archive-1",
        "bucket": PLATFORM["archive_bucket"],
        "prefix": f"databases/{name}",
    }
    assert receipt(poc)["identifier"] == f"{name}-teardown"


def test_an_export_that_fails_stops_the_destroy_and_the_next_try_begins_another(poc: House, run: Run) -> None:
    uid = tenant(poc)["uid"]
    poc.cloud.fail_next_export("the KMS key is disabled")
    operation = destroy(poc)
    run()
    seen = shown(poc, operation)
    assert seen["status"] == "needs_operator"
    problem = seen["metadata"]["problem"]
    assert "is failed" in problem["detail"] and "the KMS key is disabled" in problem["detail"]
    assert f"controlplane operation settle {operation}" in problem["hint"]
    assert [one.identifier for one in poc.cloud.databases()] == [f"acme-{uid}-e1"]
    asking.settle(poc.control, ADMIN, operation, ASK)
    run()
    done(poc, operation)
    assert receipt(poc)["archive"]["export"] == f"{uid}-e1-archive-2"
    assert {name: one["status"] for name, one in begun(poc).items()} == {
        f"{uid}-e1-archive-1": "failed",
        f"{uid}-e1-archive-2": "complete",
    }


def test_what_was_begun_by_an_earlier_try_is_waited_for(poc: House, run: Run) -> None:
    uid, name = tenant(poc)["uid"], f"acme-{tenant(poc)['uid']}-e1"
    tags = {"uid": uid, "epoch": "1"}
    arn = poc.cloud.create_snapshot(f"{name}-teardown", name, tags).arn
    poc.cloud.export_snapshot("by-hand", arn, "databases/x", ArchivePlace("elsewhere", "role", "key"))
    operation = destroy(poc)
    run()
    done(poc, operation)
    assert receipt(poc)["archive"]["bucket"] == "elsewhere"
    assert list(begun(poc)) == ["by-hand"]


def test_who_wants_none_gets_none_and_the_receipt_says_who(poc: House, run: Run) -> None:
    operation = change(poc, Kind.DESTROY, Destroy(confirm="acme", archive=False))
    run()
    done(poc, operation)
    assert receipt(poc)["archive"] == {"skipped": f"{ADMIN.name} wanted none"}
    assert begun(poc) == {}


def test_a_platform_without_an_archive_is_named(poc: House, run: Run) -> None:
    with poc.db.write() as session:
        row = platforms.find(session, BLUEPRINT, "development", "default")
        assert row is not None
        row.outputs = {**row.outputs, "archive_role_arn": None}
    operation = destroy(poc)
    run()
    done(poc, operation)
    assert receipt(poc)["archive"] == {"skipped": "its platform has no archive"}
    assert any("is not archived" in text for text in warnings(poc, operation))


def test_what_a_migration_leaves_behind_is_archived_too(poc: House, run: Run) -> None:
    upgrade(poc)
    run()
    operation = change(poc, Kind.FINALIZE, Finalize(override=True))
    run()
    done(poc, operation)
    assert receipt(poc)["archive"]["export"] == f"{tenant(poc)['uid']}-e1-archive-1"
