"""Figures for Prometheus: what this process answered, and what the catalog holds. No tenant is named."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import accumulate

from controlplane.services.figures import Counted, Families, Histogram, Labels, exposition

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_REQUESTS, _SECONDS = "controlplane_http_requests_total", "controlplane_http_request_duration_seconds"


class Measures:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._buckets: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(_BOUNDS) + 1))
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """`route` is the path's template, so that its values stay few."""
        place = next((i for i, bound in enumerate(_BOUNDS) if seconds <= bound), len(_BOUNDS))
        with self._lock:
            self._requests[(method, route, status)] += 1
            self._buckets[route][place] += 1
            self._seconds[route] += seconds

    def text(self, gauges: Families, counters: Families, histograms: Mapping[str, Counted]) -> str:
        with self._lock:
            answered, timed = {_REQUESTS: self._counted()}, {_SECONDS: self._timed()}
        return "\n".join(exposition(gauges, {**answered, **counters}, {**timed, **histograms})) + "\n"

    def _counted(self) -> Mapping[Labels, float]:
        return {
            (("method", method), ("route", route), ("status", str(status))): count
            for (method, route, status), count in sorted(self._requests.items())
        }

    def _timed(self) -> Counted:
        found: dict[Labels, Histogram] = {}
        for route, counts in sorted(self._buckets.items()):
            *upto, number = accumulate(counts)
            found[("route", route),] = Histogram(_BOUNDS, upto, number, self._seconds[route])
        return found
