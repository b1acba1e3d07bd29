"""Quotas as AWS answers them: RDS with what is used, Service Quotas by code, and a service that refuses."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from controlplane.adapters.quotas import AwsQuotas
from controlplane.catalog import load
from controlplane.domain.errors import Throttled
from controlplane.ports import QuotaFigure

PLACES = {"rds_instances": "rds:DBInstances", "vpcs": "vpc:L-F678F1CE", "listener_rules": "elb:L-7EED9B64"}
INSTANCES = {"AccountQuotaName": "DBInstances", "Used": 7, "Max": 100}
OTHERS = {"AccountQuotaName": "OptionGroups", "Used": 1, "Max": 20}


def stubbed(service: str) -> tuple[Any, Stubber]:
    client = boto3.client(
        service,  # type: ignore[call-overload]
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    return client, Stubber(client)


@pytest.fixture
def services() -> tuple[Any, Stubber]:
    return stubbed("service-quotas")


def asked(services: tuple[Any, Stubber] | None) -> list[QuotaFigure]:
    rds, of_rds = stubbed("rds")
    of_rds.add_response("describe_account_attributes", {"AccountQuotas": [INSTANCES, OTHERS]})
    with of_rds:
        if services is None:
            return list(AwsQuotas(rds, None, lambda: PLACES).quotas())
        with services[1]:
            found = list(AwsQuotas(rds, services[0], lambda: PLACES).quotas())
        services[1].assert_no_pending_responses()
        return found


def test_rds_says_what_is_used_and_service_quotas_what_is_granted(services: tuple[Any, Stubber]) -> None:
    for service, code, value in (("vpc", "L-F678F1CE", 12.0), ("elb", "L-7EED9B64", 200.0)):
        answer = {"Quota": {"ServiceCode": service, "QuotaCode": code, "Value": value}}
        services[1].add_response("get_service_quota", answer, {"ServiceCode": service, "QuotaCode": code})
    assert asked(services) == [
        QuotaFigure("rds_instances", 100, 7),
        QuotaFigure("vpcs", 12),
        QuotaFigure("listener_rules", 200),
    ]


@pytest.mark.parametrize("code", ["AccessDeniedException", "NoSuchResourceException"])
def test_a_quota_that_is_not_told_is_left_to_its_default(services: tuple[Any, Stubber], code: str) -> None:
    services[1].add_client_error("get_service_quota", code, "no", 400)
    services[1].add_response("get_service_quota", {"Quota": {"Value": 200.0}})
    assert [figure.name for figure in asked(services)] == ["rds_instances", "listener_rules"]


def test_who_is_throttled_is_told_and_nothing_is_taken_for_a_default(services: tuple[Any, Stubber]) -> None:
    services[1].add_client_error("get_service_quota", "TooManyRequestsException", "slow down", 429)
    with pytest.raises(Throttled, match="asking for the quota L-F678F1CE of vpc"):
        asked(services)


def test_where_only_rds_answers_the_rest_keeps_its_defaults() -> None:
    assert asked(None) == [QuotaFigure("rds_instances", 100, 7)]


def test_the_table_names_what_a_fleet_of_databases_runs_into() -> None:
    limits = {name: quota.limit for name, quota in load().quotas.items()}
    assert limits == {
        "rds_instances": 40,
        "rds_manual_snapshots": 100,
        "rds_parameter_groups": 50,
        "rds_subnet_groups": 50,
        "rds_storage_gb": 100_000,
        "cloudwatch_alarms": 5_000,
        "secrets": 500_000,
        "ssm_parameters": 10_000,
        "listener_rules": 100,
        "vpcs": 5,
        "security_groups": 2_500,
        "security_group_rules": 60,
    }
    assert load().quotas["rds_instances"].reserve == 2
