"""Figures for Prometheus: what this process answered, and what the catalog holds. No tenant is named."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from controlplane.services.figures import Histogram

Labels = tuple[tuple[str, str], ...]
Families = Mapping[str, Mapping[Labels, float]]
Counted = Mapping[Labels, Histogram]

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
        for kind, families in (("gauge", gauges), ("counter", counters)):
            for name, values in families.items():
                lines.append(f"# TYPE {name} {kind}")
                lines += [f"{name}{_labels(dict(labels))} {value:g}" for labels, value in values.items()]
        for name, found in histograms.items():
            lines += _histogram(name, found)
        return "\n".join(lines) + "\n"

    def _counted(self) -> Iterator[str]:
        yield "# TYPE controlplane_http_requests_total counter"
        for (method, route, status), count in sorted(self._requests.items()):
            labels = _labels({"method": method, "route": route, "status": str(status)})
            yield f"controlplane_http_requests_total{labels} {count}"

    def _timed(self) -> Iterator[str]:
        name = "controlplane_http_request_duration_seconds"
        yield f"# TYPE {name} histogram"
        for route, counts in sorted(self._buckets.items()):
            total = 0
            for bound, count in zip([*map(str, _BOUNDS), "+Inf"], counts, strict=True):
                total += count
                yield f"{name}_bucket{_labels({'route': route, 'le': bound})} {total}"
            yield f"{name}_sum{_labels({'route': route})} {self._seconds[route]:.6f}"
            yield f"{name}_count{_labels({'route': route})} {total}"


def _histogram(name: str, found: Counted) -> Iterator[str]:
    yield f"# TYPE {name} histogram"
    for labels, told in found.items():
        named = dict(labels)
        bounds = [*(f"{bound:g}" for bound in told.bounds), "+Inf"]
        for bound, count in zip(bounds, [*told.counts, told.number], strict=True):
            yield f"{name}_bucket{_labels({**named, 'le': bound})} {count}"
        yield f"{name}_sum{_labels(named)} {told.seconds:.3f}"
        yield f"{name}_count{_labels(named)} {told.number}"


def _labels(labels: Mapping[str, str]) -> str:
    inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{inner}}}" if inner else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
