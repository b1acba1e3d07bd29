"""CodeDeploy's groups, which also change and go. No deployment happens: no task runs."""

from __future__ import annotations

from typing import Any

from moto.codedeploy.models import CodeDeployBackend
from moto.codedeploy.responses import CodeDeployResponse
from moto.codedeploy.urls import url_paths
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import camelcase_to_underscores

from controlplane.sandbox.aws.platform.routes import routes

_CHANGEABLE = (
    "deploymentConfigName",
    "serviceRoleArn",
    "triggerConfigurations",
    "autoRollbackConfiguration",
    "outdatedInstancesStrategy",
    "deploymentStyle",
    "blueGreenDeploymentConfiguration",
    "loadBalancerInfo",
    "ecsServices",
)


class SandboxCodeDeploy(CodeDeployBackend):  # type: ignore[misc]
    @property
    def url_paths(self) -> dict[str, Any]:
        return routes({"{0}/$": url_paths["{0}/$"]}, CodeDeployAnswers.dispatch)

    def delete_application(self, name: str) -> None:
        """With its groups; one that is not there is no error."""
        for group in list(self.deployment_groups.get(name, {})):
            self.delete_group(name, group)
        self.deployment_groups.pop(name, None)
        if self.applications.pop(name, None):
            self.tagger.delete_all_tags_for_resource(self._application_arn(name))

    def delete_group(self, application: str, name: str) -> None:
        if self.deployment_groups.get(application, {}).pop(name, None):
            self.tagger.delete_all_tags_for_resource(self._deployment_group_arn(application, name))


class CodeDeployAnswers(CodeDeployResponse):  # type: ignore[misc]
    """moto knows neither changes nor ends."""

    def update_deployment_group(self) -> ActionResult:
        application, name = self._get_param("applicationName"), self._get_param("currentDeploymentGroupName")
        group = self.codedeploy_backend.get_deployment_group(application, name)
        for key in _CHANGEABLE:
            if self._get_param(key) is not None:
                setattr(group, camelcase_to_underscores(key), self._get_param(key))
        fresh = self._get_param("newDeploymentGroupName")
        if fresh:
            groups = self.codedeploy_backend.deployment_groups[application]
            groups[fresh] = groups.pop(name)
            group.deployment_group_name = fresh
        return ActionResult({"hooksNotCleanedUp": []})

    def delete_deployment_group(self) -> ActionResult:
        application = self._get_param("applicationName")
        self.codedeploy_backend.delete_group(application, self._get_param("deploymentGroupName"))
        return ActionResult({"hooksNotCleanedUp": []})

    def delete_application(self) -> ActionResult:
        self.codedeploy_backend.delete_application(self._get_param("applicationName"))
        return EmptyResult()
