"""The worker's clock: what is due is done beside the worker's own loop, one thing at a time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from controlplane.domain.errors import ControlPlaneError
from controlplane.services.control import Control
from controlplane.services.webhooks.delivering import Postman

_log = logging.getLogger(__name__)


def clock(control: Control, holder: str, *, alone: bool) -> Callable[[], None]:
    """What a worker calls with every look; who is `alone` takes back what a life before held."""
    # One that ends when nothing is left to do has no clock, and need not know what could be due.
    from controlplane.services.schedules.jobs import JOBS  # noqa: PLC0415
    from controlplane.services.schedules.running import Clockwork  # noqa: PLC0415

    work = Clockwork(control, holder, JOBS)
    work.begin(alone=alone)
    return Clock(work.tick).look


def post(control: Control) -> Clock:
    """What takes events to webhooks."""
    return Clock(Postman(control).tick, every_seconds=1.0)


@dataclass
class Clock:
    """A scan of a large fleet takes minutes: it must not hold up the legs of operations."""

    tick: Callable[[], bool]  # does the next thing that is due; False: nothing was
    every_seconds: float = 5.0
    _looked_at: float = field(default=float("-inf"), init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def look(self) -> None:
        """Called with every look of the worker; returns at once."""
        if self._thread is not None and self._thread.is_alive():
            return
        if time.monotonic() - self._looked_at < self.every_seconds:
            return
        self._looked_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="schedules", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while self.tick():
                pass
        except ControlPlaneError as error:
            _log.warning("the schedules could not be looked at, another look follows: %s", error)

    def finish(self, seconds: float = 15.0) -> bool:
        """One look more, for what happened last; True when it ended in time."""
        self.join(seconds)
        self._looked_at = float("-inf")
        self.look()
        return self.join(seconds)

    def join(self, seconds: float) -> bool:
        """Wait for what is being done; True when nothing is."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._thread is None or not self._thread.is_alive()
