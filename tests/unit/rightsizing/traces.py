"""Synthetic load on the real ladder: what CloudWatch would show of it on each class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from math import pi, sin
from typing import Any

from controlplane.domain.plan.forecast import Outage
from controlplane.domain.rightsizing import (
    Advice,
    Burst,
    Measured,
    Series,
    Step,
    Subject,
    Thresholds,
    Window,
    advise,
    clean,
)
from controlplane.domain.tenant import Size, Stage

MIB, GIB = 1024**2, 1024**3
DAY = 86_400
NOW = 1_750_000_000 // DAY * DAY
T = Thresholds()
LADDER = (
    Step(Size.MICRO, "db.t4g.micro", 2, 1024 * MIB, 112, Burst(12, 288)),
    Step(Size.SMALL, "db.t4g.small", 2, 2048 * MIB, 225, Burst(24, 576)),
    Step(Size.MEDIUM, "db.t4g.medium", 2, 4096 * MIB, 450, Burst(24, 576)),
    Step(Size.LARGE, "db.m6g.large", 2, 8192 * MIB, 901),
)
PRICES: Mapping[Size, Decimal | None] = {
    Size.MICRO: Decimal("17.18"),
    Size.SMALL: Decimal("28.86"),
    Size.MEDIUM: Decimal("52.95"),
    Size.LARGE: Decimal("118.61"),
}
Curve = Callable[[float], float]  # hours since the beginning → CPU of two vCPUs in percent


def step_of(size: Size) -> Step:
    return next(step for step in LADDER if step.size is size)


@dataclass(frozen=True)
class Load:
    """What a tenant does, whatever class it does it on."""

    cpu: Curve
    working_set_mib: float = 300
    connections: float = 10
    growth_gb_a_day: float = 0.0
    used_gb: float = 5.0
    latency_ms: float = 1.0


def flat(percent: float) -> Curve:
    return lambda _: percent


def daily(low: float, high: float) -> Curve:
    """Office hours as a wave: high at noon, low at midnight."""
    return lambda hours: low + (high - low) * max(0.0, sin((hours % 24 - 6) / 12 * pi))


def nightly(low: float, high: float, hours: float = 1.0) -> Curve:
    return lambda at: high if 2 <= at % 24 < 2 + hours else low


def saw(high: float, low: float, period_hours: float) -> Curve:
    return lambda hours: high if int(hours / period_hours) % 2 else low


def subject(size: Size = Size.SMALL, **facts: Any) -> Subject:
    plain = Subject(
        slug="acme",
        identifier="acme-e1",
        stage=Stage.POC,
        size=size,
        floor=Size.MICRO,
        floor_words="a PoC may be micro",
        storage_gb=20,
        max_storage_gb=50,
        monthly_usd=PRICES,
        outage=Outage(180, 900),
        credit_usd=Decimal("0.075"),
    )
    return replace(plain, **facts)


def window(days: float = 14, end: int = NOW, period: int = 7200) -> Window:
    return Window(end - int(days * DAY), end, period)


def measure(load: Load, size: Size, over: Window | None = None, origin: int | None = None) -> Measured:
    """All series of a load on a class. `origin`: when the load's clock was zero."""
    w = over or window()
    begun = w.start if origin is None else origin
    points = _points(load, step_of(size), w, begun)
    return {
        name: clean(zip(points["at"], values, strict=True), w)
        for name, values in points.items()
        if name != "at"
    }


def _points(load: Load, step: Step, w: Window, begun: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in _NAMES}
    balance, surplus = (step.burst.most_credits if step.burst else 0.0), 0.0
    for at in range(w.start, w.end, w.period):
        hours = (at - begun) / 3600
        samples = [min(100.0, load.cpu(hours + w.period / 3600 * i / 4)) for i in range(4)]
        mean, high = sum(samples) / 4, max(samples)
        if step.burst:
            net = (
                balance
                - surplus
                + (step.burst.credits_per_hour - mean / 100 * step.vcpu * 60) * w.period / 3600
            )
            balance, surplus = min(max(net, 0.0), step.burst.most_credits), max(-net, 0.0)
        needed = load.working_set_mib * MIB
        row = {
            "at": at,
            "cpu": high,
            "cpu_mean": mean,
            "freeable_memory": max(0.02 * step.memory_bytes, step.memory_bytes - needed),
            "swap": max(0.0, needed - 0.98 * step.memory_bytes),
            "connections": load.connections,
            "free_storage": max(0.0, 20 - load.used_gb - load.growth_gb_a_day * hours / 24) * GIB,
            "read_latency": load.latency_ms / 1000,
            "write_latency": load.latency_ms / 1000,
            "read_iops": 50.0,
            "write_iops": 50.0,
            "credits": balance,
            "surplus_credits": surplus,
        }
        for name, value in row.items():
            found[name].append(value)
    if not step.burst:
        del found["credits"], found["surplus_credits"]
    return found


_NAMES = (
    *("at", "cpu", "cpu_mean", "freeable_memory", "swap", "connections", "free_storage"),
    *("read_latency", "write_latency", "read_iops", "write_iops", "credits", "surplus_credits"),
)


def recent(load: Load, end: int = NOW, minutes: int = 30, origin: int = NOW - 14 * DAY) -> Series:
    w = Window(end - minutes * 60, end, 60)
    return clean(((at, min(100.0, load.cpu((at - origin) / 3600))) for at in range(w.start, w.end, 60)), w)


def look(load: Load, size: Size = Size.SMALL, **facts: Any) -> Advice:
    """The finding of a load that went on for the whole look-back."""
    measured = {**measure(load, size), "cpu_recent": recent(load)}
    return advise(subject(size, **facts), LADDER, measured, T, NOW)
