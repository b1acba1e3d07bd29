"""Worker processes that share a PostgreSQL catalog, to be killed, stopped and continued."""

from __future__ import annotations

import os
import signal
from multiprocessing.process import BaseProcess
from pathlib import Path

from controlplane.durable import on_reach
from controlplane.worker.lease import Lease, Place
from tests.operations.crash_worker import warm
from tests.operations.house import House, build

LEASE_SECONDS = 4.0


def start(
    folder: Path, url: str, dies_at: str = "", lease_seconds: float = LEASE_SECONDS, cell: str = ""
) -> BaseProcess:
    """`dies_at`: a `STEP:WHERE` at which it kills itself."""
    process = warm.Process(target=_work, args=(str(folder), url, dies_at, lease_seconds, cell), daemon=True)
    process.start()
    return process


def _work(folder: str, url: str, dies_at: str, lease_seconds: float, cell: str) -> None:
    """Like `controlplane worker` on PostgreSQL: a lease first, then the engine, then the loop."""
    house = build(Path(folder), url=url)
    executor = f"worker-{os.getpid()}"
    lease = Lease(house.db, executor, Place("here", cell), lease_seconds)
    lease.take()
    log = os.open(Path(folder) / "steps.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def listen(step: str, where: str) -> None:
        if f"{step}:{where}" == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if where == "before":
            lease.check()
            os.write(log, f"{os.getpid()} {step}\n".encode())

    on_reach(listen)
    worker = house.worker(executor, poll=0.1, cell=cell)
    worker.shares = True
    worker.run()


class Crew:
    """Workers under something that starts them again, as systemd does: a lost lease ends one."""

    def __init__(self, house: House, url: str, size: int, cell: str = "") -> None:
        self._start = lambda: self._hire(start(house.folder, url, cell=cell))
        self.pids: set[int] = set()
        self._workers = [self._start() for _ in range(size)]

    def _hire(self, worker: BaseProcess) -> BaseProcess:
        self.pids.add(worker.pid or 0)
        return worker

    def kill(self, which: int) -> None:
        self._workers[which].kill()
        self._workers[which].join()

    def tend(self) -> None:
        self._workers = [worker if worker.is_alive() else self._start() for worker in self._workers]

    def dismiss(self) -> None:
        for which in range(len(self._workers)):
            self.kill(which)
