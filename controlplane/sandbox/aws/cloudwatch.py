"""CloudWatch for the sandbox's instances: its own series, with percentiles, behind moto's everything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from moto.cloudwatch.exceptions import InvalidParameterValue
from moto.cloudwatch.models import CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult
from moto.core.utils import utcnow

from controlplane.domain.errors import Invalid
from controlplane.sandbox.metrics import NAMESPACE, UNITS, Metrics, minute_of, statistic


class CloudWatchAnswers(CloudWatchResponse):  # type: ignore[misc]
    def get_metric_statistics(self) -> ActionResult:
        """moto knows no percentiles."""
        if self._get_param("Namespace") != NAMESPACE:
            return super().get_metric_statistics()
        metric = self._get_param("MetricName")
        rows = self.cloudwatch_backend.metrics.buckets(
            _instance(self._get_param("Dimensions", [])),
            metric,
            self._get_param("StartTime"),
            self._get_param("EndTime"),
            self._get_int_param("Period"),
        )
        simple = self._get_param("Statistics", [])
        extended = self._get_param("ExtendedStatistics", [])
        points = [_point(at, values, simple, extended, UNITS.get(metric)) for at, values in rows]
        return ActionResult({"Label": metric, "Datapoints": points})


class SandboxCloudWatch(CloudWatchBackend):  # type: ignore[misc]
    metrics: ClassVar[Metrics]

    @property
    def url_paths(self) -> dict[str, Callable[..., Any]]:
        return {"/": CloudWatchAnswers.dispatch}

    def put_metric_data(self, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        """AWS lets nobody put into its own namespaces; the sandbox does, for tests and rehearsals."""
        if namespace != NAMESPACE:
            super().put_metric_data(namespace, metric_data)
            return
        for datum in metric_data:
            at = datum.get("Timestamp") or utcnow()
            values = [float(value) for value in datum.get("Values") or [datum.get("Value", 0)]]
            instance = _instance(datum.get("Dimensions"))
            self.metrics.put(instance, datum["MetricName"], minute_of(at), sum(values) / len(values))

    def get_metric_data(
        self, queries: list[dict[str, Any]], start_time: datetime, end_time: datetime, scan_by: str = ""
    ) -> list[dict[str, Any]]:
        ours = {query["Id"]: query for query in queries if _is_ours(query)}
        others = [query for query in queries if query["Id"] not in ours]
        if ours and any("Expression" in query for query in others):
            raise InvalidParameterValue("The sandbox computes no expressions over AWS/RDS.")
        found = {row["id"]: row for row in super().get_metric_data(others, start_time, end_time, scan_by)}
        for identifier, query in ours.items():
            found[identifier] = self._data(query, start_time, end_time, scan_by)
        return [found[query["Id"]] for query in queries if query["Id"] in found]

    def _data(self, query: dict[str, Any], start: datetime, end: datetime, scan_by: str) -> dict[str, Any]:
        wanted = query["MetricStat"]
        metric, stat = wanted["Metric"], wanted["Stat"]
        instance = _instance(metric.get("Dimensions"))
        rows = self.metrics.buckets(instance, metric["MetricName"], start, end, int(wanted["Period"]))
        if scan_by != "TimestampAscending":
            rows.reverse()
        return {
            "id": query["Id"],
            "label": query.get("Label") or f"{metric['MetricName']} {stat}",
            "values": [_statistic(stat, values) for _, values in rows],
            "timestamps": [at for at, _ in rows],
            "status_code": "Complete",
        }

    def get_filtered_metrics(
        self, metric_name: str, namespace: str, dimensions: list[dict[str, str]]
    ) -> list[Any]:
        found: list[Any] = super().get_filtered_metrics(metric_name, namespace, dimensions)
        if namespace not in (None, NAMESPACE):
            return found
        wanted = _instance(dimensions)
        for instance, metric in sorted(self.metrics.series):
            if (not metric_name or metric == metric_name) and wanted in ("", instance):
                found.append(
                    {
                        "Namespace": NAMESPACE,
                        "MetricName": metric,
                        "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": instance}],
                    }
                )
        return found


def _is_ours(query: dict[str, Any]) -> bool:
    return bool(query.get("MetricStat", {}).get("Metric", {}).get("Namespace") == NAMESPACE)


def _instance(dimensions: Sequence[dict[str, str]] | None) -> str:
    named = [d.get("Value", "") for d in dimensions or () if d["Name"] == "DBInstanceIdentifier"]
    return named[0] if named else ""


def _point(
    at: datetime, values: list[float], simple: Sequence[str], extended: Sequence[str], unit: str | None
) -> dict[str, Any]:
    point: dict[str, Any] = {name: _statistic(name, values) for name in simple}
    if extended:
        point["ExtendedStatistics"] = {name: _statistic(name, values) for name in extended}
    return point | {"Timestamp": at, "Unit": unit}


def _statistic(name: str, values: list[float]) -> float:
    try:
        return statistic(name, values)
    except Invalid as error:
        raise InvalidParameterValue(error.message) from error
