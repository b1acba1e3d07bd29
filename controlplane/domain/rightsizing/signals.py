"""What speaks for a larger class: each rule alone, on what was measured and on the class it would be.

The same rules judge the class of today and a lower one that is thought of, so that a step down that they
would call too small afterwards is never proposed.
"""

from __future__ import annotations

from collections.abc import Iterator

from controlplane.domain.rightsizing import credits
from controlplane.domain.rightsizing.series import Series
from controlplane.domain.rightsizing.values import (
    CONNECTIONS,
    CPU,
    CPU_RECENT,
    CREDITS,
    MEMORY,
    SURPLUS,
    SWAP,
    Measured,
    Reason,
    Signal,
    Step,
    Thresholds,
)

_STILL_RECENT_SECONDS = 15 * 60
_MEGABYTE = 1024**2


def has(measured: Measured, name: str) -> bool:
    return name in measured and bool(measured[name].values)


def under(step: Step, measured: Measured, t: Thresholds) -> list[Signal]:
    """Everything that is too small about this class, which is the one that was measured."""
    return [*_cpu(step, measured, t), *_memory(step, measured, t), *_connections(step, measured, t)]


# --- CPU --------------------------------------------------------------------------------------------


def _cpu(step: Step, measured: Measured, t: Thresholds) -> Iterator[Signal]:
    if not has(measured, CPU) or measured[CPU].hours < t.up_hours:
        return
    if step.burst is not None and (has(measured, CREDITS) or has(measured, SURPLUS)):
        yield from _credits(step, step.burst.most_credits, measured, t)
        return
    # Of a burstable class without measured credits this is the least that can be said.
    high = measured[CPU].percentile(95)
    if high > t.up:
        yield Signal(Reason.CPU_UNDER, f"CPU p95 {high:.0f} %, over {t.up} %")


def _credits(step: Step, most: float, measured: Measured, t: Thresholds) -> Iterator[Signal]:
    """Credits decide: a mean says nothing about a class that saves up and spends."""
    low = most * t.credits_low / 100
    if has(measured, SURPLUS):
        share = 1 - measured[SURPLUS].share_where(0, 1)
        if share * 100 > t.credits_share:
            yield Signal(
                Reason.CPU_UNDER, f"in surplus credits {share:.0%} of the time: paid beyond the class"
            )
            return
    if not has(measured, CREDITS):
        return
    share = measured[CREDITS].share_where(0, low)
    busy = measured[CPU].percentile(95) > step.baseline_percent
    if share * 100 > t.credits_share and busy:
        yield Signal(
            Reason.CPU_UNDER,
            f"CPU credits at {low:.0f} or less {share:.0%} of the time, CPU p95"
            f" {measured[CPU].percentile(95):.0f} % over a baseline of {step.baseline_percent:.0f} %",
        )


def urgent(measured: Measured, now: int, t: Thresholds) -> Signal | None:
    """CPU above the limit for so many minutes, without a gap, and still."""
    if not has(measured, CPU_RECENT):
        return None
    recent = measured[CPU_RECENT]
    if now - recent.times[-1] > _STILL_RECENT_SECONDS:
        return None
    minutes = _minutes_above(recent, t.urgent)
    if minutes < t.urgent_minutes:
        return None
    return Signal(Reason.CPU_UNDER, f"CPU over {t.urgent} % for {minutes} minutes, and still")


def _minutes_above(recent: Series, limit: float) -> int:
    """Of the run of periods that ends with the last one."""
    period, following, seconds = recent.window.period, None, 0
    for at, value in zip(reversed(recent.times), reversed(recent.values), strict=True):
        if value <= limit or (following is not None and following - at > period):
            break
        seconds, following = seconds + period, at
    return seconds // 60


# --- memory -----------------------------------------------------------------------------------------


def working_set(step: Step, measured: Measured) -> float:
    """The peak: PostgreSQL fills its cache, so that only the lowest free memory tells."""
    return step.memory_bytes - measured[MEMORY].percentile(1)


def _memory(step: Step, measured: Measured, t: Thresholds) -> Iterator[Signal]:
    if has(measured, MEMORY) and measured[MEMORY].hours >= t.up_hours:
        share = working_set(step, measured) / step.memory_bytes * 100
        if share > t.memory_up:
            yield Signal(
                Reason.MEMORY_UNDER, f"working set at its peak {share:.0f} % of memory, over {t.memory_up} %"
            )
    if has(measured, SWAP) and measured[SWAP].hours >= t.up_hours:
        swap = measured[SWAP].percentile(95)
        if swap > step.memory_bytes * t.swap_up / 100:
            yield Signal(
                Reason.MEMORY_UNDER, f"swaps {swap / _MEGABYTE:.0f} MiB, over {t.swap_up} % of memory"
            )


# --- connections ------------------------------------------------------------------------------------


def _connections(step: Step, measured: Measured, t: Thresholds) -> Iterator[Signal]:
    if not has(measured, CONNECTIONS):
        return
    peak = measured[CONNECTIONS].percentile(100)
    if peak > step.max_connections * t.connections_up / 100:
        yield Signal(
            Reason.CONNECTION_CEILING,
            f"{peak:.0f} of {step.max_connections} connections at the peak, over {t.connections_up} %:"
            " a connection pool is cheaper than a larger class",
        )


# --- a lower class, thought of ----------------------------------------------------------------------


def too_small(current: Step, lower: Step, measured: Measured, t: Thresholds) -> list[Signal]:
    """Why the lower class would not do, or is not known to do."""
    found = [*_lower_cpu(current, lower, measured, t), *_lower_memory(current, lower, measured, t)]
    if not has(measured, CONNECTIONS):
        found.append(Signal(Reason.UNKNOWN, "connections are not measured"))
        return found
    peak, most = measured[CONNECTIONS].percentile(100), lower.max_connections
    if peak > most * t.connections_fit / 100:
        words = f"{peak:.0f} connections at the peak, {lower.instance_class} allows {most}"
        found.append(
            Signal(Reason.CONNECTION_CEILING, f"{words} and needs {100 - t.connections_fit} % margin")
        )
    return found


def _lower_cpu(current: Step, lower: Step, measured: Measured, t: Thresholds) -> Iterator[Signal]:
    scale = current.vcpu / lower.vcpu
    high = measured[CPU].percentile(95) * scale
    if high > t.up:
        yield Signal(Reason.CPU_UNDER, f"CPU p95 would be {high:.0f} % on {lower.instance_class}")
    if lower.burst is None:
        return
    if current.burst is not None and not has(measured, CREDITS):
        yield Signal(Reason.UNKNOWN, "CPU credits are not measured, and they decide for a burstable class")
        return
    short = credits.hours_short(measured, lower, scale)
    if short is None:
        yield Signal(Reason.UNKNOWN, "too little of the CPU's mean is measured to foresee credits")
    elif short > 0:
        yield Signal(
            Reason.CREDITS,
            f"{lower.instance_class} would be out of credits for {short:.0f} hours of this load"
            f" (it earns {lower.burst.credits_per_hour:.0f} an hour: {lower.baseline_percent:.0f} % CPU)",
        )


def _lower_memory(current: Step, lower: Step, measured: Measured, t: Thresholds) -> Iterator[Signal]:
    needed = working_set(current, measured) * (100 + t.memory_margin) / 100
    if needed > lower.memory_bytes:
        yield Signal(
            Reason.MEMORY_UNDER,
            f"peak working set and {t.memory_margin} % are {needed / _MEGABYTE:.0f} MiB,"
            f" {lower.instance_class} has {lower.memory_bytes / _MEGABYTE:.0f}",
        )
    if not has(measured, SWAP):
        yield Signal(Reason.UNKNOWN, "swap is not measured")
    elif measured[SWAP].percentile(95) > lower.memory_bytes * t.swap_up / 100:
        yield Signal(Reason.MEMORY_UNDER, "it swaps already")
