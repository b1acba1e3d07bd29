"""What must hold of the two platforms that run containers, as they are rendered."""

from __future__ import annotations

import json

import pytest

from controlplane.catalog import load
from controlplane.catalog.prices.model import load_model
from controlplane.domain.launch import answers
from controlplane.domain.tenant import Environment
from controlplane.rendering import render_tenant
from tests.golden.platforms import given, values, wired
from tests.golden.workspaces import tenant

TENANTS, EDGE = "fargate_db_per_tenant", "fargate_edge_multi_az"
BOTH = (TENANTS, EDGE)
POC, PRODUCTION = Environment.DEVELOPMENT, Environment.PRODUCTION


@pytest.mark.parametrize("name", BOTH)
def test_a_task_is_as_large_as_its_module_makes_it(name: str) -> None:
    (application,) = wired(name, "fargate_service")
    assert not {"cpu", "memory"} & set(dict(application.inputs))


@pytest.mark.parametrize("tenants", [1, 2, 5, 6, 100])
def test_a_poc_of_tenants_has_a_fixed_number_of_tasks(tenants: int) -> None:
    found = values(TENANTS, POC, tenant_count=tenants)
    assert found["tasks"] == found["most_tasks"]


def test_a_thousand_users_have_five_tasks_and_a_small_database() -> None:
    found = values(EDGE, PRODUCTION, user_count=1000)
    assert (found["tasks"], found["most_tasks"], found["database_class"]) == (5, 10, "db.t4g.small")


@pytest.mark.parametrize("name", BOTH)
def test_tasks_run_in_private_subnets_of_two_zones_and_more(name: str) -> None:
    (application,), (balancer,) = wired(name, "fargate_service"), wired(name, "load_balancer")
    assert given(application, "subnet_ids") == "module.network.application_subnet_ids"
    assert given(balancer, "subnet_ids") == "module.network.public_subnet_ids"
    assert all(len(values(name, environment)["zones"]) >= 2 for environment in Environment)


@pytest.mark.parametrize("name", BOTH)
def test_production_has_a_dashboard_and_detailed_metrics_and_a_poc_has_neither(name: str) -> None:
    shown = [{values(name, e)[key] for key in ("dashboard", "detailed_metrics")} for e in (POC, PRODUCTION)]
    assert shown == [{False}, {True}]


@pytest.mark.parametrize("name", BOTH)
def test_every_environment_has_its_alarms(name: str) -> None:
    (alarms,) = wired(name, "platform_alarms")
    assert (alarms.when, given(alarms, "emails")) == ("", "var.alert_emails")


def test_one_tenant_more_is_its_database_its_route_and_its_way_in_and_nothing_shared() -> None:
    own = ["tenant_database", "tenant_route", "tenant_access"]
    assert [w.module for w in load().blueprint(TENANTS).tenant.modules] == own
    shared = {"fargate_cluster", "load_balancer", "storage_bucket", "platform_alarms", "secrets"}
    assert all(wired(TENANTS, module) for module in shared)


def test_alarms_of_a_database_are_paid_as_they_are_rendered() -> None:
    files = render_tenant(tenant(), load()).files
    (slot,) = json.loads(files["tenant.auto.tfvars.json"])["slots"].values()
    assert len(slot["alarms"]) == load_model().tenant.alarms_per_slot == 6


def test_the_platform_has_five_secrets_of_its_own_and_three_in_a_poc() -> None:
    assert [len(values(TENANTS, e)["secrets"]) for e in (POC, PRODUCTION)] == [3, 5]


def test_a_traced_application_has_its_daemon_and_may_send_traces() -> None:
    (application,), (xray,) = wired(EDGE, "fargate_service"), wired(EDGE, "xray")
    assert "aws-xray-daemon" in given(application, "containers")["xray"]["image"]
    assert given(xray, "traced_roles") == {"application": f"module.{application.name}.task_role"}


def test_deployments_go_from_one_group_of_targets_to_the_other() -> None:
    (application,), (balancer,) = wired(EDGE, "fargate_service"), wired(EDGE, "load_balancer")
    (deployment,) = wired(EDGE, "blue_green_deployment")
    assert given(application, "scaling")["blue_green"] and given(balancer, "blue_green")
    assert given(deployment, "target_group_names") == f"module.{balancer.name}.target_group_names"
    assert given(deployment, "service") == f"module.{application.name}.service"


def test_what_is_backed_up_carries_the_platforms_tag() -> None:
    (backups,) = wired(EDGE, "backup_plans")
    chosen = {key: text.strip('"') for key, text in given(backups, "tag").items()}
    assert values(EDGE, PRODUCTION)["tags"][chosen["key"]] == chosen["value"]


@pytest.mark.parametrize("name", BOTH)
def test_network_transport_data_and_the_trail_are_proven_by_the_rendering(name: str) -> None:
    assert {"layer_network", "layer_transport", "layer_data", "audit_trail"} <= proven(name)


def test_behind_cloudfront_intrusions_are_looked_for_too() -> None:
    assert "layer_audit" in proven(EDGE)


def proven(name: str) -> set[str]:
    """Items of the launch checklist that a production's rendering answers by itself."""
    found = values(name, PRODUCTION)
    calls: dict[str, list[str]] = {}
    for module in load().blueprint(name).platform.modules:
        if not module.when or found[module.when.removeprefix("var.")]:
            calls.setdefault(module.module, []).append(module.name)
    return {answer.item.name for answer in answers(load().launch, calls, {}) if answer.is_met}
