"""The workspaces that are rendered in tests: one for each thing that can look different."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from controlplane.catalog import load
from controlplane.domain.names import Slug, TenantUid, platform_workspace, tenant_workspace
from controlplane.domain.tenant import Environment, Size, Stage, TenantSpec
from controlplane.domain.workspace import Import, PlatformWorkspace, TenantWorkspace
from controlplane.rendering import slot_for

BLUEPRINT = "fargate_db_per_tenant"
SLUG, UID = Slug("acme"), TenantUid("a1234567")


def way_in(environment: str) -> dict[str, str]:
    """What a platform with a load balancer gives besides."""
    balancing = "arn:aws:elasticloadbalancing:us-east-1:123456789012"
    return {
        "listener_arn": f"{balancing}:listener/app/{environment}/50dc6c495c0c9188/f2f7dc8efc522ab2",
        "target_group_arn": f"{balancing}:targetgroup/{environment}/73e2d6bc24d8a067",
        "dns_zone_id": f"Z{environment.upper()}",
        "domain": f"{environment}.example.com",
        "load_balancer_dns_name": f"{environment}-1234567890.us-east-1.elb.amazonaws.com",
        "load_balancer_zone_id": "Z35SXDOTRQ7X7K",
        "bucket_arn": f"arn:aws:s3:::fargate-db-per-{environment}-objects-123456789012",
        "platform_key_arn": "arn:aws:kms:us-east-1:123456789012:key/0b1c2d3e-0000-4000-8000-00000000000e",
    }


PLATFORM: Mapping[str, Any] = {
    "vpc_id": "vpc-0a1",
    "database_subnet_group": "fargate-db-per-tenant-development-default-databases",
    "database_security_group_id": "sg-0a1b2c3d4e5f60718",
    "database_key_arn": "arn:aws:kms:us-east-1:123456789012:key/0b1c2d3e-0000-4000-8000-000000000001",
    "alarm_topic_arn": "arn:aws:sns:us-east-1:123456789012:fargate-db-per-tenant-development-default-alarms",
    "parameter_groups": {"16": "fargate-db-per-tenant-development-default-postgres16"},
    **way_in("development"),
}


def tenant(stage: Stage = Stage.POC, **changes: Any) -> TenantWorkspace:
    """A tenant that is about to be created; `changes` replace fields of it."""
    size = Size.MICRO if stage is Stage.POC else Size.SMALL
    environment = Environment.DEVELOPMENT if stage is Stage.POC else Environment.PRODUCTION
    spec = TenantSpec(stage=stage, size=size, environment=environment)
    workspace = TenantWorkspace(
        workspace=tenant_workspace(UID),
        slug=SLUG,
        uid=UID,
        stage=stage,
        environment=environment,
        region=spec.region,
        cell=spec.cell,
        blueprint=BLUEPRINT,
        route_epoch=1,
        slots=(slot_for(spec, SLUG, UID, 1, load()),),
        platform=PLATFORM,
        priorities={environment: 7},
    )
    return replace(workspace, **changes)


def with_slot(workspace: TenantWorkspace, **changes: Any) -> TenantWorkspace:
    """The same with its first slot changed."""
    first, *others = workspace.slots
    return replace(workspace, slots=(replace(first, **changes), *others))


HOME: Mapping[str, Any] = {
    "vpc_id": "vpc-0b2",
    "database_subnet_group": "fargate-db-per-tenant-production-default-databases",
    "database_security_group_id": "sg-0b2c3d4e5f607182a",
    "database_key_arn": "arn:aws:kms:us-east-1:123456789012:key/0b1c2d3e-0000-4000-8000-000000000002",
    "alarm_topic_arn": "arn:aws:sns:us-east-1:123456789012:fargate-db-per-tenant-production-default-alarms",
    "parameter_groups": {"16": "fargate-db-per-tenant-production-default-postgres16"},
    **way_in("production"),
}


def two_slots() -> TenantWorkspace:
    """In the middle of a migration: the old database stands, the new one is restored from its snapshot."""
    workspace = with_slot(tenant(), credential_write=False)
    source = workspace.slots[0]
    target = replace(
        source,
        epoch=2,
        identifier="acme-a1234567-e2",
        size=Size.MEDIUM,
        storage_gb=100,
        credential_write=True,
        snapshot_identifier="acme-a1234567-e1-before-e2",
        multi_az=True,
        backup_days=7,
        kms_key_id="arn:aws:kms:us-east-1:123456789012:key/0b1c2d3e-0000-4000-8000-00000000000f",
        stage=Stage.PRODUCTION,
        environment=Environment.PRODUCTION,
    )
    return replace(
        workspace,
        slots=(source, target),
        homes={Environment.PRODUCTION: HOME},
        priorities={Environment.DEVELOPMENT: 7, Environment.PRODUCTION: 1},
    )


def settling() -> TenantWorkspace:
    """After an apply whose end nobody saw: what exists is imported."""
    alarms = [rule.name for rule in load().alarms]
    database = 'module.database["e1"]'
    identifier = tenant().slots[0].identifier
    return tenant(
        imports=(
            Import(f"{database}.aws_db_instance.this", identifier),
            *(
                Import(
                    f'{database}.aws_cloudwatch_log_group.this["{log}"]',
                    f"/aws/rds/instance/{identifier}/{log}",
                )
                for log in ("postgresql", "upgrade")
            ),
            *(
                Import(f'{database}.aws_cloudwatch_metric_alarm.this["{alarm}"]', f"{identifier}-{alarm}")
                for alarm in alarms
            ),
            Import("module.route.aws_ssm_parameter.this", "/controlplane/acme-a1234567/route"),
        )
    )


def adopted() -> TenantWorkspace:
    """A database that somebody else made, taken over with its password as it is."""
    workspace = with_slot(
        tenant(Stage.PRODUCTION),
        identifier="legacy-orders",
        engine_version="16.6",
        storage_gb=120,
        adopted=True,
        credential_write=False,
        kms_key_id="arn:aws:kms:us-east-1:123456789012:key/0b1c2d3e-0000-4000-8000-0000000000aa",
    )
    database = 'module.database["e1"].aws_db_instance.this'
    return replace(workspace, imports=(Import(database, "legacy-orders"),))


def leaving() -> TenantWorkspace:
    """The first of the two applies that take a slot away."""
    return with_slot(tenant(), protected=False, alarms=False, credential_write=False)


TENANTS = {
    "poc": tenant(),
    "production": tenant(Stage.PRODUCTION),
    "two_slots": two_slots(),
    "imports": settling(),
    "adopted": adopted(),
    "leaving": leaving(),
    "labels": tenant(labels={"team": "blau + söhne", "cost/centre": "4711"}),
    "empty": tenant(slots=()),
    "copy": tenant(priorities={}),  # of a drill: nobody is to reach it
}


def platform(environment: Environment = Environment.DEVELOPMENT, **options: Any) -> PlatformWorkspace:
    return PlatformWorkspace(
        workspace=platform_workspace(BLUEPRINT, environment.value, "default"),
        blueprint=BLUEPRINT,
        environment=environment,
        region="us-east-1",
        cell="default",
        options=options,
    )


PLATFORMS = {environment.value: platform(environment) for environment in Environment}
