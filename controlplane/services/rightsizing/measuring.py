"""From databases to their cleaned series, a batch of CloudWatch's at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby

from controlplane.domain.errors import Unavailable
from controlplane.domain.rightsizing import Series, Step, Thresholds, Window, clean
from controlplane.domain.rightsizing import values as names
from controlplane.ports import Measurement, MetricQuery, MetricSource
from controlplane.services.control import Control

RECENT_MINUTES, RECENT_PERIOD = 30, 60
_PERCENT = 101.0  # rounding of a busy machine


@dataclass(frozen=True)
class Metric:
    """A series as the advisor calls it, and as CloudWatch does. Peaks are asked for as percentiles of each
    period, so that neither a mean hides them nor one minute makes them."""

    name: str
    metric: str
    statistic: str
    ceiling: float | None = None


METRICS = (
    Metric(names.CPU, "CPUUtilization", "p95", _PERCENT),
    Metric(names.CPU_MEAN, "CPUUtilization", "Average", _PERCENT),
    Metric(names.MEMORY, "FreeableMemory", "p1"),
    Metric(names.SWAP, "SwapUsage", "p95"),
    Metric(names.CONNECTIONS, "DatabaseConnections", "Maximum"),
    Metric(names.STORAGE, "FreeStorageSpace", "Minimum"),
    Metric(names.READ_IOPS, "ReadIOPS", "p95"),
    Metric(names.WRITE_IOPS, "WriteIOPS", "p95"),
    Metric(names.READ_LATENCY, "ReadLatency", "p95"),
    Metric(names.WRITE_LATENCY, "WriteLatency", "p95"),
)
BURST = (
    Metric(names.CREDITS, "CPUCreditBalance", "Minimum"),
    Metric(names.SURPLUS, "CPUSurplusCreditBalance", "Maximum"),
    Metric(names.CHARGED, "CPUSurplusCreditsCharged", "Sum"),
)
RECENT = (Metric(names.CPU_RECENT, "CPUUtilization", "Average", _PERCENT),)


@dataclass(frozen=True)
class Target:
    """One database to measure; each is measured once, under its identifier."""

    identifier: str
    step: Step


@dataclass
class Found:
    """What was measured of one database, and what went wrong with it."""

    series: dict[str, Series] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def source(control: Control) -> MetricSource:
    if control.metric_source is None:
        raise Unavailable("this control plane has no source of metrics")
    return control.metric_source()


def look_back(t: Thresholds, now: datetime) -> Window:
    """Whole periods, so that a point is never half in."""
    end = int(now.timestamp()) // t.period_seconds * t.period_seconds
    return Window(end - t.look_back_days * 86_400, end, t.period_seconds)


def just_now(now: datetime) -> Window:
    end = int(now.timestamp()) // RECENT_PERIOD * RECENT_PERIOD
    return Window(end - RECENT_MINUTES * 60, end, RECENT_PERIOD)


def long_term(from_: MetricSource, targets: Sequence[Target], window: Window) -> Iterator[tuple[str, Found]]:
    return _measure(from_, ((t, m) for t in targets for m in _metrics(t.step)), window)


def recent(from_: MetricSource, targets: Sequence[Target], window: Window) -> Iterator[tuple[str, Found]]:
    return _measure(from_, ((t, m) for t in targets for m in RECENT), window)


def _metrics(step: Step) -> tuple[Metric, ...]:
    return METRICS if step.burst is None else (*METRICS, *BURST)


def _measure(
    from_: MetricSource, wanted: Iterable[tuple[Target, Metric]], window: Window
) -> Iterator[tuple[str, Found]]:
    """Lazily: never more of the fleet in memory than one request brings."""
    asked: list[Metric] = []

    def queries() -> Iterator[MetricQuery]:
        for target, metric in wanted:
            asked.append(metric)
            yield MetricQuery(target.identifier, metric.metric, metric.statistic, window.period)

    start, end = (datetime.fromtimestamp(at, UTC) for at in (window.start, window.end))
    answers = from_.measure(queries(), start, end)
    for identifier, measurements in groupby(answers, key=lambda m: m.query.identifier):
        found = Found()
        for one in measurements:
            _take(found, one, asked.pop(0), window)
        yield identifier, found


def _take(found: Found, one: Measurement, metric: Metric, window: Window) -> None:
    found.series[metric.name] = clean(one.points, window, metric.ceiling)
    if one.problem and one.problem not in found.problems:
        found.problems.append(one.problem)
    for fault, count in found.series[metric.name].faults.items():
        found.problems.append(f"{metric.metric}: {count} points {fault.replace('_', ' ')}")
