"""CloudWatch for a whole fleet: GetMetricData, 500 series a request, page by page.

A request is answered in pages of at most 100,800 points: two weeks in steps of two hours are 168 points a
series, so that 500 of them fit one page. Ten thousand databases by five metrics are a hundred requests.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from controlplane.adapters.aws.errors import calling
from controlplane.domain.errors import Throttled, Unavailable
from controlplane.ports import Measurement, MetricQuery

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

NAMESPACE, DIMENSION, SERVICE = "AWS/RDS", "DBInstanceIdentifier", "cloudwatch"
BATCH = 500  # CloudWatch's largest
PAUSES = (2.0, 4.0, 8.0, 16.0, 32.0)  # after botocore's own retries
MOST_PAGES = 100
_GOOD = ("Complete", "PartialData", "")  # PartialData: more of it comes with the next page

Points = list[tuple[float, float]]


class CloudWatchMetrics:
    """`MetricSource` on boto3's `cloudwatch` client."""

    def __init__(self, client: CloudWatchClient, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep

    def measure(
        self, queries: Iterable[MetricQuery], start: datetime, end: datetime
    ) -> Iterator[Measurement]:
        """Lazily, a batch at a time: a fleet's points never stand in memory together."""
        left = iter(queries)
        while batch := list(islice(left, BATCH)):
            yield from self._batch(batch, start, end)

    def _batch(self, batch: Sequence[MetricQuery], start: datetime, end: datetime) -> list[Measurement]:
        points: list[Points] = [[] for _ in batch]
        problems = [""] * len(batch)
        failure = ""
        try:
            for result in self._results(batch, start, end):
                place = int(result["Id"][1:])
                points[place] += _points(result)
                problems[place] = _problem(result) or problems[place]
        except (Throttled, Unavailable) as error:
            failure = error.message
        return [
            Measurement(query, tuple(found), failure or problem)
            for query, found, problem in zip(batch, points, problems, strict=True)
        ]

    def _results(
        self, batch: Sequence[MetricQuery], start: datetime, end: datetime
    ) -> Iterator[Mapping[str, Any]]:
        request: dict[str, Any] = {
            "MetricDataQueries": [_query(place, query) for place, query in enumerate(batch)],
            "StartTime": start,
            "EndTime": end,
            "ScanBy": "TimestampAscending",
        }
        for _ in range(MOST_PAGES):
            answer = self._patiently(request)
            yield from answer.get("MetricDataResults", ())
            if not answer.get("NextToken"):
                return
            request["NextToken"] = answer["NextToken"]
        raise Unavailable(f"reading metrics of {len(batch)} series: more than {MOST_PAGES} pages")

    def _patiently(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        for pause in PAUSES:
            try:
                return self._ask(request)
            except Throttled:
                self._sleep(pause)
        return self._ask(request)

    def _ask(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        with calling(f"reading metrics of {len(request['MetricDataQueries'])} series", SERVICE):
            return self._client.get_metric_data(**request)


def _query(place: int, query: MetricQuery) -> dict[str, Any]:
    metric = {
        "Namespace": NAMESPACE,
        "MetricName": query.metric,
        "Dimensions": [{"Name": DIMENSION, "Value": query.identifier}],
    }
    wanted = {"Metric": metric, "Period": query.period, "Stat": query.statistic}
    return {"Id": f"q{place}", "MetricStat": wanted, "ReturnData": True}


def _points(result: Mapping[str, Any]) -> Points:
    """Lists of unequal length cannot be told apart: what has no partner is left out."""
    pairs = zip(result.get("Timestamps", ()), result.get("Values", ()), strict=False)
    return [(at.timestamp(), float(value)) for at, value in pairs]


def _problem(result: Mapping[str, Any]) -> str:
    status = str(result.get("StatusCode", ""))
    if status in _GOOD:
        return ""
    words = "; ".join(str(m.get("Value") or m.get("Code")) for m in result.get("Messages", ()))
    return f"CloudWatch: {status}{': ' + words if words else ''}"
