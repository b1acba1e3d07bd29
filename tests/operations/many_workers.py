"""Worker processes that share a PostgreSQL catalog, to be killed, stopped and continued."""

from __future__ import annotations

import os
import signal
from multiprocessing.process import BaseProcess
from pathlib import Path

from controlplane.durable import on_reach
from controlplane.worker.lease import Lease
from tests.operations.crash_worker import warm
from tests.operations.house import build

LEASE_SECONDS = 4.0


def start(folder: Path, url: str, dies_at: str = "", lease_seconds: float = LEASE_SECONDS) -> BaseProcess:
    """`dies_at`: a `STEP:WHERE` at which it kills itself."""
    process = warm.Process(target=_work, args=(str(folder), url, dies_at, lease_seconds), daemon=True)
    process.start()
    return process


def _work(folder: str, url: str, dies_at: str, lease_seconds: float) -> None:
    """Like `controlplane worker` on PostgreSQL: a lease first, then the engine, then the loop."""
    house = build(Path(folder), url=url)
    executor = f"worker-{os.getpid()}"
    lease = Lease(house.db, executor, "here", lease_seconds)
    lease.take()
    log = os.open(Path(folder) / "steps.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def listen(step: str, where: str) -> None:
        if f"{step}:{where}" == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if where == "before":
            lease.check()
            os.write(log, f"{os.getpid()} {step}\n".encode())

    on_reach(listen)
    worker = house.worker(executor, poll=0.1)
    worker.shares = True
    worker.run()
