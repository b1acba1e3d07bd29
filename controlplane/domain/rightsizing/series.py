"""Measured points as they come. Gaps, NaN, negative, disordered ones are reported, never taken for zero."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from math import isfinite
from typing import Any

Point = tuple[float | None, float | None]  # seconds since 1970, value


@dataclass(frozen=True)
class Window:
    """What was asked for: seconds since 1970, the end exclusive."""

    start: int
    end: int
    period: int

    @property
    def expected(self) -> int:
        return max(0, (self.end - self.start) // self.period)

    @property
    def days(self) -> float:
        return max(0, self.end - self.start) / 86_400


@dataclass(frozen=True)
class Series:
    """Usable values in order of time, one a period, and what was wrong with the others."""

    window: Window
    times: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    faults: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def _ordered(self) -> tuple[float, ...]:
        return tuple(sorted(self.values))

    @property
    def coverage(self) -> float:
        """The share of periods that have a usable value."""
        return min(1.0, len(self.values) / self.window.expected) if self.window.expected else 0.0

    @property
    def hours(self) -> float:
        return len(self.values) * self.window.period / 3600

    def percentile(self, percent: float) -> float:
        """Linear between the two nearest values; only of a series that has any."""
        return percentile(self._ordered, percent)

    @property
    def mean(self) -> float:
        return sum(self.values) / len(self.values)

    def share_where(self, low: float, high: float) -> float:
        """The share of values within [low, high]."""
        return sum(low <= value <= high for value in self.values) / len(self.values)

    @property
    def longest_gap(self) -> int:
        """Seconds, at either end too."""
        edges = (self.window.start - self.window.period, *self.times, self.window.end)
        gaps = (later - earlier for earlier, later in pairwise(edges))
        return max(0, max(gaps) - self.window.period)

    def since(self, moment: float) -> Series:
        """Only what was measured from this moment on; the window, and so what is missing, stays."""
        kept = [(at, value) for at, value in zip(self.times, self.values, strict=True) if at >= moment]
        return Series(self.window, tuple(at for at, _ in kept), tuple(v for _, v in kept), self.faults)

    def evidence(self) -> dict[str, Any]:
        """What a person has to see to believe a finding."""
        found: dict[str, Any] = {
            "points": len(self.values),
            "expected": self.window.expected,
            "coverage_percent": round(self.coverage * 100, 1),
            "longest_gap_hours": round(self.longest_gap / 3600, 1),
            "faults": dict(self.faults),
        }
        if self.values:
            found |= {f"p{p}": _short(self.percentile(p)) for p in (1, 50, 95, 99)}
            found["max"] = _short(self._ordered[-1])
        return found


def clean(points: Iterable[Point], window: Window, ceiling: float | None = None) -> Series:
    """Usable points, one a period, in order; `ceiling` is the largest value that can be."""
    faults: Counter[str] = Counter()
    kept: dict[int, float] = {}
    last = float("-inf")
    for at, value in points:
        fault = _fault(at, value, window, ceiling)
        if fault or at is None or value is None:
            faults[fault or "not_a_number"] += 1
            continue
        period = window.start + int(at - window.start) // window.period * window.period
        faults["out_of_order"] += at < last
        faults["repeated"] += period in kept
        last = max(last, at)
        kept[period] = value
    ordered = sorted(kept)
    counted = {name: count for name, count in sorted(faults.items()) if count}
    return Series(window, tuple(ordered), tuple(kept[at] for at in ordered), counted)


def _fault(at: float | None, value: float | None, window: Window, ceiling: float | None) -> str:
    if at is None or value is None or not isfinite(at) or not isfinite(value):
        return "not_a_number"
    if value < 0:
        return "negative"
    if ceiling is not None and value > ceiling:
        return "impossible"
    return "" if window.start <= at < window.end else "outside_window"


def percentile(ordered: tuple[float, ...], percent: float) -> float:
    place = (len(ordered) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _short(value: float) -> float:
    return round(value) if abs(value) >= 1000 else round(value, 3)
