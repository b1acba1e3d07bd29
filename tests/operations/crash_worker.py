"""Workers that kill themselves at a named point, each in a process forked from one that is warm."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from pathlib import Path

from controlplane.durable import on_reach
from tests.operations.house import build

SECONDS = 120
PASSED = "passed.txt"
# Everything is imported once, in a server without threads; a worker costs a fork.
warm = multiprocessing.get_context("forkserver")
warm.set_forkserver_preload(["tests.operations.warmed"])


def work(folder: Path, point: str = "") -> int:
    """Run a worker until nothing is left to do, or until it kills itself at `STEP:WHERE:COUNT`."""
    process = warm.Process(target=_work, args=(str(folder), point))
    process.start()
    process.join(SECONDS)
    if process.is_alive():
        process.kill()
        raise AssertionError(f"the worker did not end within {SECONDS} s")
    return process.exitcode or 0


def passed(folder: Path) -> list[str]:
    """The points that workers in this folder passed."""
    return (folder / PASSED).read_text().split()


def _work(folder: str, point: str) -> None:
    counts: Counter[str] = Counter()
    log = os.open(Path(folder) / PASSED, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def listen(step: str, where: str) -> None:
        name = f"{step}:{where}"
        counts[name] += 1
        if f"{name}:{counts[name]}" == point:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(log, f"{name}\n".encode())

    house = build(Path(folder))
    on_reach(listen)
    house.worker().run(until_idle=True)
    os._exit(0)
