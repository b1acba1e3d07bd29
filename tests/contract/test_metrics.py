"""CloudWatch for a fleet: how many requests, in what order, and what a bad answer does to the others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from controlplane.adapters.metrics import PAUSES, CloudWatchMetrics
from controlplane.adapters.poller import FleetPoller
from controlplane.domain.errors import Denied, Unavailable
from controlplane.ports import MetricQuery
from tests.contract.sandbox_stage import Stage, stage
from tests.fakes.cloud import FakeCloud

END = datetime(2026, 1, 15, tzinfo=UTC)
START = END - timedelta(days=14)
METRICS = ("CPUUtilization", "FreeableMemory", "DatabaseConnections", "FreeStorageSpace", "SwapUsage")
HOURS = [START + timedelta(hours=2 * n) for n in range(168)]


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetMetricData")


class FakeClient:
    """Answers every query with its number, in pages of so many points; errors come first."""

    def __init__(self, points_a_page: int = 100_800) -> None:
        self.requests: list[dict[str, Any]] = []
        self.errors: list[Exception] = []
        self.statuses: dict[str, str] = {}
        self._page = points_a_page

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        if self.errors:
            raise self.errors.pop(0)
        queries = request["MetricDataQueries"]
        assert len(queries) <= 500
        assert len({q["Id"] for q in queries}) == len(queries)
        each = max(1, self._page // len(queries))
        begin = int(request.get("NextToken", 0))
        more = begin + each < len(HOURS)
        results = [self._result(q, begin, begin + each, more) for q in queries]
        return {"MetricDataResults": results} | ({"NextToken": str(begin + each)} if more else {})

    def _result(self, query: dict[str, Any], begin: int, end: int, more: bool) -> dict[str, Any]:
        identifier = query["MetricStat"]["Metric"]["Dimensions"][0]["Value"]
        status = self.statuses.get(identifier, "PartialData" if more else "Complete")
        times = [] if identifier in self.statuses else HOURS[begin:end]
        return {
            "Id": query["Id"],
            "Timestamps": times,
            "Values": [float(identifier[1:])] * len(times),
            "StatusCode": status,
        }


def queries(databases: int) -> Iterator[MetricQuery]:
    for number in range(databases):
        for metric in METRICS:
            yield MetricQuery(f"d{number}", metric, "Maximum", 7200)


def source(client: Any, pauses: list[float] | None = None) -> CloudWatchMetrics:
    return CloudWatchMetrics(client, (pauses if pauses is not None else []).append)


def test_ten_thousand_tenants_by_five_metrics_are_a_hundred_requests() -> None:
    client, count = FakeClient(), 0
    client._result = lambda query, *_: {"Id": query["Id"], "Timestamps": [], "Values": []}  # type: ignore[method-assign]
    for _ in source(client).measure(queries(10_000), START, END):
        count += 1
    assert (count, len(client.requests)) == (50_000, 100)


def test_two_weeks_of_five_hundred_series_fit_one_page() -> None:
    client = FakeClient()
    found = list(source(client).measure(queries(100), START, END))
    assert len(client.requests) == 1
    assert all(len(m.points) == 168 for m in found)


def test_pages_are_put_together_in_the_order_of_the_queries() -> None:
    client = FakeClient(points_a_page=500)
    found = list(source(client).measure(queries(3), START, END))
    assert [m.query.identifier for m in found] == [f"d{n}" for n in range(3) for _ in METRICS]
    assert all(m.points[0] == (START.timestamp(), float(m.query.identifier[1:])) for m in found)
    assert all(len(m.points) == 168 and not m.problem for m in found)
    assert len(client.requests) == 6  # 33 points of 15 series a page


def test_nothing_is_asked_before_it_is_wanted() -> None:
    client = FakeClient()
    measuring = source(client).measure(queries(10_000), START, END)
    next(measuring)
    assert len(client.requests) == 1
    assert list(source(client).measure(iter(()), START, END)) == []


def test_throttling_is_waited_out_with_growing_pauses() -> None:
    client, pauses = FakeClient(), []
    client.errors = [refusal("Throttling"), refusal("ThrottlingException")]
    found = list(source(client, pauses).measure(queries(1), START, END))
    assert pauses == list(PAUSES[:2])
    assert all(len(m.points) == 168 and not m.problem for m in found)


@pytest.mark.parametrize(
    "error",
    [refusal("Throttling"), refusal("InternalServiceFault"), EndpointConnectionError(endpoint_url="x")],
)
def test_a_batch_that_fails_is_a_problem_of_its_own_and_the_next_goes_on(error: Exception) -> None:
    client = FakeClient()
    if isinstance(error, ClientError):
        error.response["ResponseMetadata"] = {"HTTPStatusCode": 500}  # type: ignore[typeddict-item]
    client.errors = [error] * (len(PAUSES) + 1 if "Throttling" in str(error) else 1)
    found = list(source(client).measure(queries(200), START, END))
    assert all(m.problem and not m.points for m in found[:500])
    assert all(m.points and not m.problem for m in found[500:])


def test_a_permission_that_is_missing_ends_it() -> None:
    client = FakeClient()
    client.errors = [refusal("AccessDenied")]
    with pytest.raises(Denied, match="cloudwatch:GetMetricData"):
        list(source(client).measure(queries(1), START, END))


def test_one_series_that_cloudwatch_cannot_read_is_named() -> None:
    client = FakeClient()
    client.statuses = {"d1": "InternalError"}
    found = list(source(client).measure(queries(3), START, END))
    assert {m.query.identifier for m in found if m.problem} == {"d1"}
    assert {len(m.points) for m in found if not m.problem} == {168}


def test_a_listing_without_an_end_is_a_problem_and_no_endless_loop() -> None:
    client = FakeClient(points_a_page=1)
    found = list(source(client).measure(queries(1), START, END))
    assert all("pages" in m.problem for m in found)


# --- on the sandbox ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Stage]:
    yield from stage()


@pytest.mark.postgres
def test_the_sandbox_answers_statistics_and_percentiles_as_they_were_put(sandbox: Stage) -> None:
    client = sandbox.client("cloudwatch")
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    for minute in range(10):
        client.put_metric_data(Namespace="AWS/RDS", MetricData=[_datum(now, minute)])
    wanted = [
        MetricQuery("acme-e1", "CPUUtilization", statistic, 3600)
        for statistic in ("Minimum", "Maximum", "p50", "p1")
    ]
    wanted.append(MetricQuery("nobody", "CPUUtilization", "Maximum", 3600))
    found = list(
        CloudWatchMetrics(client).measure(wanted, now - timedelta(hours=2), now + timedelta(hours=1))
    )
    values = [[value for _, value in m.points] for m in found]
    assert min(values[0]) == 0
    assert max(values[1]) == 9
    assert values[4] == []
    assert not any(m.problem for m in found)


def _datum(now: datetime, minute: int) -> dict[str, Any]:
    return {
        "MetricName": "CPUUtilization",
        "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "acme-e1"}],
        "Timestamp": now - timedelta(minutes=minute),
        "Value": float(minute),
    }


# --- the poller -------------------------------------------------------------------------------------


def test_many_who_ask_within_a_short_time_share_one_look() -> None:
    cloud, now = FakeCloud(), [0.0]
    cloud.add_database("one")
    poller = FleetPoller(cloud, 30, lambda: now[0])
    for _ in range(100):
        assert [d.identifier for d in poller.databases()] == ["one"]
    assert len(cloud.world.calls("databases")) == 1
    cloud.add_database("two")
    now[0] = 30
    assert len(poller.databases()) == 2
    assert len(poller.databases(fresh=True)) == 2
    assert len(cloud.world.calls("databases")) == 3


def test_a_look_that_failed_is_not_remembered() -> None:
    cloud = FakeCloud()
    poller = FleetPoller(cloud)
    cloud.world.inject("databases", "unavailable")
    with pytest.raises(Unavailable):
        poller.databases()
    assert list(poller.databases()) == []
