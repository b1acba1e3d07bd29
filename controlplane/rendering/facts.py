"""What platforms give to their tenants: recorded outputs, literals in a tenant's workspace."""

from __future__ import annotations

from typing import Any

from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.names import tenant_prefix
from controlplane.domain.tenant import Environment
from controlplane.domain.workspace import TenantWorkspace
from controlplane.rendering.shapes import MapOf, Variable

HOME_FACTS = (
    "database_subnet_group",
    "database_security_group_id",
    "database_key_arn",
    "alarm_topic_arn",
)
HOME_SHAPE = {name: str for name in HOME_FACTS}
ACCESS_FACTS = (
    "listener_arn",
    "target_group_arn",
    "dns_zone_id",
    "domain",
    "load_balancer_dns_name",
    "load_balancer_zone_id",
    "bucket_arn",
    "platform_key_arn",
)
ACCESS = Variable(
    "access",
    "The tenant's ways in, by environment of the platform that each is on.",
    MapOf({"name": str, "priority": int, "platform": {name: str for name in ACCESS_FACTS}}),
)


def home_facts(workspace: TenantWorkspace, environment: Environment) -> dict[str, Any]:
    """What a database needs of the platform that it lies on."""
    return _recorded(workspace, environment, HOME_FACTS, ("parameter_groups",))


def access_values(workspace: TenantWorkspace) -> dict[str, Any]:
    """One on each platform that a database lies on, however many lie there: while a tenant moves, both its
    names lead to it, so that going back waits for no Terraform."""
    return {
        environment.value: {
            "name": tenant_prefix(workspace.slug, workspace.uid),
            "priority": priority,
            "platform": _recorded(workspace, environment, ACCESS_FACTS),
        }
        for environment, priority in workspace.priorities.items()
        if environment in workspace.environments
    }


def _recorded(
    workspace: TenantWorkspace, environment: Environment, names: tuple[str, ...], also: tuple[str, ...] = ()
) -> dict[str, Any]:
    home = workspace.outputs_in(environment)
    absent = [name for name in (*names, *also) if name not in home]
    if absent:
        raise Invalid(
            f"rendering the workspace of {workspace.slug}: the platform has no recorded {', '.join(absent)}",
            hint=f"apply the platform: controlplane blueprint apply {workspace.blueprint} "
            f"--environment {environment}",
            errors=[FieldError(f"platform.{name}", "is missing") for name in absent],
        )
    return {name: home[name] for name in names}
