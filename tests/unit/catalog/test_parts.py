"""The parts that a platform is made of, and the kinds of resources that each of them makes."""

from __future__ import annotations

import re

import pytest

from controlplane import assets
from controlplane.catalog import load

PARTS = {
    "network": (["network", "nat"], {"vpc", "subnet", "security_group", "nat_gateway"}),
    "containers": (
        ["fargate_cluster", "fargate_service"],
        {"ecs_cluster", "ecs_task_definition", "ecs_service", "appautoscaling_target"},
    ),
    "databases": (
        ["tenant_database", "database_platform"],
        {"db_instance", "db_parameter_group", "db_subnet_group"},
    ),
    "load balancer": (
        ["load_balancer", "tenant_access"],
        {"lb", "lb_listener", "lb_target_group", "lb_listener_rule"},
    ),
    "objects": (["storage_bucket"], {"s3_bucket", "s3_bucket_lifecycle_configuration", "s3_bucket_policy"}),
    "observation": (
        ["logs", "platform_alarms"],
        {
            "cloudwatch_log_group",
            "cloudwatch_log_metric_filter",
            "cloudwatch_metric_alarm",
            "cloudwatch_dashboard",
        },
    ),
    "secrets": (["secrets"], {"secretsmanager_secret"}),
    "names": (
        ["dns", "certificate", "tenant_access"],
        {"route53_zone", "route53_record", "route53_health_check"},
    ),
}


@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_a_platform_has_its_modules_and_their_resources(part: str) -> None:
    modules, wanted = PARTS[part]
    assert set(modules) <= set(load().modules)
    files = [path for name in modules for path in (assets.modules() / name).glob("*.tf")]
    made = {kind for f in files for kind in re.findall(r'^resource "aws_(\w+)"', f.read_text(), re.MULTILINE)}
    assert wanted <= made


def test_databases_of_the_ladder_run_on_arm() -> None:
    assert all(re.match(r"db\.[a-z]+\d+g\.", size.instance_class) for size in load().sizes.values())
