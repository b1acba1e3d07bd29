"""The watch over fences: beside the legs, in a thread of its own, so that a leg which hangs holds up no look
and a database which does not answer holds up no leg."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

EVERY_SECONDS = 2.0


class FenceWatch:
    """One of the worker's hooks: each call begins a look, unless one goes on or ended just now."""

    def __init__(self, tend: Callable[[], None], every_seconds: float = EVERY_SECONDS) -> None:
        self._tend, self._every = tend, every_seconds
        self._began = float("-inf")
        self._thread: threading.Thread | None = None

    def __call__(self) -> None:
        goes_on = self._thread is not None and self._thread.is_alive()
        if goes_on or time.monotonic() - self._began < self._every:
            return
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._tend, name="fence-watch", daemon=True)
        self._thread.start()
