"""One measured value beside what it is measured against, and how things are timed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`measured` in `unit`; `beside` is the same work done barely, `goal` the most that is wanted."""

    what: str
    measured: float
    unit: str = "s"
    beside: float | None = None
    goal: float | None = None
    goal_ratio: float | None = None  # measured ÷ beside

    @property
    def ratio(self) -> float | None:
        return self.measured / self.beside if self.beside else None

    @property
    def is_met(self) -> bool | None:
        """None: nothing was promised."""
        if self.goal_ratio is not None and self.ratio is not None:
            return self.ratio <= self.goal_ratio
        return None if self.goal is None else self.measured <= self.goal


def seconds(work: Callable[[], object], rounds: int = 1) -> float:
    """Wall time, the median of so many rounds."""
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def cpu_seconds(work: Callable[[], object]) -> float:
    """Time of this process on a core, in user and system mode."""
    began = time.process_time()
    work()
    return time.process_time() - began
