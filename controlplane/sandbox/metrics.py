"""Series of measured or loaded values, one a minute, and the statistics that CloudWatch makes of them."""

from __future__ import annotations

import bisect
import json
import pickle
import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from controlplane.domain.errors import Invalid

NAMESPACE = "AWS/RDS"
UNITS = {
    "CPUUtilization": "Percent",
    "DatabaseConnections": "Count",
    "FreeableMemory": "Bytes",
    "FreeStorageSpace": "Bytes",
    "SwapUsage": "Bytes",
    "ReadIOPS": "Count/Second",
    "WriteIOPS": "Count/Second",
    "ReadLatency": "Seconds",
    "WriteLatency": "Seconds",
    "DiskQueueDepth": "Count",
    "CPUCreditBalance": "Count",
    "CPUCreditUsage": "Count",
    "CPUSurplusCreditBalance": "Count",
    "MaximumUsedTransactionIDs": "Count",
}

_SIMPLE: Mapping[str, Callable[[list[float]], float]] = {
    "Average": lambda values: sum(values) / len(values),
    "Minimum": min,
    "Maximum": max,
    "Sum": sum,
    "SampleCount": lambda values: float(len(values)),
}


@dataclass
class Series:
    """Values by minute since 1970, ascending."""

    minutes: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))

    def put(self, minute: int, value: float) -> None:
        """The last value of a minute stands."""
        at = bisect.bisect_left(self.minutes, minute)
        if at < len(self.minutes) and self.minutes[at] == minute:
            self.values[at] = value
        else:
            self.minutes.insert(at, minute)
            self.values.insert(at, value)

    def between(self, first: int, end: int) -> Iterator[tuple[int, float]]:
        low, high = bisect.bisect_left(self.minutes, first), bisect.bisect_left(self.minutes, end)
        return zip(self.minutes[low:high], self.values[low:high], strict=True)


class Metrics:
    """All series by instance and metric."""

    def __init__(self) -> None:
        self.series: dict[tuple[str, str], Series] = {}

    def put(self, instance: str, metric: str, minute: int, value: float) -> None:
        self.series.setdefault((instance, metric), Series()).put(minute, value)

    def buckets(
        self, instance: str, metric: str, start: datetime, end: datetime, period: int
    ) -> list[tuple[datetime, list[float]]]:
        """The values of every period that has any; periods start at whole multiples of their length."""
        found = self.series.get((instance, metric))
        if found is None:
            return []
        minutes = max(1, period // 60)
        first = minute_of(start) // minutes * minutes
        grouped: dict[int, list[float]] = {}
        for minute, value in found.between(first, minute_of(end, up=True)):
            grouped.setdefault(minute // minutes * minutes, []).append(value)
        return [(datetime.fromtimestamp(at * 60, UTC), values) for at, values in sorted(grouped.items())]

    def forget(self, instance: str) -> None:
        for key in [key for key in self.series if key[0] == instance]:
            del self.series[key]

    # --- files --------------------------------------------------------------------------------------

    def save(self, path: Path) -> None:
        fresh = path.with_suffix(".new")
        fresh.write_bytes(pickle.dumps({key: (s.minutes, s.values) for key, s in self.series.items()}))
        fresh.replace(path)

    def load(self, path: Path) -> None:
        if path.exists():
            stored = pickle.loads(path.read_bytes())  # noqa: S301 - our own file, private to this user
            self.series = {key: Series(*arrays) for key, arrays in stored.items()}

    def add_traces(self, traces: Mapping[str, Any], now: datetime) -> int:
        """Synthetic values, {"instance": {"Metric": {"start"|"ends", "period", "values"}}}; how many."""
        count = 0
        try:
            for instance, metrics in traces.items():
                for metric, trace in metrics.items():
                    count += self._add_trace(instance, metric, trace, now)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Invalid(f"loading traces: {error!r}", hint="see docs/emulator.md for the format") from error
        return count

    def _add_trace(self, instance: str, metric: str, trace: Mapping[str, Any], now: datetime) -> int:
        step = max(1, int(trace.get("period", 60)) // 60)
        values = [float(value) for value in trace["values"]]
        if "start" in trace:
            first = minute_of(datetime.fromisoformat(trace["start"]))
        else:  # the last value is now's
            first = minute_of(now) - step * (len(values) - 1)
        for number, value in enumerate(values):
            self.put(instance, metric, first + number * step, value)
        return len(values)


def read_traces(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Invalid(f"reading the traces in {path}: {error}") from error
    if not isinstance(found, dict):
        raise Invalid(f"reading the traces in {path}: an object by instance is expected")
    return found


def statistic(name: str, values: list[float]) -> float:
    """Average, Minimum, Maximum, Sum, SampleCount or a percentile such as p99 or p99.9."""
    if name in _SIMPLE:
        return _SIMPLE[name](values)
    match = re.fullmatch(r"p(\d{1,2}(?:\.\d+)?|100)", name)
    if not match:
        raise Invalid(
            f"computing {name!r}: the sandbox knows {', '.join(_SIMPLE)} and percentiles such as p99"
        )
    return _percentile(sorted(values), float(match.group(1)))


def _percentile(ordered: list[float], share: float) -> float:
    """Linear between the two nearest values."""
    place = (len(ordered) - 1) * share / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def minute_of(at: datetime, *, up: bool = False) -> int:
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    seconds = aware.timestamp()
    return int(-(-seconds // 60)) if up else int(seconds // 60)
