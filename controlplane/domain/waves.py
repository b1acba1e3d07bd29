"""A bulk change in waves: a canary first, then so many at a time, and an end when too many fail.

Pure: given the wave and its items, what to do next. Called whenever an item changed; calling it twice with
the same items asks for the same starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.operation import FINAL, Status


class WaveStatus(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    ABORTED = "aborted"
    DONE = "done"


WAITING, STARTED, REFUSED = (
    "waiting",
    "started",
    "refused",
)  # of an item, beside an operation's ended statuses
GOOD = frozenset({Status.SUCCEEDED.value, Status.NO_CHANGES.value})
# What counts towards the threshold: harm, or nobody knows. A refusal or a person's no harms nobody.
FAILED = frozenset({Status.FAILED.value, Status.PARTIALLY_APPLIED.value, Status.NEEDS_OPERATOR.value})
ENDED = frozenset(s.value for s in FINAL) | {Status.NEEDS_OPERATOR.value, REFUSED}


@dataclass(frozen=True)
class Item:
    position: int
    status: str = WAITING


@dataclass(frozen=True)
class Wave:
    size: int
    canary: int = 0
    abort_after_percent: Decimal | None = None  # of all items; None: never by itself
    status: WaveStatus = WaveStatus.RUNNING


@dataclass(frozen=True)
class Next:
    """Positions to start, and what the wave is from now on, with the reason where it stops."""

    status: WaveStatus
    start: tuple[int, ...] = ()
    reason: str = ""


def check_wave(wave: Wave) -> None:
    errors = []
    if wave.size < 1:
        errors.append(FieldError("wave", f"{wave.size} at a time is none"))
    if wave.canary < 0:
        errors.append(FieldError("canary", f"{wave.canary} is less than none"))
    if wave.abort_after_percent is not None and not 0 <= wave.abort_after_percent <= 100:
        errors.append(FieldError("abort_after", f"{wave.abort_after_percent} is no percentage"))
    if errors:
        raise Invalid("the wave: " + "; ".join(e.message for e in errors), errors=errors)


def next_actions(wave: Wave, items: Sequence[Item]) -> Next:
    """What follows. A paused wave starts nothing; one that ended never goes on."""
    if wave.status in (WaveStatus.ABORTED, WaveStatus.DONE):
        return Next(wave.status)
    if reason := _too_many_failed(wave, items) or _bad_canary(wave, items):
        return Next(WaveStatus.ABORTED, reason=reason)
    if all(item.status in ENDED for item in items):
        return Next(WaveStatus.DONE)
    if wave.status is WaveStatus.PAUSED:
        return Next(WaveStatus.PAUSED, reason="paused: `wave continue` goes on")
    return Next(WaveStatus.RUNNING, _to_start(wave, items))


def _too_many_failed(wave: Wave, items: Sequence[Item]) -> str:
    failed = sum(item.status in FAILED for item in items)
    if wave.abort_after_percent is None or failed * 100 <= wave.abort_after_percent * len(items):
        return ""
    return f"{failed} of {len(items)} failed, more than {wave.abort_after_percent.normalize():f} percent"


def _bad_canary(wave: Wave, items: Sequence[Item]) -> str:
    """A canary that was refused or cancelled has proven nothing: that stops the rest as well."""
    bad = [c for c in _canaries(wave, items) if c.status in ENDED - GOOD]
    return f"the canary at position {bad[0].position} ended {bad[0].status}" if bad else ""


def _to_start(wave: Wave, items: Sequence[Item]) -> tuple[int, ...]:
    """The next batch once the one before has ended whole; canaries are the first batch."""
    ordered = sorted(items, key=lambda item: item.position)
    batches = [ordered[: wave.canary]] if wave.canary else []
    rest = ordered[wave.canary :]
    batches += [rest[i : i + wave.size] for i in range(0, len(rest), wave.size)]
    current = next(batch for batch in batches if any(item.status not in ENDED for item in batch))
    return tuple(item.position for item in current if item.status == WAITING)


def _canaries(wave: Wave, items: Sequence[Item]) -> list[Item]:
    return sorted(items, key=lambda item: item.position)[: wave.canary]
