"""The crash matrix of what makes a tenant out of data that exist: adopted, or restored beside another one.

The short form kills after the effects that cannot be repeated blindly; the long form around each of them.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controlplane.domain.operation import Kind
from controlplane.operations import Adopt, Restore
from tests.operations.crash_worker import PASSED, passed, work
from tests.operations.house import House, build
from tests.operations.ordinary import application, change, create, done, shown, tenant
from tests.operations.test_crash_later import CONNECTED, LEFT, PLANNED

ASKED = {
    "adopt": (
        Kind.ADOPT,
        Adopt.model_validate({"identifier": "legacy"}),
        "twin",
        ("inspect_database", *PLANNED, *CONNECTED, *LEFT),
    ),
    "restore": (
        Kind.RESTORE,
        Restore.model_validate({"as": "twin"}),
        "acme",
        ("check_snapshot", "ensure_master_secret", *PLANNED, *CONNECTED, "open_logins", "redeploy", *LEFT),
    ),
}
SHORT = frozenset({"plan", "apply", "settle", "set_up_roles", "settle_slots", "inspect_database"})


def cells() -> list[Any]:
    points = []
    for name, (_, _, _, steps) in ASKED.items():
        for step in steps:
            marks = () if step in SHORT else pytest.mark.long
            points.append(pytest.param(name, f"{step}:after:1", marks=marks))
            points += [
                pytest.param(name, f"{step}:{where}:1", marks=pytest.mark.long)
                for where in ("before", "recorded")
            ]
    return [*points, *(pytest.param(name, "apply:middle:1") for name in ASKED)]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, str]]:
    """By name: a folder to copy in which the change was asked for, and its operation."""
    made: dict[str, tuple[Path, str]] = {}

    def ask(name: str) -> tuple[Path, str]:
        if name not in made:
            made[name] = _ask(tmp_path_factory.mktemp(name) / "house", name)
        return made[name]

    return ask


def _ask(folder: Path, name: str) -> tuple[Path, str]:
    kind, body, slug, _ = ASKED[name]
    house = build(folder)
    create(house)
    assert work(folder) == 0
    house.database.write(application(house), "orders", "one")
    if kind is Kind.ADOPT:
        house.cloud.add_database("legacy", {"team": "orders"})
    operation = change(house, kind, body, slug)
    house.db.close()
    (folder / PASSED).unlink(missing_ok=True)
    return folder, operation


def holds(house: House, name: str) -> None:
    assert [one.status for one in house.cloud.databases()] == ["available"] * 2
    assert house.database.probe(application(house)).reachable
    if name == "adopt":
        assert house.cloud.database("legacy").tags["uid"] == tenant(house, "twin")["uid"]
    else:
        tables = house.database.fingerprint(application(house, "twin"))["tables"]
        assert tables["orders"]["count"] == 1


@pytest.mark.parametrize(("name", "point"), cells())
def test_a_tenant_is_made_of_what_exists_whoever_is_killed(
    asked: Callable[[str], tuple[Path, str]], tmp_path: Path, name: str, point: str
) -> None:
    made, operation = asked(name)
    folder = tmp_path / "house"
    shutil.copytree(made, folder)
    assert work(folder, point) == -signal.SIGKILL, f"nobody passed {point}"
    assert work(folder) == 0
    house = build(folder)
    done(house, operation)
    assert tenant(house, "twin")["phase"] == "ready"
    holds(house, name)
    house.db.close()


@pytest.mark.parametrize("name", ASKED)
def test_every_step_is_in_this_matrix(
    asked: Callable[[str], tuple[Path, str]], tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "house"
    shutil.copytree(asked(name)[0], folder)
    assert work(folder) == 0
    assert {point.split(":")[0] for point in passed(folder)} == set(ASKED[name][3])
    house = build(folder)
    assert shown(house, asked(name)[1])["done"]
    house.db.close()
