"""Starting the watchdog over fences, in a session of its own: it outlives the worker that asks for it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

from controlplane.domain.errors import Unavailable
from controlplane.supervisor.locks import is_held

_ANSWER_SECONDS = 30.0


class WatchdogStarter:
    """`lock` is what a living watchdog of this machine holds."""

    def __init__(self, lock: Path, log: Path, seconds: float = _ANSWER_SECONDS) -> None:
        self._lock, self._log, self._seconds = lock, log, seconds

    def __call__(self) -> None:
        """Return once a watchdog lives. Asked before a login is closed: without one, no fence."""
        if is_held(self._lock):
            return
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "cli", "watchdog", "--until-open"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        # Whenever it ends it is reaped, and one that outlives us is nothing to warn of.
        Thread(target=process.wait, name="watchdog-end", daemon=True).start()
        deadline = time.monotonic() + self._seconds
        while not is_held(self._lock):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(
                    "the watchdog over fences did not start: nothing is closed without it",
                    hint=f"read {self._log}, or run: controlplane watchdog",
                )
            time.sleep(0.02)
