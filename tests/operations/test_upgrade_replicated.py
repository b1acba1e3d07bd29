"""An upgrade whose rows travel while the application goes on, and a way back that loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from controlplane.domain.errors import Conflict, Refused
from controlplane.domain.operation import Kind
from controlplane.operations import Finalize, Resize, Rollback, Rotate
from controlplane.services import operations as asking
from controlplane.steps import world
from tests.operations.house import ADMIN, ASK, House
from tests.operations.ordinary import application, change, done, shown, tenant, warnings
from tests.operations.upgrading import TABLE, fenced, login_at, picture, rows, slots, upgrade

Run = Callable[[], None]
LOGICAL = {"strategy": "logical_replication"}
BOTH = [LOGICAL, {"strategy": "snapshot_restore"}]


def replicated(house: House, run: Run, **fields: Any) -> str:
    operation = upgrade(house, **{**LOGICAL, **fields})
    run()
    done(house, operation)
    return operation


def left_over(house: House, epoch: int) -> dict[str, Any]:
    """What replication keeps on a server."""
    with house.database.using("look", login_at(house, epoch, "cp_control")) as server:
        return {**server["slots"], **server["follows"]}


def unable(house: House, epoch: int = 1) -> None:
    fact = {"strategy": "logical_replication", "name": "cp_control cannot subscribe", "detail": "a test"}
    house.database.change_server(login_at(house, epoch), obstacles=[fact])


def test_the_rows_arrive_without_a_snapshot(poc: House, run: Run) -> None:
    replicated(poc, run)
    seen = tenant(poc)
    assert (seen["stage"], seen["epoch"], seen["migration_state"]) == ("production", 2, "soaking")
    assert rows(poc) == ["one", "two"]
    assert (fenced(poc, 1), fenced(poc, 2)) == (True, False)
    assert poc.cloud.snapshots() == []
    order = [s["state"] for s in picture(poc)["states"] if s["at"]]
    assert order.index("catching_up") < order.index("fencing") < order.index("reverse_armed")


def test_what_is_written_while_the_rows_are_copied_arrives_too(poc: House, run: Run) -> None:
    here = world.world()

    def write_once() -> None:
        poc.database.write(application(poc), TABLE, "three")
        world.install(replace(here, guard=lambda: None))

    world.install(replace(here, guard=write_once))  # just before the first login is closed
    replicated(poc, run)
    assert rows(poc) == ["one", "two", "three"]


@pytest.mark.parametrize("strategy", BOTH, ids=lambda s: s["strategy"])
def test_a_way_back_loses_nothing(poc: House, run: Run, strategy: dict[str, str]) -> None:
    replicated(poc, run, **strategy)
    assert picture(poc)["rollback_loses"].startswith("nothing")
    poc.database.write(application(poc), TABLE, "three")
    back = change(poc, Kind.ROLLBACK, Rollback())
    run()
    done(poc, back)
    assert picture(poc)["loss"]["nothing"] is True
    assert (tenant(poc)["epoch"], rows(poc)) == (1, ["one", "two", "three"])
    assert slots(poc) == {1: "present", 2: "gone"}
    assert left_over(poc, 1) == {}


def test_there_and_back_and_there_again_to_its_end(poc: House, run: Run) -> None:
    replicated(poc, run)
    poc.database.write(application(poc), TABLE, "three")
    change(poc, Kind.ROLLBACK, Rollback())
    run()
    poc.database.write(application(poc), TABLE, "four")
    replicated(poc, run)
    ended = change(poc, Kind.FINALIZE, Finalize(override=True))
    run()
    done(poc, ended)
    assert (tenant(poc)["epoch"], rows(poc)) == (3, ["one", "two", "three", "four"])
    assert slots(poc) == {1: "gone", 2: "gone", 3: "present"}
    assert left_over(poc, 3) == {}, "a slot that nobody reads fills the disk"


def test_where_rows_cannot_be_sent_back_a_snapshot_goes_without(poc: House, run: Run) -> None:
    unable(poc)
    operation = replicated(poc, run, strategy="snapshot_restore")
    assert any("a way back would lose" in line for line in warnings(poc, operation))
    assert picture(poc)["rollback_loses"].startswith("everything written since")
    with pytest.raises(Refused, match="gives up"):
        change(poc, Kind.ROLLBACK, Rollback())
    assert left_over(poc, 1) == left_over(poc, 2) == {}


def test_where_rows_cannot_travel_nobody_is_fenced(poc: House, run: Run) -> None:
    unable(poc)
    operation = upgrade(poc, **LOGICAL)
    run()
    assert shown(poc, operation)["status"] == "rejected"
    assert not fenced(poc, 1)


def test_a_copy_that_fills_the_sources_disk_is_given_up(poc: House, run: Run) -> None:
    def stall() -> None:
        poc.database.add_server(login_at(poc, 2, "master"))
        poc.database.change_server(login_at(poc, 2, "master"), lag=5 * 2**30)

    poc.terraform.after_create = stall
    operation = upgrade(poc, **LOGICAL)
    run()
    seen = shown(poc, operation)
    assert (seen["status"], "falls behind" in seen["error"]["detail"]) == ("partially_applied", True)
    assert (tenant(poc)["epoch"], fenced(poc, 1)) == (1, False)
    assert left_over(poc, 1) == {}


def test_one_that_is_called_off_while_it_copies_leaves_nothing_behind(poc: House, run: Run) -> None:
    ids: list[str] = []
    poc.terraform.after_create = lambda: asking.cancel(poc.control, ADMIN, ids[0], ASK)
    ids.append(upgrade(poc, **LOGICAL))
    run()
    assert shown(poc, ids[0])["status"] == "partially_applied"
    assert (tenant(poc)["epoch"], fenced(poc, 1), left_over(poc, 1)) == (1, False, {})
    assert "migration rollback acme" in picture(poc)["next_command"]


def test_the_new_database_may_be_smaller(poc: House, run: Run) -> None:
    change(poc, Kind.RESIZE, Resize(storage_gb=40))
    run()
    replicated(poc, run, storage_gb=20)
    assert (tenant(poc)["storage_gb"], rows(poc)) == (20, ["one", "two"])


def test_the_login_that_sends_rows_back_keeps_its_password(poc: House, run: Run) -> None:
    replicated(poc, run)
    with pytest.raises(Conflict, match="sent back"):
        change(poc, Kind.ROTATE, Rotate.model_validate({"what": "control"}))
    change(poc, Kind.ROTATE, Rotate())
    run()
    assert application(poc).username == "app_b"


def test_what_was_rotated_while_it_soaked_keeps_nobody_from_going_back(poc: House, run: Run) -> None:
    replicated(poc, run)
    turned = change(poc, Kind.ROTATE, Rotate())
    run()
    done(poc, turned)
    poc.database.write(application(poc), TABLE, "three")
    back = change(poc, Kind.ROLLBACK, Rollback())
    run()
    done(poc, back)
    assert poc.database.probe(application(poc)).reachable
    assert (tenant(poc)["epoch"], rows(poc)) == (1, ["one", "two", "three"])
