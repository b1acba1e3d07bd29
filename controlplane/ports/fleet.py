"""What the fleet's databases do, and what their account allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from controlplane.domain.rightsizing.topics import TopicMessage
from controlplane.ports.aws import DatabaseInstance


@dataclass(frozen=True)
class MetricQuery:
    """One series of one database, as CloudWatch names metric and statistic."""

    identifier: str
    metric: str
    statistic: str
    period: int


@dataclass(frozen=True)
class Measurement:
    """Its points as they came: (seconds since 1970, value). `problem` says why there are none, or not all."""

    query: MetricQuery
    points: Sequence[tuple[float, float]] = ()
    problem: str = ""


class MetricSource(Protocol):
    def measure(
        self, queries: Iterable[MetricQuery], start: datetime, end: datetime
    ) -> Iterator[Measurement]:
        """One for each query, in their order, many in one request. Throttling is waited out; what still
        fails is the problem of its own measurements, and the others go on."""
        ...


@dataclass(frozen=True)
class AlarmMessage:
    receipt: str = field(repr=False)
    body: str


class AlarmSource(Protocol):
    """A queue of state changes of alarms. Each comes at least once, in no certain order."""

    def receive(self) -> Sequence[AlarmMessage]:
        """Some of those that wait; nothing when none does. They come again unless they are `done`."""
        ...

    def done(self, messages: Sequence[AlarmMessage]) -> None: ...


class TopicSource(Protocol):
    """SNS, where it brings messages to an address of ours. What it is asked was judged before."""

    def verify(self, message: TopicMessage) -> None:
        """Unauthenticated unless SNS signed it."""
        ...

    def confirm(self, message: TopicMessage) -> None:
        """From then on the topic's messages come."""
        ...


class FleetSource(Protocol):
    def databases(self, *, fresh: bool = False) -> Sequence[DatabaseInstance]:
        """All of them, as seen within the last half minute, or now."""
        ...


class QuotaSource(Protocol):
    def quotas(self) -> Sequence[QuotaFigure]:
        """What AWS says of the account in its region; what it does not answer is left out."""
        ...


@dataclass(frozen=True)
class QuotaFigure:
    name: str  # as in the catalog
    limit: int
    used: int | None = None
