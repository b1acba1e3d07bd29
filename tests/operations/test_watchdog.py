"""The watchdog over fences, a process of its own: whatever becomes of the worker, the application gets back
in at the deadline, and of a switch and a lifting only one happens."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from controlplane.domain.errors import Conflict
from controlplane.durable import on_reach
from controlplane.steps import lifting, moving
from controlplane.steps.world import utc_now
from controlplane.store import moves
from controlplane.worker.lock import WorkerLock
from controlplane.worker.watchdog import Watchdog
from tests.operations.crash_worker import PASSED, warm, work
from tests.operations.house import House, build
from tests.operations.ordinary import create, shown, tenant
from tests.operations.upgrading import fenced, picture, upgrade

SECONDS = 150
TRIES = 16


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder to copy in which an upgrade was asked for, and its operation."""
    folder = tmp_path_factory.mktemp("asked") / "house"
    house = build(folder)
    create(house)
    assert work(folder) == 0
    operation = upgrade(house)
    house.db.close()
    (folder / PASSED).unlink()
    return folder, operation


@pytest.fixture
def folder(asked: tuple[Path, str], tmp_path: Path) -> Path:
    shutil.copytree(asked[0], tmp_path / "house")
    return tmp_path / "house"


def watchdog(folder: Path) -> BaseProcess:
    process = warm.Process(target=_watch, args=(str(folder),), daemon=True)
    process.start()
    return process


def _watch(folder: str) -> None:
    Watchdog(build(Path(folder)).db, lifting.tend, utc_now, 0.05).run(until_open=True)
    os._exit(0)


def stopping_worker(folder: Path, step: str) -> BaseProcess:
    """A worker that is stopped, as by SIGSTOP, when it has done this step; its fence lapses soon after."""
    process = warm.Process(target=_stop_at, args=(str(folder), step), daemon=True)
    process.start()
    return process


def _stop_at(folder: str, step: str) -> None:
    house = build(Path(folder))

    def listen(name: str, where: str) -> None:
        if (name, where) == (step, "after"):
            lapse(house, timedelta(seconds=1))
            (Path(folder) / "stopped").touch()
            os.kill(os.getpid(), signal.SIGSTOP)

    on_reach(listen)
    assert house.db.file is not None
    with WorkerLock(house.db.file):
        house.worker().run(until_idle=True)
    os._exit(0)


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waiting for {what}"
        time.sleep(0.02)


def lapse(house: House, after: timedelta) -> None:
    with house.db.write() as session:
        (row,) = [r for r in moves.lapsed(session, house.control.now() + timedelta(days=1)) if r.fenced_epoch]
        moves.note(session, row.id, fence_deadline=house.control.now() + after)


def ended(process: BaseProcess) -> int | None:
    process.join(SECONDS)
    return process.exitcode


def assert_let_in(house: House) -> None:
    assert not fenced(house, 1)
    seen = picture(house)
    assert (seen["truth"], seen["state"], seen["fence"]["closed"]) == ("e1", "rolled_back", None)


@pytest.mark.parametrize("step", ["raise_fence", "drain", "seed", "verify"])
def test_a_worker_that_is_killed_keeps_nobody_out(folder: Path, step: str) -> None:
    assert work(folder, f"{step}:after:1") == -signal.SIGKILL
    house = build(folder)
    assert fenced(house, 1)
    guard = watchdog(folder)
    time.sleep(0.3)
    assert fenced(house, 1), "not before its deadline"
    lapse(house, timedelta(0))
    assert ended(guard) == 0
    assert_let_in(house)
    house.db.close()


def test_a_worker_that_is_stopped_keeps_nobody_out_and_switches_nothing_later(
    folder: Path, asked: tuple[Path, str]
) -> None:
    worker = stopping_worker(folder, "verify")
    wait_until((folder / "stopped").exists, "the worker to stop")
    house = build(folder)
    assert ended(watchdog(folder)) == 0
    assert_let_in(house)
    if worker.is_alive():  # else it held the catalog locked, and was ended for it
        os.kill(int(worker.pid or 0), signal.SIGCONT)
        assert ended(worker) == 0
    assert work(folder) == 0
    assert shown(house, asked[1])["status"] == "partially_applied"
    assert (tenant(house)["epoch"], tenant(house)["phase"]) == (1, "ready")
    assert_let_in(house)
    house.db.close()


def test_of_a_switch_and_a_lifting_only_one_happens(
    folder: Path, tmp_path: Path, asked: tuple[Path, str]
) -> None:
    """At the deadline, many times: the switch behind a closed source, or an open source and no switch."""
    assert work(folder, "flip:before:1") == -signal.SIGKILL
    seen = set()
    for number in range(TRIES):
        copy = tmp_path / f"try-{number}"
        shutil.copytree(folder, copy)
        house = build(copy)
        lapse(house, timedelta(milliseconds=40 * number))
        over = threading.Event()
        looking = threading.Thread(target=_look_until, args=(over,))
        looking.start()
        time.sleep(0.05)
        try:
            moving.flip(asked[1])
            flipped = True
        except Conflict:
            flipped = False
        time.sleep(0.05)
        over.set()
        looking.join(SECONDS)
        assert tenant(house)["epoch"] == (2 if flipped else 1)
        assert fenced(house, 1) == flipped, "whoever lost wrote nowhere, whoever won writes"
        seen.add(flipped)
        house.db.close()
    assert seen == {True, False}, "both sides won at times"


def _look_until(over: threading.Event) -> None:
    while not over.is_set():
        lifting.tend()
        time.sleep(0.001)
