"""Storage: how fast it fills, and until when. It grows only, so the answer is never a smaller one."""

from __future__ import annotations

from itertools import pairwise
from math import ceil

from controlplane.domain.rightsizing.series import Series
from controlplane.domain.rightsizing.values import GIGABYTE, STORAGE, Measured, Storage, Subject, Thresholds

_DAY = 86_400
_LEAST_DAYS = 3
_LEAST_STEP = 1.1  # RDS rounds a smaller step up
_LOW_SHARE = 0.1  # where autoscaling begins
_STANDS_STILL_GB = 0.001  # a day


def storage(subject: Subject, measured: Measured, t: Thresholds) -> Storage | None:
    """None where it is not measured, or not for long enough."""
    series = measured.get(STORAGE)
    lowest = _lowest_by_day(series) if series else []
    if len(lowest) < _LEAST_DAYS:
        return None
    free = lowest[-1][1] / GIGABYTE
    growth = _growth(lowest, subject.storage_gb)
    room = max(0, subject.max_storage_gb - subject.storage_gb)
    until_full = _days(free, growth)
    until_ceiling = _days(free + room, growth)
    target = _target(subject, free, growth, until_ceiling, t)
    return Storage(
        round(free, 2), round(growth, 3), until_full, until_ceiling, target, _words(free, growth, until_full)
    )


def _lowest_by_day(series: Series) -> list[tuple[int, float]]:
    found: dict[int, float] = {}
    for at, value in zip(series.times, series.values, strict=True):
        day = at // _DAY
        found[day] = min(value, found.get(day, value))
    return sorted(found.items())


def _growth(points: list[tuple[int, float]], allocated_gb: int) -> float:
    """GB a day. A jump of free space by a tenth is autoscaling at work, and no data that went away."""
    jump = allocated_gb * GIGABYTE * _LOW_SHARE
    steps = [later[1] - earlier[1] for earlier, later in pairwise(points)]
    taken = -sum(step for step in steps if step < jump)
    return max(0.0, taken / (points[-1][0] - points[0][0]) / GIGABYTE)


def _days(gigabytes: float, growth: float) -> int | None:
    return None if growth < _STANDS_STILL_GB else int(gigabytes / growth)


def _target(subject: Subject, free: float, growth: float, until: int | None, t: Thresholds) -> int | None:
    """Enough for the days ahead, where autoscaling will not do it in time."""
    autoscales = subject.max_storage_gb > subject.storage_gb
    low = free < subject.storage_gb * _LOW_SHARE and not autoscales
    if not low and (until is None or until >= t.storage_warn_days):
        return None
    used = subject.storage_gb - free
    wanted = (used + growth * t.storage_target_days) / (1 - _LOW_SHARE)
    return max(ceil(wanted), ceil(subject.storage_gb * _LEAST_STEP))


def _words(free: float, growth: float, until_full: int | None) -> str:
    if until_full is None:
        return f"{free:.1f} GB free, not growing"
    return f"{free:.1f} GB free, {growth:.2f} GB a day: full in {until_full} days"
