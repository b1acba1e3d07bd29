"""The fence around a switchover: whoever dies, at its deadline the application is let in by the name."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from controlplane.domain.operation import Kind
from controlplane.services import operations as asking
from controlplane.steps import lifting
from controlplane.store import moves
from controlplane.store.operations import OperationFilter
from tests.operations.crash_worker import PASSED, work
from tests.operations.house import ADMIN, House, build
from tests.operations.ordinary import create, done, shown, tenant
from tests.operations.test_upgrade_switched import ids, switch
from tests.operations.test_watchdog import lapse
from tests.operations.upgrading import fenced, picture, slots

Asked = tuple[Path, str]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """A folder to copy in which a switchover was asked for, and its operation."""
    folder = tmp_path_factory.mktemp("asked") / "house"
    house = build(folder)
    create(house)
    assert work(folder) == 0
    operation = switch(house)
    house.db.close()
    (folder / PASSED).unlink()
    return folder, operation


@pytest.fixture
def folder(asked: Asked, tmp_path: Path) -> Path:
    shutil.copytree(asked[0], tmp_path / "house")
    return tmp_path / "house"


def killed(folder: Path, point: str) -> Iterator[House]:
    assert work(folder, point) == -signal.SIGKILL
    house = build(folder)
    yield house
    house.db.close()


@pytest.fixture
def compared(folder: Path) -> Iterator[House]:
    """Its worker was killed when all was ready for the switchover."""
    yield from killed(folder, "compare_green:after:1")


@pytest.fixture
def switching(folder: Path) -> Iterator[House]:
    """Its worker was killed when RDS had begun to switch over."""
    yield from killed(folder, "switch_over:middle:1")


def flip(house: House) -> str:
    with house.db.read() as session:
        row = moves.latest(session, tenant(house)["uid"])
        assert row is not None
        return row.flip


def test_before_it_the_fence_is_lifted_and_the_green_side_goes(compared: House, asked: Asked) -> None:
    assert fenced(compared, 1)
    lifting.tend()
    assert fenced(compared, 1), "not before its deadline"
    lapse(compared, timedelta(0))
    lifting.tend()
    assert not fenced(compared, 1)
    assert list(ids(compared)) == ["1"]
    assert picture(compared)["state"] == "rolled_back"
    assert work(compared.folder) == 0
    assert shown(compared, asked[1])["status"] == "failed"
    assert (tenant(compared)["phase"], tenant(compared)["stage"]) == ("ready", "poc")
    assert not fenced(compared, 1)


def test_what_rds_does_not_let_go_yet_is_asked_for_again(compared: House) -> None:
    compared.cloud.keep_green(looks=2)
    lapse(compared, timedelta(0))
    lifting.tend()
    assert not fenced(compared, 1), "whatever becomes of the green side"
    assert picture(compared)["state"] == "unfencing"
    assert work(compared.folder) == 0
    for _ in range(3):
        lifting.tend()
    assert (picture(compared)["state"], list(ids(compared))) == ("rolled_back", ["1"])


def test_while_rds_is_at_it_the_fence_is_lifted_and_the_switch_goes_on(
    switching: House, asked: Asked
) -> None:
    assert flip(switching) == "switching"
    lapse(switching, timedelta(0))
    lifting.tend()
    assert not fenced(switching, 1)
    assert flip(switching) == "switching", "what comes of it RDS says"
    assert work(switching.folder) == 0
    done(switching, asked[1])
    assert (slots(switching), fenced(switching, 1)) == ({1: "present", 2: "beside"}, False)


def test_with_too_little_time_left_rds_is_not_asked(compared: House, asked: Asked) -> None:
    lapse(compared, timedelta(seconds=20))
    assert work(compared.folder) == 0
    assert shown(compared, asked[1])["status"] == "failed"
    assert compared.cloud.world.calls("switch_over") == []
    assert not fenced(compared, 1)
    assert list(ids(compared)) == ["1"]


def test_who_gives_the_operation_up_meanwhile_finds_the_switch_written_down(
    switching: House, asked: Asked
) -> None:
    with switching.db.write() as session:
        moves.note(session, asked[1], holder=ended_one(switching))
    lifting.tend()  # RDS has ended by this look
    lifting.tend()
    assert flip(switching) == "flipped"
    assert (slots(switching), fenced(switching, 1)) == ({1: "present", 2: "beside"}, False)


def ended_one(house: House) -> str:
    """The operation that made the tenant: it is over."""
    listed = asking.page(house.control, ADMIN, OperationFilter(kind=Kind.CREATE.value))["items"]
    return str(listed[0]["id"])
