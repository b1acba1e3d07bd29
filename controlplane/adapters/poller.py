"""One look at all databases for everybody who asks within a short time: never a call per tenant."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from controlplane.ports import Cloud, DatabaseInstance


class FleetPoller:
    """`databases()` of a `Cloud`, remembered for `seconds`. Two who ask at once make one call."""

    def __init__(
        self, cloud: Cloud, seconds: float = 30, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cloud = cloud
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._found: Sequence[DatabaseInstance] = ()
        self._at: float | None = None

    def databases(self, *, fresh: bool = False) -> Sequence[DatabaseInstance]:
        """A look that fails is not remembered: the next one who asks looks again."""
        with self._lock:
            now = self._clock()
            if fresh or self._at is None or now - self._at >= self._seconds:
                self._found = tuple(self._cloud.databases())
                self._at = now
            return self._found
