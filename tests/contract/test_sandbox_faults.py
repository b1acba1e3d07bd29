"""Faults on demand, the record of every call, and the metrics of instances."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from controlplane.domain.errors import Refused
from controlplane.sandbox import lifecycle
from tests.contract.sandbox_stage import Stage, code, sql, stage, until

pytestmark = pytest.mark.postgres
Inject = Callable[..., None]


@pytest.fixture(scope="module")
def aws() -> Iterator[Stage]:
    yield from stage(metrics_seconds=1)


@pytest.fixture
def inject(aws: Stage) -> Iterator[Inject]:
    def write(*rules: dict[str, Any]) -> None:
        aws.info.faults.write_text(json.dumps({"rules": rules}))

    yield write
    aws.info.faults.unlink(missing_ok=True)


def secrets(aws: Stage) -> set[str]:
    return {row["Name"] for row in aws.client("secretsmanager").list_secrets()["SecretList"]}


def test_a_throttled_call_does_nothing_and_the_next_one_goes_through(aws: Stage, inject: Inject) -> None:
    inject({"service": "secretsmanager", "action": "CreateSecret", "fault": "throttle"})
    client = aws.client("secretsmanager")
    with pytest.raises(ClientError) as told:
        client.create_secret(Name="throttled", SecretString="x")
    assert code(told.value) == "Throttling"
    assert "throttled" not in secrets(aws)
    client.create_secret(Name="throttled", SecretString="x")
    assert "throttled" in secrets(aws)


def test_only_the_named_call_of_the_named_thing_is_hit(aws: Stage, inject: Inject) -> None:
    inject({"service": "ssm", "action": "Put*", "identifier": "/tenants/*", "nth": 2, "fault": "throttle"})
    put = aws.client("ssm").put_parameter
    put(Name="/other", Value="1", Type="String")
    put(Name="/tenants/a", Value="1", Type="String")
    with pytest.raises(ClientError):
        put(Name="/tenants/b", Value="1", Type="String")
    put(Name="/tenants/b", Value="1", Type="String")


def test_an_error_of_the_service_has_status_500(aws: Stage, inject: Inject) -> None:
    inject({"service": "rds", "action": "DescribeDBInstances", "fault": "error"})
    with pytest.raises(ClientError) as told:
        aws.rds.describe_db_instances()
    assert told.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def test_a_refusal_carries_the_given_code(aws: Stage, inject: Inject) -> None:
    inject(
        {
            "service": "rds",
            "fault": "refuse",
            "code": "InsufficientDBInstanceCapacity",
            "message": "none left",
        }
    )
    with pytest.raises(ClientError, match="none left") as told:
        aws.rds.describe_db_instances()
    assert code(told.value) == "InsufficientDBInstanceCapacity"


def test_a_time_out_after_the_effect_has_done_it(aws: Stage, inject: Inject) -> None:
    inject({"service": "secretsmanager", "action": "CreateSecret", "fault": "timeout_after_effect"})
    with pytest.raises(BotoCoreError):
        aws.client("secretsmanager").create_secret(Name="after", SecretString="x")
    assert "after" in secrets(aws)


def test_a_time_out_before_the_effect_has_not(aws: Stage, inject: Inject) -> None:
    inject({"service": "secretsmanager", "action": "CreateSecret", "fault": "timeout_before_effect"})
    with pytest.raises(BotoCoreError):
        aws.client("secretsmanager").create_secret(Name="before", SecretString="x")
    assert "before" not in secrets(aws)


def test_a_slow_call_is_answered_in_the_end(aws: Stage, inject: Inject) -> None:
    inject({"service": "sts", "fault": "slow", "seconds": 0.2})
    assert aws.client("sts").get_caller_identity()["Account"] == aws.info.account


def test_a_stale_read_shows_what_was(aws: Stage, inject: Inject) -> None:
    ssm = aws.client("ssm")
    ssm.put_parameter(Name="/stale", Value="old", Type="String")
    assert ssm.get_parameter(Name="/stale")["Parameter"]["Value"] == "old"
    ssm.put_parameter(Name="/stale", Value="new", Type="String", Overwrite=True)
    ssm.put_parameter(Name="/never-read", Value="new", Type="String")
    inject({"service": "ssm", "action": "GetParameter", "fault": "stale", "count": 1})
    assert ssm.get_parameter(Name="/never-read")["Parameter"]["Value"] == "new"  # has no answer to repeat
    assert ssm.get_parameter(Name="/stale")["Parameter"]["Value"] == "old"
    assert ssm.get_parameter(Name="/stale")["Parameter"]["Value"] == "new"


def test_a_file_that_cannot_be_read_injects_nothing(aws: Stage, inject: Inject) -> None:
    aws.info.faults.write_text("{ not json")
    assert aws.client("sts").get_caller_identity()["Account"]


def test_every_action_is_recorded_under_the_session_that_called_it(aws: Stage) -> None:
    role = aws.client("iam").create_role(RoleName="apply", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    given = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="op-1")["Credentials"]
    session = aws.client(
        "rds",
        key=given["AccessKeyId"],
        secret=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    session.describe_db_instances()
    aws.client("cloudwatch").list_metrics()
    counted = lifecycle.recorded_actions(aws.info)
    assert counted["apply/op-1"] == {"rds:DescribeDBInstances": 1}
    assert counted["sandbox"]["cloudwatch:ListMetrics"] >= 1
    until(lambda: aws.info.actions.exists() and "apply/op-1" in aws.info.actions.read_text(), "the file")


def test_a_live_instance_is_measured(aws: Stage) -> None:
    live = aws.create("measured")
    sql(live, "create table t as select generate_series(1, 10000) as n")

    def value(metric: str) -> list[float]:
        end = datetime.now(UTC) + timedelta(minutes=1)
        found = aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/RDS",
            MetricName=metric,
            Dimensions=[{"Name": "DBInstanceIdentifier", "Value": "measured"}],
            StartTime=end - timedelta(minutes=10),
            EndTime=end,
            Period=60,
            Statistics=["Maximum"],
        )
        return [row["Maximum"] for row in found["Datapoints"]]

    until(lambda: bool(value("CPUUtilization")), "a first measurement")
    free = max(value("FreeStorageSpace"))
    assert 19 * 2**30 < free < 20 * 2**30
    for metric in ("DatabaseConnections", "FreeableMemory", "WriteIOPS", "CPUCreditBalance", "SwapUsage"):
        assert value(metric), metric
    listed = aws.client("cloudwatch").list_metrics(
        Namespace="AWS/RDS", Dimensions=[{"Name": "DBInstanceIdentifier", "Value": "measured"}]
    )
    assert "CPUUtilization" in {row["MetricName"] for row in listed["Metrics"]}


def test_loaded_traces_answer_with_percentiles(aws: Stage, tmp_path: Path) -> None:
    trace = {"period": 60, "values": [float(number) for number in range(1, 101)]}
    file = tmp_path / "traces.json"
    file.write_text(json.dumps({"traced": {"CPUUtilization": trace}}))
    assert lifecycle.load_metrics(aws.info, file) == 100
    end = datetime.now(UTC) + timedelta(minutes=1)
    metric = {
        "Namespace": "AWS/RDS",
        "MetricName": "CPUUtilization",
        "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "traced"}],
    }
    queries = [
        {"Id": stat.lower(), "MetricStat": {"Metric": metric, "Period": 86400, "Stat": stat}}
        for stat in ("Maximum", "p50")
    ]
    found = aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=end - timedelta(hours=3), EndTime=end
    )["MetricDataResults"]
    assert max(found[0]["Values"]) == 100
    assert all(1 <= value <= 100 for value in found[1]["Values"])


def test_a_trace_of_another_shape_is_refused(aws: Stage, tmp_path: Path) -> None:
    file = tmp_path / "traces.json"
    file.write_text(json.dumps({"traced": {"CPUUtilization": [1, 2]}}))
    with pytest.raises(Refused, match="loading traces"):
        lifecycle.load_metrics(aws.info, file)


def test_the_emulators_own_reset_is_closed(aws: Stage) -> None:
    aws.client("ssm").put_parameter(Name="/still", Value="here", Type="String")
    assert httpx.post(f"{aws.info.endpoint_url}/moto-api/reset", timeout=10).status_code == 400
    assert aws.client("ssm").get_parameter(Name="/still")["Parameter"]["Value"] == "here"
