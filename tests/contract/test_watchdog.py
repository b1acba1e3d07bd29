"""Starting the watchdog as a process of its own, as a worker does before it closes a database."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

from controlplane.domain.errors import Locked, Unavailable
from controlplane.supervisor.locks import hold, is_held
from controlplane.supervisor.watchdog import WatchdogStarter
from controlplane.worker.watchdog import LOCK, WatchdogLock


@pytest.fixture
def starter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WatchdogStarter:
    """On an installation of its own, which speaks to nobody while no fence stands."""
    settings = {
        "CLOUD": "aws",
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'tenants.db'}",
        "KEYRING": f"file:{tmp_path / 'key.json'}",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"CONTROLPLANE_{name}", value)
    monkeypatch.delenv("CONTROLPLANE_SERVER", raising=False)
    return WatchdogStarter(tmp_path / LOCK, tmp_path / "watchdog.log")


def test_a_watchdog_lives_when_the_call_returns_and_ends_when_no_fence_stands(
    starter: WatchdogStarter, tmp_path: Path
) -> None:
    starter()
    deadline = time.monotonic() + 60
    while is_held(tmp_path / LOCK):
        assert time.monotonic() < deadline, (tmp_path / "watchdog.log").read_text()
        time.sleep(0.05)


def test_one_that_ended_is_reaped_though_nobody_asks_for_another(starter: WatchdogStarter) -> None:
    before = children()
    starter()
    deadline = time.monotonic() + 60
    while children() - before:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def children() -> set[int]:
    """Of this process, those that ended and were not reaped among them."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.add(int(stat.parent.name))
    return found


def test_where_one_lives_no_other_is_started(starter: WatchdogStarter, tmp_path: Path) -> None:
    with WatchdogLock(tmp_path):
        starter()
        assert not (tmp_path / "watchdog.log").exists()
        with pytest.raises(Locked, match="another watchdog"), WatchdogLock(tmp_path):
            pass
    assert hold(tmp_path / LOCK) is not None


def test_no_watchdog_no_fence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTROLPLANE_CLOUD", "nowhere")
    with pytest.raises(Unavailable, match="nothing is closed without it"):
        WatchdogStarter(tmp_path / LOCK, tmp_path / "watchdog.log", seconds=3)()
