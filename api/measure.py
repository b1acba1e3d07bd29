"""Figures for Prometheus: what this process answered, and what the catalog holds. No tenant is named."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from controlplane.services.figures import Counted, Families, exposition, labelled

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


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
            lines = [*self._counted(), *self._timed()]
        return "\n".join([*lines, *exposition(gauges, counters, histograms)]) + "\n"

    def _counted(self) -> Iterator[str]:
        yield "# TYPE controlplane_http_requests_total counter"
        for (method, route, status), count in sorted(self._requests.items()):
            labels = labelled({"method": method, "route": route, "status": str(status)})
            yield f"controlplane_http_requests_total{labels} {count}"

    def _timed(self) -> Iterator[str]:
        name = "controlplane_http_request_duration_seconds"
        yield f"# TYPE {name} histogram"
        for route, counts in sorted(self._buckets.items()):
            total = 0
            for bound, count in zip([*map(str, _BOUNDS), "+Inf"], counts, strict=True):
                total += count
                yield f"{name}_bucket{labelled({'route': route, 'le': bound})} {total}"
            yield f"{name}_sum{labelled({'route': route})} {self._seconds[route]:.6f}"
            yield f"{name}_count{labelled({'route': route})} {total}"
