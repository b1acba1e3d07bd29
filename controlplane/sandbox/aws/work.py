"""The work behind an answer: RDS answers at once and goes on; so does the sandbox, in threads.

A task is kept with the instance it changes until it is done, so that a restarted sandbox takes it up again;
every task can be run twice. The effect on PostgreSQL runs without the lock, the change of what describe
shows runs under it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from controlplane.sandbox.aws.instance import SandboxInstance
from controlplane.sandbox.clusters import Clusters
from controlplane.sandbox.options import SandboxOptions

log = logging.getLogger("sandbox")
Effect = Callable[["Task"], Callable[[], None]]


@dataclass(eq=False)
class Task:
    """One change under way. `instance` and `snapshot` are moto's objects, kept with them."""

    kind: str
    instance: SandboxInstance
    snapshot: Any = None
    values: dict[str, Any] = field(default_factory=dict)


class Works:
    """Runs tasks: one at a time for an instance, eight at a time for all."""

    def __init__(
        self, clusters: Clusters, options: SandboxOptions, lock: threading.RLock, save: Callable[[], None]
    ) -> None:
        self.clusters = clusters
        self.options = options
        self.lock = lock
        self.save = save
        self.effects: dict[str, Effect] = {}
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="rds")
        self._turns: dict[str, threading.Lock] = {}

    def submit(self, tasks: list[Task], task: Task) -> None:
        """Keep it among the backend's tasks and start it; called under the lock."""
        if task not in tasks:
            tasks.append(task)
        self._pool.submit(self._run, tasks, task, self.turn(task.instance.dbi_resource_id))

    def turn(self, resource_id: str) -> threading.Lock:
        """Held by whoever works on this instance."""
        return self._turns.setdefault(resource_id, threading.Lock())

    def stop(self) -> None:
        """What is not finished stays among the tasks and is taken up at the next start."""
        self._stopping.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, tasks: list[Task], task: Task, turn: threading.Lock) -> None:
        with turn:
            if self._stopping.is_set():
                return
            begin = time.monotonic()
            try:
                done = self.effects[task.kind](task)
            except Exception as error:  # noqa: BLE001 - the outermost place of this thread
                log.error("%s of %s failed: %s", task.kind, task.instance.db_instance_identifier, error)
                done = self._failed(task)
            self._stopping.wait(max(0.0, begin + self.options.delay_seconds - time.monotonic()))
            if self._stopping.is_set():
                return
            with self.lock:
                done()
                tasks.remove(task)
                self.save()

    @staticmethod
    def _failed(task: Task) -> Callable[[], None]:
        def done() -> None:
            task.instance.status = "failed" if task.kind in ("create", "restore", "rewind") else "available"
            if task.snapshot is not None and task.kind != "delete":
                task.snapshot.status = "failed"

        return done
