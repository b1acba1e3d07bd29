"""A catalog with tenants that run, their databases and what they do: nothing outside, no worker."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from controlplane.domain.rightsizing import Window
from controlplane.domain.tenant import Size
from controlplane.ports import MetricQuery
from controlplane.services.actor import Actor, Role
from controlplane.services.asking import Way
from controlplane.services.control import Ask, Control
from controlplane.services.rightsizing.measuring import BURST, METRICS, RECENT
from tests.doors.premises import Premises
from tests.fakes.cloud import FakeCloud
from tests.fakes.metrics import FakeMetrics
from tests.unit.rightsizing.traces import LADDER, Load, measure, recent

ADMIN = Actor("local:ann", Role.ADMIN, origin="test")
WAY = Way(Ask(reason="a test"))
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


class Fleet:
    """A `FleetSource` that looks each time."""

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud

    def databases(self, *, fresh: bool = False) -> Any:
        return self.cloud.databases()


@dataclass
class Neighbourhood:
    premises: Premises
    control: Control
    clock: Clock
    metrics: FakeMetrics
    cloud: FakeCloud
    loads: dict[str, Load] = field(default_factory=dict)

    def tenant(self, slug: str, size: str = "small", load: Load | None = None, **facts: Any) -> str:
        """A tenant that is ready, its database, and two weeks of its load; the database's identifier."""
        operation = self.premises.tenant(slug, size=size, **facts)
        self.premises.finish(operation)
        with self.control.db.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE slot SET status = 'present'")
        row = self.slot(slug)
        tags = {"uid": row["uid"], "epoch": "1", "managed-by": "controlplane"}
        step = next(s for s in LADDER if s.size == size)
        self.cloud.add_database(
            row["identifier"],
            tags,
            instance_class=step.instance_class,
            storage_gb=row["storage_gb"],
            max_storage_gb=max(50 if row["stage"] == "poc" else 100, 2 * row["storage_gb"]),
            multi_az=bool(row["multi_az"]),
            backup_retention_days=row["backup_days"],
            engine_version="16.4",
            parameter_group=None,
        )
        if load is not None:
            self.run(slug, load)
        return str(row["identifier"])

    def slot(self, slug: str) -> dict[str, Any]:
        with self.control.db.engine.connect() as connection:
            found = connection.exec_driver_sql(
                "SELECT t.uid, t.stage, s.* FROM slot s JOIN tenant t ON t.uid = s.tenant_uid"
                " WHERE t.slug = ? AND s.epoch = t.epoch",
                (slug,),
            )
            return dict(found.mappings().one())

    def run(self, slug: str, load: Load, size: str = "") -> None:
        """What CloudWatch shows of this load on the tenant's class until now."""
        row = self.slot(slug)
        on = Size(size or row["size"])
        end = int(self.clock.now.timestamp()) // 7200 * 7200
        for name, series in measure(load, on, Window(end - 30 * 86_400, end, 7200)).items():
            metric = next(m for m in (*METRICS, *BURST) if m.name == name)
            points = list(zip(map(float, series.times), series.values, strict=True))
            query = MetricQuery(row["identifier"], metric.metric, metric.statistic, 7200)
            self.metrics.put(query, points)
        now = int(self.clock.now.timestamp())
        hot = recent(load, now // 60 * 60, origin=end - 30 * 86_400)
        points = list(zip(map(float, hot.times), hot.values, strict=True))
        query = MetricQuery(row["identifier"], RECENT[0].metric, RECENT[0].statistic, 60)
        self.metrics.put(query, points)


def open_neighbourhood(premises: Premises) -> Neighbourhood:
    clock, metrics, cloud = Clock(), FakeMetrics(), FakeCloud()
    control = replace(
        premises.control, now=clock, metric_source=lambda: metrics, fleet_source=lambda: Fleet(cloud)
    )
    premises.control = control
    return Neighbourhood(premises, control, clock, metrics, cloud)
