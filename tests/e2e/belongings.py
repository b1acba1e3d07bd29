"""Everything that stands in the emulated account, tagged or not, so that two moments can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.e2e.machine import Machine
from tests.e2e.team import client

# Per service: what lists, where the rows are, and what names one of them (empty: the row itself).
_LISTS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "acm": (("list_certificates", "CertificateSummaryList", "CertificateArn"),),
    "apigatewayv2": (("get_apis", "Items", "ApiId"),),
    "athena": (("list_work_groups", "WorkGroups", "Name"),),
    "backup": (
        ("list_backup_plans", "BackupPlansList", "BackupPlanId"),
        ("list_backup_vaults", "BackupVaultList", "BackupVaultName"),
    ),
    "cloudfront": (
        ("list_distributions", "DistributionList.Items", "Id"),
        ("list_origin_access_controls", "OriginAccessControlList.Items", "Id"),
        ("list_cache_policies", "CachePolicyList.Items", "CachePolicy.Id"),
        ("list_response_headers_policies", "ResponseHeadersPolicyList.Items", "ResponseHeadersPolicy.Id"),
    ),
    "cloudtrail": (("describe_trails", "trailList", "Name"),),
    "cloudwatch": (
        ("describe_alarms", "MetricAlarms", "AlarmName"),
        ("list_dashboards", "DashboardEntries", "DashboardName"),
    ),
    "codedeploy": (("list_applications", "applications", ""),),
    "cognito-idp": (("list_user_pools", "UserPools", "Id"),),
    "dlm": (("get_lifecycle_policies", "Policies", "PolicyId"),),
    "dynamodb": (("list_tables", "TableNames", ""),),
    "ec2": (
        ("describe_addresses", "Addresses", "AllocationId"),
        ("describe_flow_logs", "FlowLogs", "FlowLogId"),
        ("describe_security_groups", "SecurityGroups", "GroupId"),
        ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
        ("describe_vpcs", "Vpcs", "VpcId"),
    ),
    "ecr": (("describe_repositories", "repositories", "repositoryName"),),
    "elbv2": (
        ("describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
        ("describe_target_groups", "TargetGroups", "TargetGroupArn"),
    ),
    "events": (("list_event_buses", "EventBuses", "Name"), ("list_rules", "Rules", "Name")),
    "firehose": (("list_delivery_streams", "DeliveryStreamNames", ""),),
    "glue": (("get_databases", "DatabaseList", "Name"),),
    "guardduty": (("list_detectors", "DetectorIds", ""),),
    "iam": (
        ("list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
        ("list_policies", "Policies", "Arn"),
        ("list_roles", "Roles", "RoleName"),
    ),
    "lambda": (
        ("list_event_source_mappings", "EventSourceMappings", "UUID"),
        ("list_functions", "Functions", "FunctionName"),
    ),
    "logs": (("describe_log_groups", "logGroups", "logGroupName"),),
    "rds": (
        ("describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
        ("describe_db_parameter_groups", "DBParameterGroups", "DBParameterGroupName"),
        ("describe_db_proxies", "DBProxies", "DBProxyName"),
        ("describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupName"),
    ),
    "route53": (
        ("list_health_checks", "HealthChecks", "Id"),
        ("list_hosted_zones", "HostedZones", "Id"),
    ),
    "s3": (("list_buckets", "Buckets", "Name"),),
    "ses": (
        ("list_identities", "Identities", ""),
        ("list_templates", "TemplatesMetadata", "Name"),
    ),
    "sns": (("list_topics", "Topics", "TopicArn"),),
    "sqs": (("list_queues", "QueueUrls", ""),),
    "wafv2": (("list_web_acls", "Summaries", "Id"),),
    "xray": (("get_sampling_rules", "SamplingRuleRecords", "SamplingRule.RuleName"),),
}
_ASKED: Mapping[str, Mapping[str, Any]] = {
    "list_cache_policies": {"Type": "custom"},
    "list_policies": {"Scope": "Local"},
    "list_response_headers_policies": {"Type": "custom"},
    "list_user_pools": {"MaxResults": 60},
    "list_web_acls": {"Scope": "REGIONAL"},
}


def belongings(machine: Machine) -> set[str]:
    """As `service list name`."""
    found = set()
    for service, lists in _LISTS.items():
        asked = client(machine, service)
        for method, rows, name in lists:
            answer = getattr(asked, method)(**_ASKED.get(method, {}))
            living = [row for row in _at(answer, rows) or () if not _is_leaving(row)]
            found |= {f"{service} {method} {_at(row, name)}" for row in living}
    return found


def _is_leaving(row: Any) -> bool:
    """AWS shows endpoints for a while after they were deleted."""
    return isinstance(row, dict) and row.get("State") == "deleted"


def _at(value: Any, path: str) -> Any:
    for part in path.split(".") if path else ():
        value = value.get(part)
    return value
