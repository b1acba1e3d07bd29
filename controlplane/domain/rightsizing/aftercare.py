"""The look after a change: the same metrics on the new class. If it is worse, going back is proposed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from controlplane.domain.rightsizing.signals import has, under, urgent
from controlplane.domain.rightsizing.values import (
    CPU,
    READ_LATENCY,
    SWAP,
    WRITE_LATENCY,
    Measured,
    Reason,
    Signal,
    Step,
    Thresholds,
)

_WORSE_BY = 1.5
_NOTICEABLE_SECONDS = 0.005


class Outcome(StrEnum):
    GOOD = "good"
    WORSE = "worse"
    UNKNOWN = "unknown"  # not enough measured yet: looked at again


@dataclass(frozen=True)
class Verdict:
    outcome: Outcome
    signals: tuple[Signal, ...] = ()


def look_back(step: Step, before: Measured, after: Measured, t: Thresholds, now: int) -> Verdict:
    """What a change of class did. `after` holds only what was measured since."""
    hot = urgent(after, now, t)
    found = [*([hot] if hot else []), *under(step, after, t), *_slower(before, after), *_swaps(before, after)]
    if found:
        return Verdict(Outcome.WORSE, tuple(found))
    measured = after[CPU].hours if has(after, CPU) else 0
    return Verdict(Outcome.GOOD if measured >= t.up_hours else Outcome.UNKNOWN)


def _slower(before: Measured, after: Measured) -> list[Signal]:
    found = []
    for name in (READ_LATENCY, WRITE_LATENCY):
        if has(before, name) and has(after, name):
            was, now = before[name].percentile(95), after[name].percentile(95)
            if now > _NOTICEABLE_SECONDS and now > was * _WORSE_BY:
                words = f"{name} p95 {was * 1000:.1f} ms before, {now * 1000:.1f} ms since"
                found.append(Signal(Reason.LATENCY, words))
    return found


def _swaps(before: Measured, after: Measured) -> list[Signal]:
    if not (has(before, SWAP) and has(after, SWAP)):
        return []
    was, now = before[SWAP].percentile(50), after[SWAP].percentile(50)
    if now <= was * _WORSE_BY or now < 64 * 1024**2:
        return []
    return [
        Signal(Reason.MEMORY_UNDER, f"swap {was / 1024**2:.0f} MiB before, {now / 1024**2:.0f} MiB since")
    ]
