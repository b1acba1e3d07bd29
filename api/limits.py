"""How much one caller may send: sizes, and requests a second per token."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass

from controlplane.domain.errors import Throttled

_MOST_CALLERS = 10_000


@dataclass(frozen=True)
class Limits:
    """Of one token; 0: no limit. A read costs little, a change starts work. A state may be a large body."""

    requests_per_second: float = 10_000.0
    burst: float = 20_000.0
    changes_per_second: float = 50.0
    changes_burst: float = 500.0
    body_bytes: int = 1_000_000
    state_bytes: int = 64_000_000
    failures_per_minute: int = 10  # of one address, to come in


class Bucket:
    """Token buckets by caller; those who were not seen for long are forgotten first."""

    def __init__(self, rate: float, burst: float, what: str = "requests") -> None:
        self._rate, self._burst, self._what = rate, burst, what
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> None:
        """Raise when this caller's bucket is empty."""
        if self._rate <= 0:
            return
        now = time.monotonic()
        level, at = self._levels.pop(caller, (self._burst, now))
        level = min(self._burst, level + (now - at) * self._rate)
        self._levels[caller] = (level - 1 if level >= 1 else level, now)
        if len(self._levels) > _MOST_CALLERS:
            self._levels.popitem(last=False)
        if level < 1:
            wait = max(1, round((1 - level) / self._rate))
            raise Throttled(
                f"more than {self._rate:g} {self._what} a second",
                hint=f"wait {wait} s, then go on more slowly",
                details={"retry_after": wait},
            )

    def is_empty(self, caller: str) -> bool:
        """Whether `take` would raise now; takes nothing."""
        if self._rate <= 0 or caller not in self._levels:
            return False
        level, at = self._levels[caller]
        return level + (time.monotonic() - at) * self._rate < 1
