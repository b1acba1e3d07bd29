"""ECS services, their autoscaling and rules of security groups, with what moto takes and then forgets."""

from __future__ import annotations

import json
from typing import Any

from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.responses import ActionResult
from moto.ec2.models import security_groups
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.responses import EC2ContainerServiceResponse

# As AWS answers them when they were not given; without them the provider sees a difference for ever.
_FORGOTTEN = {
    "availabilityZoneRebalancing": ("availability_zone_rebalancing", "DISABLED"),
    "enableECSManagedTags": ("enable_ecs_managed_tags", False),
    "enableExecuteCommand": ("enable_execute_command", False),
    "healthCheckGracePeriodSeconds": ("health_check_grace_period_seconds", None),
    "deploymentConfiguration": ("deployment_configuration", None),
}


class SandboxEcs(EC2ContainerServiceBackend):  # type: ignore[misc]
    @property
    def url_paths(self) -> dict[str, Any]:
        return {"/": EcsAnswers.dispatch}


class EcsAnswers(EC2ContainerServiceResponse):  # type: ignore[misc]
    def create_service(self) -> ActionResult:
        answer = super().create_service()
        service = answer._result["service"]
        for asked, (name, otherwise) in _FORGOTTEN.items():
            given = self._get_param(asked)
            setattr(service, name, otherwise if given is None else given)
        return answer


class SandboxAutoscaling(ApplicationAutoscalingBackend):  # type: ignore[misc]
    @property
    def url_paths(self) -> dict[str, Any]:
        return {"/": AutoscalingAnswers.dispatch}

    def tags_of(self, arn: str) -> dict[str, str]:
        every: dict[str, dict[str, str]] = self.__dict__.setdefault("target_tags", {})
        return every.setdefault(arn, {})


class AutoscalingAnswers(ApplicationAutoScalingResponse):  # type: ignore[misc]
    """moto's scalable targets have no tags."""

    def register_scalable_target(self) -> str:
        answer: str = super().register_scalable_target()
        self._tags(json.loads(answer)["ScalableTargetARN"]).update(self._get_param("Tags") or {})
        return answer

    def list_tags_for_resource(self) -> str:
        return json.dumps({"Tags": self._tags(self._get_param("ResourceARN"))})

    def tag_resource(self) -> str:
        self._tags(self._get_param("ResourceARN")).update(self._get_param("Tags"))
        return json.dumps({})

    def untag_resource(self) -> str:
        tags = self._tags(self._get_param("ResourceARN"))
        for key in self._get_param("TagKeys"):
            tags.pop(key, None)
        return json.dumps({})

    def _tags(self, arn: str) -> dict[str, str]:
        tags: dict[str, str] = self.applicationautoscaling_backend.tags_of(arn)
        return tags


class SandboxRule(SecurityGroupRule):  # type: ignore[misc]
    """moto keeps a rule's description only where the rule names addresses."""

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        prefix_list = values.get("prefix_list_id") or (args[7] if len(args) > 7 else None) or {}
        self.said: str | None = prefix_list.get("Description") or self.source_group.get("Description")

    @property
    def description(self) -> str | None:
        said: str | None = self.ip_range.get("Description") or self.said
        return said


def mend_rules() -> None:
    """moto makes its rules by this name."""
    security_groups.SecurityGroupRule = SandboxRule
