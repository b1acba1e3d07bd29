"""One tenant's finding. The order of questions is the order of caution: is it known, is it too small, is it
too large, may it be changed.

    measured → known? ─no→ no finding
                 └→ too small now, or for long? ─yes→ Underprovisioned, one step up
                       └→ low throughout, and the lower class would do? ─yes→ Overprovisioned, one step down
                             └→ Optimized
    changed lately? → the finding stands, but nothing is proposed until the cool-down is over,
                      but for taking back a step down after which it is too small now
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from controlplane.domain.rightsizing import credits
from controlplane.domain.rightsizing.series import Series
from controlplane.domain.rightsizing.signals import has, too_small, under, urgent, working_set
from controlplane.domain.rightsizing.storage import storage
from controlplane.domain.rightsizing.values import (
    CPU,
    CPU_RECENT,
    CREDITS,
    MEMORY,
    READ_IOPS,
    READ_LATENCY,
    WRITE_IOPS,
    WRITE_LATENCY,
    Advice,
    Finding,
    Measured,
    Reason,
    Signal,
    Step,
    Subject,
    Thresholds,
)

_DAY = 86_400
Ladder = Sequence[Step]


@dataclass(frozen=True)
class _Place:
    """Where the tenant stands on the ladder."""

    current: Step
    lower: Step | None
    upper: Step | None


def advise(subject: Subject, ladder: Ladder, measured: Measured, t: Thresholds, now: int) -> Advice:
    """The finding, its evidence and its price. Pure: equal arguments, equal answer."""
    place = _place(subject, ladder)
    valid = _since_change(measured, subject.last_change_at)
    found = _advise(subject, place, valid, t, now)
    found = replace(
        found,
        storage=storage(subject, valid, t),
        evidence=_evidence(valid, t),
        surplus_usd=credits.surplus_usd(valid, place.current, subject.credit_usd),
        monthly_before=subject.monthly_usd.get(subject.size),
        remarks=(*found.remarks, *_remarks(valid, t)),
    )
    return _cooled(_priced(found, subject), subject, t, now)


def _advise(subject: Subject, place: _Place, measured: Measured, t: Thresholds, now: int) -> Advice:
    plain = Advice(subject.slug, subject.identifier, None, subject.size)
    hot = urgent(measured, now, t)
    reasons = [*([hot] if hot else []), *under(place.current, measured, t)]
    if reasons:
        return _up(replace(plain, reasons=tuple(reasons), urgent=hot is not None), place)
    unknown = _unknown(measured, t)
    if unknown:
        return replace(plain, blocked=tuple(unknown))
    return _down(plain, subject, place, measured, t)


def _place(subject: Subject, ladder: Ladder) -> _Place:
    at = next(i for i, step in enumerate(ladder) if step.size is subject.size)
    return _Place(
        ladder[at],
        ladder[at - 1] if at > 0 else None,
        ladder[at + 1] if at + 1 < len(ladder) else None,
    )


def _since_change(measured: Measured, moment: int | None) -> Measured:
    """What another class did says nothing about this one."""
    if moment is None:
        return measured
    return {name: series.since(moment) for name, series in measured.items()}


def _unknown(measured: Measured, t: Thresholds) -> list[Signal]:
    """Why nothing can be said: a look-back with holes in it could hide the peak."""
    found = []
    for name in (CPU, MEMORY):
        covered = measured[name].coverage * 100 if has(measured, name) else 0.0
        if covered < t.coverage:
            found.append(
                Signal(
                    Reason.UNKNOWN,
                    f"{name}: {covered:.0f} % of {t.look_back_days} days measured, {t.coverage} % needed",
                )
            )
    return found


def _up(plain: Advice, place: _Place) -> Advice:
    found = replace(plain, finding=Finding.UNDERPROVISIONED)
    if place.upper is None:
        words = f"{place.current.instance_class} is the largest class of the ladder"
        return replace(found, blocked=(Signal(Reason.LADDER, words),))
    remarks: tuple[str, ...] = ()
    if place.upper.vcpu == place.current.vcpu and any(r.code is Reason.CPU_UNDER for r in found.reasons):
        remarks = (
            f"{place.upper.instance_class} has the same {place.upper.vcpu} vCPUs: it holds"
            f" {place.upper.baseline_percent:.0f} % for ever, not {place.current.baseline_percent:.0f} %",
        )
    return replace(
        found,
        target=place.upper.size,
        remarks=remarks,
        risk="low",
        risk_words="a larger class; the database restarts once",
    )


def _down(plain: Advice, subject: Subject, place: _Place, measured: Measured, t: Thresholds) -> Advice:
    high = measured[CPU].percentile(99)
    optimized = replace(plain, finding=Finding.OPTIMIZED)
    if high >= t.down:
        return optimized
    if place.lower is None:
        words = f"{place.current.instance_class} is the smallest class of the ladder"
        return replace(optimized, blocked=(Signal(Reason.LADDER, words),))
    blocked = [*_floor(subject, place.lower), *too_small(place.current, place.lower, measured, t)]
    blocked += _slow(measured, t)
    if blocked:
        return replace(optimized, blocked=tuple(blocked))
    needed = working_set(place.current, measured) / place.current.memory_bytes
    return replace(
        plain,
        finding=Finding.OVERPROVISIONED,
        target=place.lower.size,
        reasons=(
            Signal(Reason.CPU_OVER, f"CPU p99 {high:.0f} %, under {t.down} % throughout"),
            Signal(
                Reason.MEMORY_OVER,
                f"peak working set {needed:.0%} of memory; with {t.memory_margin} %"
                f" it fits {place.lower.instance_class}",
            ),
        ),
        risk="medium",
        risk_words="a smaller cache, cold at first: reads may become slower; the database restarts once",
    )


def _floor(subject: Subject, lower: Step) -> list[Signal]:
    sizes = list(type(subject.size))
    if sizes.index(lower.size) >= sizes.index(subject.floor):
        return []
    return [Signal(Reason.FLOOR, f"not below {subject.floor}: {subject.floor_words}")]


def _slow(measured: Measured, t: Thresholds) -> list[Signal]:
    found = []
    for name in (READ_LATENCY, WRITE_LATENCY):
        if has(measured, name) and (high := measured[name].percentile(95) * 1000) > t.latency_high_ms:
            found.append(Signal(Reason.LATENCY, f"{name} p95 {high:.0f} ms, over {t.latency_high_ms} ms"))
    return found


def _remarks(measured: Measured, t: Thresholds) -> tuple[str, ...]:
    """What another class would not mend."""
    if not (has(measured, READ_IOPS) and has(measured, WRITE_IOPS)):
        return ()
    high = measured[READ_IOPS].percentile(95) + measured[WRITE_IOPS].percentile(95)
    if high <= t.baseline_iops * 0.8:
        return ()
    return (f"{Reason.IOPS_UNDER}: {high:.0f} IOPS at p95 of {t.baseline_iops} that the storage grants",)


def _priced(found: Advice, subject: Subject) -> Advice:
    if found.target is None:
        return replace(found, monthly_after=found.monthly_before)
    return replace(
        found,
        monthly_after=subject.monthly_usd.get(found.target),
        outage=subject.outage.words(),
        revert=f"controlplane tenant resize {found.slug} --size {found.current}",
    )


def _cooled(found: Advice, subject: Subject, t: Thresholds, now: int) -> Advice:
    """At most one change of class a cool-down, in whichever direction, whatever the load does; but a step
    down that turns out too far is taken back at once, and what then comes waits again."""
    if found.target is None or subject.last_change_at is None or (found.urgent and subject.stepped_down):
        return found
    until = subject.last_change_at + t.cool_down_days * _DAY
    if now >= until:
        return found
    left = (until - now) / _DAY
    words = f"its class was changed less than {t.cool_down_days} days ago: {left:.1f} more"
    return replace(found, held_until=until, blocked=(*found.blocked, Signal(Reason.COOL_DOWN, words)))


def _evidence(measured: Measured, t: Thresholds) -> dict[str, Any]:
    windows = [series.window for name, series in measured.items() if name != CPU_RECENT]
    found: dict[str, Any] = {"look_back_days": t.look_back_days, "metrics": _figures(measured)}
    if windows:
        found |= {"from": windows[0].start, "until": windows[0].end, "period_seconds": windows[0].period}
    missing = [name for name in (CPU, MEMORY, CREDITS) if not has(measured, name)]
    return found | {"not_measured": missing}


def _figures(measured: Measured) -> dict[str, Any]:
    return {name: series.evidence() for name, series in sorted(measured.items())}


__all__ = ["Ladder", "Series", "advise"]
