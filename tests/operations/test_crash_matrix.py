"""kill -9 of the worker before, in the middle of and after every step of every operation: all converge.

Each cell is a worker process that kills itself at one point, and a second one that finds what it left. Asked
afterwards: the operation succeeded, nothing is lost, nothing is doubled, nothing is orphaned.
"""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from controlplane.domain.operation import Kind
from controlplane.operations import Create, Destroy
from controlplane.services import operations as asking
from controlplane.services import tenants
from tests.operations.crash_worker import PASSED, passed, work
from tests.operations.house import ADMIN, ASK, House, build

# The steps of each operation, in order. `test_every_step_is_in_the_matrix` keeps these lists whole.
BEFORE_APPLY = ("begin_leg", "write_workspace", "plan", "record_plan", "decide", "hand_over")
APPLY = ("gate", "begin_apply", "apply", "settle", "begin_verifying")
CREATE = (
    "ensure_master_secret",
    *BEFORE_APPLY,
    *APPLY,
    "converge",
    "set_up_roles",
    "point_route",
    "probe",
    "record_endpoint",
    "settle_slots",
    "rewrite_workspace",
    "succeed",
)
DESTROY = (
    "take_into_state",
    *BEFORE_APPLY,
    *APPLY,
    "wake_database",
    "settle_slots",
    "fence",
    "final_snapshot",
    "archive",
    "remove_old_side",
    "require_gone",
    "forget_secrets",
    "retire_slots",
    "succeed",
)
TWICE = frozenset({*BEFORE_APPLY, *APPLY})  # destroy has two rounds
MIDDLES = frozenset({"plan", "apply"})
WRITES = ("write_workspace", "rewrite_workspace")  # their middle is passed only where files change


def cells(steps: tuple[str, ...], rounds: int) -> list[str]:
    points = []
    for step in steps:
        wheres = ["before", "after", "recorded"] + (["middle"] if step in MIDDLES else [])
        times = range(1, rounds + 1) if step in TWICE else (1,)
        points += [f"{step}:{where}:{n}" for where in wheres for n in times]
    return points


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str]]:
    """Folders to copy: in one a create was asked for, in the other the destroy of a tenant that is ready."""
    fresh = build(tmp_path_factory.mktemp("fresh") / "house")
    created = str(tenants.create(fresh.control, ADMIN, Create(slug="acme"), ASK)["id"])
    fresh.db.close()
    ready = tmp_path_factory.mktemp("ready") / "house"
    shutil.copytree(fresh.folder, ready)
    assert work(ready) == 0
    house = build(ready)
    body = Destroy(confirm="acme")
    destroyed = str(tenants.change(house.control, ADMIN, Kind.DESTROY, "acme", body, ASK)["id"])
    house.db.close()
    (ready / PASSED).unlink()
    return {"create": (fresh.folder, created), "destroy": (ready, destroyed)}


def crash_and_recover(template: tuple[Path, str], folder: Path, point: str) -> tuple[House, dict[str, Any]]:
    made, operation = template
    shutil.copytree(made, folder)
    assert work(folder, point) == -signal.SIGKILL, f"nobody passed {point}"
    assert work(folder) == 0
    house = build(folder)
    return house, asking.show(house.control, ADMIN, operation)


Asked = dict[str, tuple[Path, str]]


@pytest.mark.parametrize("point", [*cells(CREATE, 1), *(f"{step}:middle:1" for step in WRITES)])
def test_a_create_survives_a_kill(asked: Asked, tmp_path: Path, point: str) -> None:
    house, seen = crash_and_recover(asked["create"], tmp_path / "house", point)
    assert seen["status"] == "succeeded", (seen["metadata"], seen.get("error"))
    assert tenants.show(house.control, ADMIN, "acme")["phase"] == "ready"
    assert len(house.cloud.databases()) == 1
    assert len(house.terraform.applied()) == len(set(house.terraform.applied())) == 1


@pytest.mark.parametrize("point", [*cells(DESTROY, 2), f"{WRITES[0]}:middle:1"])
def test_a_destroy_survives_a_kill(asked: Asked, tmp_path: Path, point: str) -> None:
    house, seen = crash_and_recover(asked["destroy"], tmp_path / "house", point)
    assert seen["status"] == "succeeded", (seen["metadata"], seen.get("error"))
    assert tenants.show(house.control, ADMIN, "acme")["phase"] == "torn_down"
    assert house.cloud.databases() == []
    [snapshot] = house.cloud.snapshots()
    assert [one.status for one in house.cloud.exports(snapshot.arn)] == ["complete"]
    assert len(house.terraform.applied()) == len(set(house.terraform.applied())) == 3


@pytest.mark.parametrize(("kind", "steps"), [("create", CREATE), ("destroy", DESTROY)])
def test_every_step_is_in_the_matrix(asked: Asked, tmp_path: Path, kind: str, steps: tuple[str, ...]) -> None:
    folder = tmp_path / "house"
    shutil.copytree(asked[kind][0], folder)
    assert work(folder) == 0
    assert {point.split(":")[0] for point in passed(folder)} == set(steps)
