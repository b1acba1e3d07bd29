"""A `MetricSource` in memory: series as they were put, faults on order, and what was asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from controlplane.domain.errors import ControlPlaneError
from controlplane.ports import Measurement, MetricQuery, QuotaFigure

Points = Sequence[tuple[float, float]]


class FakeMetrics:
    """Points by identifier, metric, statistic and period; those outside of what is asked are not answered."""

    def __init__(self) -> None:
        self.points: dict[tuple[str, str, str, int], Points] = {}
        self.problems: dict[str, str] = {}
        self.error: ControlPlaneError | None = None
        self.asked: list[MetricQuery] = []

    def put(self, query: MetricQuery, points: Points) -> None:
        self.points[query.identifier, query.metric, query.statistic, query.period] = points

    def measure(
        self, queries: Iterable[MetricQuery], start: datetime, end: datetime
    ) -> Iterator[Measurement]:
        if self.error is not None:
            raise self.error
        low, high = start.timestamp(), end.timestamp()
        for query in queries:
            self.asked.append(query)
            found = self.points.get((query.identifier, query.metric, query.statistic, query.period), ())
            wanted = tuple(p for p in found if low <= p[0] < high)
            yield Measurement(query, wanted, self.problems.get(query.identifier, ""))


class FakeQuotas:
    def __init__(self, figures: Mapping[str, tuple[int, int | None]]) -> None:
        self.figures = figures

    def quotas(self) -> Sequence[QuotaFigure]:
        return [QuotaFigure(name, limit, used) for name, (limit, used) in self.figures.items()]
