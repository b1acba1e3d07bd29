"""Which calls a fault meets, what a call says about itself, and what statistics are."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.errors import Invalid
from controlplane.sandbox.calls import Call, Record, read_call
from controlplane.sandbox.faults import Faults, Kind, Rule, parse
from controlplane.sandbox.metrics import Metrics, read_traces, statistic

NOW = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
SIGNED = (
    "AWS4-HMAC-SHA256 Credential=AKID/20300101/eu-west-1/{}/aws4_request, SignedHeaders=host, Signature=0"
)


def call(service: str = "rds", action: str = "CreateDBInstance", **parameters: str) -> Call:
    return Call(service, action, "us-east-1", "AKID", False, dict(parameters))


def environ(service: str, body: bytes = b"", **more: str) -> dict[str, object]:
    return {
        "HTTP_AUTHORIZATION": SIGNED.format(service),
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        **more,
    }


def faults(path: Path, *rules: dict[str, object]) -> Faults:
    path.write_text(json.dumps({"rules": rules}))
    return Faults(path)


def test_a_rule_hits_from_its_nth_call_and_as_often_as_it_says(tmp_path: Path) -> None:
    found = faults(tmp_path / "f", {"service": "rds", "nth": 2, "count": 2, "fault": "throttle"})
    assert [found.match(call()) is not None for _ in range(5)] == [False, True, True, False, False]


def test_count_zero_never_ends(tmp_path: Path) -> None:
    found = faults(tmp_path / "f", {"count": 0, "fault": "error"})
    assert all(found.match(call()) for _ in range(20))


def test_other_calls_are_not_counted(tmp_path: Path) -> None:
    found = faults(tmp_path / "f", {"action": "Create*", "identifier": "acme-*", "fault": "error"})
    assert found.match(call(action="DescribeDBInstances", DBInstanceIdentifier="acme-e1")) is None
    assert found.match(call(DBInstanceIdentifier="other-e1")) is None
    hit = found.match(call(DBInstanceIdentifier="acme-e1"))
    assert hit and hit.fault is Kind.ERROR


def test_a_changed_file_counts_anew_and_a_removed_one_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "f"
    found = faults(path, {"fault": "throttle"})
    assert found.match(call())
    assert found.match(call()) is None
    path.write_text(json.dumps({"rules": [{"fault": "throttle", "count": 2}]}))
    assert found.match(call())
    path.unlink()
    assert found.match(call()) is None


def test_a_rule_with_an_unknown_word_is_an_error() -> None:
    with pytest.raises(ValueError, match="identifer"):
        parse({"rules": [{"fault": "slow", "identifer": "x"}]})
    with pytest.raises(ValueError, match="explode"):
        parse({"rules": [{"fault": "explode"}]})
    assert parse({"rules": [{"fault": "slow", "seconds": 1}]}) == [Rule(Kind.SLOW, seconds=1)]


def test_a_query_call_names_service_action_and_identifier() -> None:
    body = b"Action=CreateDBInstance&DBInstanceIdentifier=acme-e1&Version=2014-10-31"
    request = environ("rds", body, CONTENT_TYPE="application/x-www-form-urlencoded; charset=utf-8")
    found = read_call(request)
    assert found and (found.service, found.action, found.region, found.access_key) == (
        "rds",
        "CreateDBInstance",
        "eu-west-1",
        "AKID",
    )
    assert "acme-e1" in found.names()
    assert not found.json
    stream = request["wsgi.input"]
    assert isinstance(stream, io.BytesIO)
    assert stream.read() == body  # the emulator still has to read it


def test_a_json_call_is_named_by_its_target() -> None:
    request = environ(
        "secretsmanager",
        b'{"SecretId": "tenants/acme"}',
        CONTENT_TYPE="application/x-amz-json-1.1",
        HTTP_X_AMZ_TARGET="secretsmanager.GetSecretValue",
    )
    found = read_call(request)
    assert found and (found.action, found.json, found.reads) == ("GetSecretValue", True, True)
    assert "tenants/acme" in found.names()


def test_a_rest_call_is_named_by_its_path() -> None:
    found = read_call(environ("s3", REQUEST_METHOD="GET", PATH_INFO="/bucket/key"))
    assert found and found.iam_action == "s3:GetObject"
    assert "bucket" in found.names()


def test_an_unsigned_request_is_no_call() -> None:
    assert read_call({"PATH_INFO": "/"}) is None


def test_actions_carry_the_names_that_policies_use() -> None:
    assert call("monitoring", "GetMetricData").iam_action == "cloudwatch:GetMetricData"
    assert call("tagging", "GetResources").iam_action == "tag:GetResources"
    assert call("s3", "ListObjectsV2").iam_action == "s3:ListBucket"


def test_the_record_survives_in_its_file(tmp_path: Path) -> None:
    record = Record(tmp_path / "actions.json")
    record.add(call(), "apply/op-1")
    record.add(call(), "apply/op-1")
    record.save()
    assert Record(tmp_path / "actions.json").counts() == {"apply/op-1": {"rds:CreateDBInstance": 2}}


@given(st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_percentiles_lie_between_the_extremes_and_ascend(values: list[float]) -> None:
    found = [statistic(name, values) for name in ("Minimum", "p10", "p50", "p99.9", "Maximum")]
    assert all(low <= high or low == pytest.approx(high) for low, high in pairwise(found))


def test_statistics_of_a_known_series() -> None:
    values = [1.0, 2.0, 3.0, 4.0]
    assert [statistic(name, values) for name in ("Sum", "Average", "SampleCount", "p50", "p100")] == [
        10,
        2.5,
        4,
        2.5,
        4,
    ]
    with pytest.raises(Invalid, match="median"):
        statistic("median", values)


def test_periods_group_by_whole_multiples_and_leave_gaps_out() -> None:
    metrics = Metrics()
    minute = int(NOW.timestamp() // 60)
    for offset, value in ((0, 1.0), (4, 3.0), (10, 5.0)):
        metrics.put("a", "CPU", minute + offset, value)
    found = metrics.buckets("a", "CPU", NOW, NOW + timedelta(minutes=15), 300)
    assert found == [(NOW, [1.0, 3.0]), (NOW + timedelta(minutes=10), [5.0])]
    assert metrics.buckets("b", "CPU", NOW, NOW + timedelta(minutes=15), 300) == []


def test_a_trace_without_a_start_ends_now() -> None:
    metrics = Metrics()
    assert metrics.add_traces({"a": {"CPU": {"period": 300, "values": [1, 2, 3]}}}, NOW) == 3
    found = metrics.buckets("a", "CPU", NOW - timedelta(hours=1), NOW + timedelta(minutes=1), 60)
    assert [at for at, _ in found] == [NOW - timedelta(minutes=10), NOW - timedelta(minutes=5), NOW]


def test_metrics_are_the_same_after_a_restart(tmp_path: Path) -> None:
    metrics, again = Metrics(), Metrics()
    metrics.add_traces({"a": {"CPU": {"start": NOW.isoformat(), "values": [1, 2]}}}, NOW)
    metrics.save(tmp_path / "m")
    again.load(tmp_path / "m")
    span = (NOW, NOW + timedelta(minutes=5), 60)
    assert again.buckets("a", "CPU", *span) == metrics.buckets("a", "CPU", *span) != []


def test_a_file_that_holds_no_traces_is_named(tmp_path: Path) -> None:
    file = tmp_path / "traces"
    file.write_text("[1]")
    with pytest.raises(Invalid, match="traces"):
        read_traces(file)
