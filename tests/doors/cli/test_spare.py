"""A worker forked from the command that needs it: nothing of the command's is shared but what it imported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from controlplane.settings import Settings
from controlplane.terminal import background
from controlplane.terminal.light import LightClient
from tests.catalogs import make_catalog

SECONDS = 60
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers are started anew")

COMMAND = """
import os, sys, time
from pathlib import Path
from controlplane.terminal import background

def work():
    print("at work in", os.getpid(), flush=True)
    time.sleep(3600)
    return 0

background.process.is_one_command = True
start = background.starter(work)
log = Path(sys.argv[1])
print(start.__self__._pid, flush=True)
for _ in sys.stdin:
    print(start(log), flush=True)
"""


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _lives(pid: int) -> bool:
    """What it had open is closed by the time that it is called a zombie, and not before."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Command:
    """A process that has a spare one, and makes it a worker when it is told to."""

    def __init__(self, log: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, str(log)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "CONTROLPLANE_DATA_DIR": str(log.parent / "data"),
                "CONTROLPLANE_DATABASE_URL": f"sqlite:///{log.parent / 'tenants.db'}",
            },
        )
        assert self.process.stdout is not None
        self.spare = int(self.process.stdout.readline())

    def start(self) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("start\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def end(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.communicate(timeout=SECONDS)


def test_it_becomes_a_worker_that_outlives_the_command(tmp_path: Path) -> None:
    log = tmp_path / "new" / "worker.log"
    command = Command(log)
    worker = command.start()
    try:
        assert worker == command.spare
        _until(lambda: log.exists() and f"at work in {worker}\n" in log.read_text())
        assert os.getsid(worker) != os.getsid(command.process.pid)
        named = Path(f"/proc/{worker}/cmdline").read_bytes().rstrip(b"\0").decode()
        assert named == "controlplane worker --until-idle"
        command.end()
        assert _lives(worker)
    finally:
        os.kill(worker, signal.SIGKILL)


def test_what_is_not_needed_ends_with_the_command_however_that_ends(tmp_path: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        command = Command(tmp_path / "worker.log")
        assert _lives(command.spare)
        command.end(number)
        _until(lambda pid=command.spare: not _lives(pid))  # type: ignore[misc]
    assert not (tmp_path / "worker.log").exists()


def test_where_it_is_gone_or_was_taken_another_is_started_anew(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    command = Command(log)
    os.kill(command.spare, signal.SIGKILL)
    _until(lambda: not _lives(command.spare))
    for _ in range(2):
        worker = command.start()
        assert worker != command.spare
        _until(lambda pid=worker: not _lives(pid))  # type: ignore[misc]
    assert log.read_text().count("a worker runs here") == 2
    command.end()


def test_nothing_is_forked_from_a_process_that_is_not_one_commands(tmp_path: Path) -> None:
    assert background.starter(lambda: 0) is background.start_worker
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'tenants.db'}", data_dir=tmp_path)
    assert LightClient(settings, works=True)._whole._start_worker is background.start_worker  # type: ignore[attr-defined]


def test_no_fork_carries_an_open_catalog_along(tmp_path: Path) -> None:
    """SQLite forgets its locks in the child, and would take the file apart."""
    make_catalog(tmp_path / "tenants.db")
    told = subprocess.run(
        [sys.executable, "-c", OPENED, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    assert told.stdout.split() == ["Spare.start", "start_worker"]


OPENED = """
import sys
from pathlib import Path
from controlplane.settings import Settings
from controlplane.terminal import background
from controlplane.terminal.light import LightClient

background.process.is_one_command = True
folder = Path(sys.argv[1])
settings = Settings(database_url=f"sqlite:///{folder / 'tenants.db'}", data_dir=folder)
for reads_first in (False, True):
    client = LightClient(settings, works=True)
    if reads_first:
        client.tenants({"page_size": 1})
    print(client._whole._start_worker.__qualname__)
    client.close()
"""
