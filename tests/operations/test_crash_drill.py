"""The crash matrix of a restore drill: whoever is killed, the copy goes, and the tenant never notices.

The short form kills after the effects that make or remove something; the long form around each step, and on
the way out of a drill that failed.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controlplane.domain.operation import Kind
from controlplane.operations import Drill
from tests.operations.crash_worker import PASSED, passed, work
from tests.operations.house import House, build
from tests.operations.ordinary import application, change, create, shown, tenant
from tests.operations.test_crash_later import PLANNED

STEPS = (
    *("check_snapshot", "choose_backup", "ensure_master_secret", *PLANNED, "settle_slots", "set_up_roles"),
    *("open_logins", "probe", "measure_recovery", "examine"),
    *("require_gone", "forget_secrets", "forget_copy", "retire_slots", "conclude_drill", "succeed"),
)
SHORT = frozenset({"apply", "settle_slots", "examine", "retire_slots", "conclude_drill"})
FAILING = ("turn_to_tidying", "was_applied", "leave_nothing", "end")
SHORT_FAILING = frozenset({"turn_to_tidying", "leave_nothing"})
TWICE = frozenset({"plan", "apply", "settle"})
Asked = Callable[[str], tuple[Path, str]]


def cells(steps: tuple[str, ...], short: frozenset[str]) -> list[Any]:
    found = []
    for step in steps:
        for where in ("after", "before", "recorded"):
            quick = step in short and where == "after"
            times = (1, 2) if step in TWICE else (1,)
            marks = () if quick else pytest.mark.long
            found += [pytest.param(f"{step}:{where}:{n}", marks=marks) for n in times]
    return found


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """A folder to copy in which a drill was asked for, and its operation; its apply goes well or fails."""
    made: dict[str, tuple[Path, str]] = {}

    def ask(how: str) -> tuple[Path, str]:
        if how not in made:
            made[how] = _ask(tmp_path_factory.mktemp(how) / "house", how)
        return made[how]

    return ask


def _ask(folder: Path, how: str) -> tuple[Path, str]:
    house = build(folder)
    create(house)
    assert work(folder) == 0
    house.database.write(application(house), "orders", "one")
    if how == "failing":
        house.terraform.fail_next_apply("Error: KMSKeyNotAccessibleFault")
    operation = change(house, Kind.DRILL, Drill())
    house.db.close()
    (folder / PASSED).unlink(missing_ok=True)
    return folder, operation


def killed(template: tuple[Path, str], folder: Path, point: str) -> tuple[House, dict[str, Any]]:
    made, operation = template
    shutil.copytree(made, folder)
    assert work(folder, point) == -signal.SIGKILL, f"nobody passed {point}"
    assert work(folder) == 0
    house = build(folder)
    return house, shown(house, operation)


def assert_only_the_tenant(house: House, seen: dict[str, Any]) -> None:
    assert [one.identifier for one in house.cloud.databases()] == [f"acme-{tenant(house)['uid']}-e1"]
    assert house.cloud.snapshots() == []
    assert tenant(house, seen["tenant"])["phase"] == "torn_down"
    assert tenant(house)["phase"] == "ready"
    assert house.database.fingerprint(application(house))["tables"]["orders"]["count"] == 1
    house.db.close()


@pytest.mark.parametrize("point", cells(STEPS, SHORT))
def test_a_drill_survives_a_kill(asked: Asked, tmp_path: Path, point: str) -> None:
    house, seen = killed(asked("good"), tmp_path / "house", point)
    assert seen["status"] == "succeeded", (seen["metadata"], seen.get("error"))
    assert seen["response"]["rto_seconds"] > 0
    assert len(house.terraform.applied()) == len(set(house.terraform.applied())) == 3
    assert_only_the_tenant(house, seen)


@pytest.mark.parametrize("point", cells(FAILING, SHORT_FAILING))
def test_a_drill_that_failed_leaves_nothing_whoever_is_killed(
    asked: Asked, tmp_path: Path, point: str
) -> None:
    house, seen = killed(asked("failing"), tmp_path / "house", point)
    assert seen["status"] == "failed", (seen["metadata"], seen.get("error"))
    assert_only_the_tenant(house, seen)


def test_every_step_is_in_this_matrix(asked: Asked, tmp_path: Path) -> None:
    ways = {"good": set(STEPS), "failing": set(FAILING)}
    for how, steps in ways.items():
        folder = tmp_path / how
        shutil.copytree(asked(how)[0], folder)
        assert work(folder) == 0
        seen = {point.split(":")[0] for point in passed(folder)}
        assert steps <= seen <= {*STEPS, *steps}, how
