"""The cost of a Terraform plan: everything in it is priced, free, billed by use, or unknown."""

from __future__ import annotations

from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

import pytest

from controlplane.catalog.pricebook import load_book
from controlplane.catalog.prices.model import load_model
from controlplane.domain.cost.gate import CostChange, check_change
from controlplane.domain.cost.planjson import estimate_plan, priced_types
from controlplane.domain.cost.tenant import TenantShape, estimate_tenant
from controlplane.domain.errors import Invalid

MODEL = load_model()
LIST = load_book().rates("us-east-1")
DATABASE = {
    "instance_class": "db.t4g.small",
    "allocated_storage": 20,
    "storage_type": "gp3",
    "multi_az": True,
    "backup_retention_period": 7,
}


def resource(
    kind: str, before: Any, after: Any, actions: tuple[str, ...] = ("create",), name: str = "x"
) -> dict:
    return {
        "address": f"{kind}.{name}",
        "mode": "managed",
        "type": kind,
        "change": {"actions": list(actions), "before": before, "after": after},
    }


def plan(*resources: dict[str, Any]) -> CostChange:
    return estimate_plan(MODEL, LIST, {"resource_changes": list(resources)})


def after(kind: str, values: dict[str, Any]) -> str:
    return str(plan(resource(kind, None, values)).after)


def test_a_database_in_a_plan_costs_what_the_tenant_estimate_says() -> None:
    resources = [resource("aws_db_instance", None, DATABASE)]
    resources += [resource("aws_cloudwatch_metric_alarm", None, {}, name=str(n)) for n in range(6)]
    resources += [resource("aws_secretsmanager_secret", None, {}, name=str(n)) for n in range(5)]
    assert (
        plan(*resources).after.total == estimate_tenant(MODEL, LIST, TenantShape("small", "production")).total
    )


def test_a_resize_is_before_and_after_of_one_resource() -> None:
    bigger = {**DATABASE, "instance_class": "db.t4g.medium"}
    change = plan(resource("aws_db_instance", DATABASE, bigger, ("update",)))
    assert change.delta == Decimal("46.72")
    assert change.after.lines[0].subject == "aws_db_instance.x"


def test_unchanged_resources_count_on_both_sides() -> None:
    change = plan(resource("aws_lb", {}, {}, ("no-op",)))
    assert (str(change.before), str(change.after)) == ("16.43", "16.43")


def test_a_destroyed_resource_costs_nothing_afterwards_and_a_forgotten_one_goes_on() -> None:
    gone = plan(resource("aws_db_instance", DATABASE, None, ("delete",)))
    assert (gone.after.total, gone.delta) == (Decimal(0), Decimal("-50.92"))
    assert plan(resource("aws_db_instance", DATABASE, None, ("forget",))).delta == 0


def test_data_sources_cost_nothing() -> None:
    looked_up = {**resource("aws_db_instance", None, DATABASE), "mode": "data"}
    assert plan(looked_up).after.lines == ()


def test_free_types_have_no_line_and_types_billed_by_use_are_named() -> None:
    change = plan(
        resource("aws_iam_role", None, {}),
        resource("aws_security_group_rule", None, {}),
        resource("aws_s3_bucket", None, {}),
    )
    assert [(x.component, x.rule) for x in change.after.lines] == [("aws_s3_bucket", "billed by use")]
    assert change.after.total == 0


def test_a_type_that_nobody_priced_is_unknown_and_closes_the_gate() -> None:
    change = plan(resource("aws_redshift_cluster", None, {}), resource("aws_lb", None, {}))
    assert change.after.total is None
    assert change.after.unknown == ("aws_redshift_cluster aws_redshift_cluster.x",)
    assert [f.rule for f in check_change(change, MODEL.gate)] == ["cost.unknown"]


@pytest.mark.parametrize(
    "values",
    [
        {**DATABASE, "instance_class": None},
        {**DATABASE, "instance_class": "db.r6g.16xlarge"},
        {**DATABASE, "storage_type": "io2"},
        {k: v for k, v in DATABASE.items() if k != "allocated_storage"},
    ],
)
def test_a_database_without_a_price_is_unknown(values: dict[str, Any]) -> None:
    assert plan(resource("aws_db_instance", None, values)).after.total is None


@pytest.mark.parametrize(
    ("kind", "values", "usd"),
    [
        ("aws_nat_gateway", {}, "32.00"),
        ("aws_route53_zone", {}, "0.50"),
        ("aws_kms_key", {}, "1.00"),
        ("aws_eip", {}, "3.65"),
        ("aws_db_proxy", {}, "21.90"),
        ("aws_cloudwatch_dashboard", {}, "3.00"),
        ("aws_instance", {"instance_type": "t4g.nano"}, "3.00"),
        ("aws_instance", {"instance_type": "p5.48xlarge"}, "unknown"),
        ("aws_vpc_endpoint", {"vpc_endpoint_type": "Gateway"}, "0.00"),
        ("aws_vpc_endpoint", {"vpc_endpoint_type": "Interface", "subnet_ids": ["a", "b"]}, "14.60"),
        ("aws_db_snapshot", {"allocated_storage": 20}, "1.90"),
        ("aws_db_snapshot", {}, "unknown"),
    ],
)
def test_resources_of_a_platform_have_their_price(kind: str, values: dict[str, Any], usd: str) -> None:
    assert after(kind, values) == usd


def test_a_fargate_service_takes_its_task_from_the_plan() -> None:
    task = resource("aws_ecs_task_definition", None, {"family": "api", "cpu": "512", "memory": "1024"})
    service = resource("aws_ecs_service", None, {"desired_count": 2, "task_definition": "api:3"})
    assert str(plan(task, service).after) == "36.04"
    assert plan(service).after.total is None


def test_a_replica_has_no_backups_of_its_own() -> None:
    copy = {**DATABASE, "multi_az": False, "replicate_source_db": "other"}
    assert after("aws_db_instance", copy) == "25.66"


def test_performance_insights_cost_beyond_a_week() -> None:
    week = {**DATABASE, "performance_insights_enabled": True, "performance_insights_retention_period": 7}
    assert after("aws_db_instance", week) == "50.92"
    assert after("aws_db_instance", {**week, "performance_insights_retention_period": 31}) == "65.52"


def test_what_is_no_plan_is_refused() -> None:
    with pytest.raises(Invalid, match="no plan"):
        estimate_plan(MODEL, LIST, {"planned_values": {}})


def test_no_type_is_both_priced_and_free() -> None:
    patterns = [pattern for group in MODEL.resources.values() for pattern in group]
    assert not [kind for kind in priced_types() if any(fnmatchcase(kind, p) for p in patterns)]
