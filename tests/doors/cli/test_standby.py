"""A worker beside the command that waits: started where none lives, and not for ever when none can."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from controlplane.domain.errors import Unavailable
from controlplane.terminal.background import Standby
from controlplane.wiring import process_lives


def _that_says(words: str) -> Callable[[Path], int]:
    """A worker that says this and ends."""

    def start(log: Path) -> int:
        with log.open("a") as file:
            done = subprocess.Popen([sys.executable, "-c", f"print({words!r}, end='')"], stdout=file)
            done.wait(60)
        return done.pid

    return start


def test_where_a_worker_lives_none_is_started(tmp_path: Path) -> None:
    assert Standby(tmp_path / "log", lambda: True, _that_says(""), process_lives).ensure() == ""
    assert not (tmp_path / "log").exists()


def test_one_that_comes_up_is_waited_for(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as coming:
        standby = Standby(tmp_path / "log", lambda: False, lambda _: coming.pid, process_lives)
        assert "started one" in standby.ensure()
        assert standby.ensure() == ""
        coming.kill()


def test_one_that_ended_because_nothing_was_to_do_is_followed_by_another(tmp_path: Path) -> None:
    standby = Standby(tmp_path / "log", lambda: False, _that_says("a worker runs here\n"), process_lives)
    for _ in range(3):
        assert "started one" in standby.ensure()


def test_one_that_cannot_start_is_told_with_its_own_words(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("error: an old one\n")
    said = "error: the sandbox does not run\n  next: controlplane sandbox start\n"
    standby = Standby(log, lambda: False, _that_says(said), process_lives)
    standby.ensure()
    with pytest.raises(Unavailable, match="the sandbox does not run") as told:
        standby.ensure()
    assert told.value.hint == "controlplane sandbox start"


def test_errors_of_earlier_workers_are_not_taken_for_its_own(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("error: an old one\n")
    standby = Standby(log, lambda: False, _that_says(""), process_lives)
    standby.ensure()
    assert "started one" in standby.ensure()


def test_one_that_ended_and_that_nobody_reaps_is_not_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as ended:
        assert ended.stdout is not None
        ended.stdout.read()  # to its end; until `wait` it is a zombie
        log.touch()
        standby = Standby(log, lambda: False, lambda _: ended.pid, process_lives)
        standby.ensure()
        deadline = time.monotonic() + 60
        while not standby.ensure():
            assert time.monotonic() < deadline
            time.sleep(0.05)
