"""A whole platform on the sandbox: what is applied is planned empty, and taken down it leaves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from controlplane.catalog import load as load_catalog
from tests.e2e.belongings import belongings
from tests.e2e.machine import Machine
from tests.e2e.rights import BOUNDARY, beyond_policy, called, take_roles
from tests.e2e.team import ask, client, run

pytestmark = [pytest.mark.terraform, pytest.mark.postgres, pytest.mark.timeout(1800)]
BLUEPRINT = "fargate_db_per_tenant"


@pytest.fixture
def company(machine: Machine) -> Iterator[Machine]:
    machine.settings["CONTROLPLANE_TWO_PERSON"] = "false"
    take_roles(machine)
    run(machine, "sandbox", "start")
    yield machine
    machine.run("sandbox", "stop", seconds=60)


def test_a_platform_with_its_application_is_made_stays_as_it_is_and_goes(company: Machine) -> None:
    live_through(company, BLUEPRINT)
    found = called(company)
    assert {"plan", "apply"} <= set(found)
    assert beyond_policy(found) == {}


def boundaries(machine: Machine) -> list[str]:
    """What bounds each role that the platform made."""
    iam = client(machine, "iam")
    made = [iam.get_role(RoleName=role["RoleName"])["Role"] for role in iam.list_roles()["Roles"]]
    return [role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "none") for role in made]


@pytest.mark.long
@pytest.mark.parametrize("blueprint", sorted(load_catalog().blueprints.keys() - {BLUEPRINT}))
def test_every_platform_is_made_stays_as_it_is_and_goes(company: Machine, blueprint: str) -> None:
    live_through(company, blueprint)
    assert beyond_policy(called(company)) == {}


@pytest.mark.long
def test_a_tenant_is_reached_by_a_name_and_a_rule_of_its_own_as_long_as_it_lives(company: Machine) -> None:
    run(company, "blueprint", "apply", BLUEPRINT, "--auto-approve")
    run(company, "tenant", "create", "acme", "--auto-approve")
    host = f"acme-{ask(company, 'tenant', 'show', 'acme')['uid']}.platform.example.com"
    assert (hosts(company), names(company, host)) == ([host], [f"{host}."])
    again = ask(company, "tenant", "reconcile", "acme", "--auto-approve")
    assert again["status"] == "no_changes", again["plan"]
    run(company, "tenant", "destroy", "acme", "--confirm", "acme", "--auto-approve")
    assert (hosts(company), names(company, host)) == ([], [])
    assert beyond_policy(called(company)) == {}


def hosts(machine: Machine) -> list[str]:
    """That the load balancer hands on to the application."""
    balancing = client(machine, "elbv2")
    (balancer,) = balancing.describe_load_balancers()["LoadBalancers"]
    listeners = balancing.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    rules = [
        rule
        for one in listeners
        for rule in balancing.describe_rules(ListenerArn=one["ListenerArn"])["Rules"]
        if not rule["IsDefault"]
    ]
    conditions = [condition for rule in rules for condition in rule["Conditions"]]
    return [host for condition in conditions for host in condition["HostHeaderConfig"]["Values"]]


def names(machine: Machine, host: str) -> list[str]:
    """Records of this name, in whichever zone."""
    dns = client(machine, "route53")
    records = [
        record
        for zone in dns.list_hosted_zones()["HostedZones"]
        for record in dns.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    ]
    return [record["Name"] for record in records if record["Name"].rstrip(".") == host]


def live_through(machine: Machine, blueprint: str) -> None:
    before = belongings(machine)
    run(machine, "blueprint", "apply", blueprint, "--auto-approve")
    assert before < belongings(machine)
    assert set(boundaries(machine)) == {BOUNDARY}
    kept = {f"{row['DBInstanceIdentifier']}-final" for row in databases(machine)}
    again = ask(machine, "blueprint", "apply", blueprint, "--auto-approve")
    assert again["status"] == "no_changes", again["plan"]
    run(machine, "blueprint", "destroy", blueprint, "--confirm", blueprint, "--auto-approve")
    assert {arn.rpartition(":")[2] for arn in tagged(machine)} == kept, "final snapshots alone are left"
    assert belongings(machine) == before


def databases(machine: Machine) -> list[dict[str, Any]]:
    return list(client(machine, "rds").describe_db_instances()["DBInstances"])


def tagged(machine: Machine) -> list[str]:
    """What carries our tags and lives, as AWS knows it."""
    pages = client(machine, "resourcegroupstaggingapi").get_paginator("get_resources")
    wanted = [{"Key": "managed-by", "Values": ["controlplane"]}]
    arns = [
        str(one["ResourceARN"])
        for page in pages.paginate(TagFilters=wanted)
        for one in page["ResourceTagMappingList"]
    ]
    return [arn for arn in arns if not is_leaving(machine, arn)]


def is_leaving(machine: Machine, arn: str) -> bool:
    """AWS shows for a while what was deleted: keys and secrets for days, the rest for an hour."""
    service = arn.split(":")[2]
    if service == "kms":
        return "DeletionDate" in client(machine, "kms").describe_key(KeyId=arn)["KeyMetadata"]
    if service == "secretsmanager":
        return "DeletedDate" in client(machine, "secretsmanager").describe_secret(SecretId=arn)
    if ":instance/" in arn:
        found = client(machine, "ec2").describe_instances(InstanceIds=[arn.rpartition("/")[2]])
        return found["Reservations"][0]["Instances"][0]["State"]["Name"] == "terminated"
    return service == "ecs" and ecs_status(machine, arn) == "INACTIVE"


def ecs_status(machine: Machine, arn: str) -> str:
    ecs, kind = client(machine, "ecs"), arn.split(":")[5].partition("/")[0]
    if kind == "task-definition":
        return str(ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["status"])
    if kind == "service":
        return str(ecs.describe_services(cluster=arn.split("/")[1], services=[arn])["services"][0]["status"])
    return str(ecs.describe_clusters(clusters=[arn])["clusters"][0]["status"])
