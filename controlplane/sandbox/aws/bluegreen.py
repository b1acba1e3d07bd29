"""Blue/green deployments: the green side is a copy, made once more at the switchover.

There is no replication between the two: what makes RDS's green side equal to the blue one until the last
moment is done here by copying the stopped blue side. The addresses change sides, as names do on AWS.
"""

from __future__ import annotations

import copy
from collections.abc import MutableMapping
from typing import Any

from moto.rds.exceptions import BlueGreenDeploymentNotFoundFault, InvalidBlueGreenDeploymentStateFault
from moto.rds.models import BlueGreenDeployment, RDSBackend

from controlplane.sandbox.aws import rules
from controlplane.sandbox.aws.instance import SandboxInstance
from controlplane.sandbox.aws.work import Task

_States = BlueGreenDeployment.SupportedStates


class BlueGreen(RDSBackend):  # type: ignore[misc]
    """The part of the RDS backend that knows blue from green."""

    green_of: SandboxInstance | None = None  # whose green side moto is making just now
    databases: MutableMapping[str, Any]

    def create_blue_green_deployment(self, bg_kwargs: Any) -> Any:
        source = self.find_db_from_id(bg_kwargs["source"])
        rules.check_available(source.status)
        self.green_of = source if isinstance(source, SandboxInstance) else None
        try:
            return super().create_blue_green_deployment(bg_kwargs)
        finally:
            self.green_of = None

    def describe_blue_green_deployments(
        self, blue_green_deployment_identifier: str | None = None, filters: Any = None
    ) -> list[Any]:
        """moto has them available at once; here the green side takes its time."""
        found = super().describe_blue_green_deployments(blue_green_deployment_identifier, filters)
        return [self._as_it_is(deployment) for deployment in found]

    def _as_it_is(self, deployment: Any) -> Any:
        green = self._side(deployment.target)
        if deployment.status != _States.AVAILABLE.name or green is None or green.status == "available":
            return deployment
        shown = copy.copy(deployment)
        shown.set_status(_States.PROVISIONING)
        return shown

    def switchover_blue_green_deployment(
        self,
        blue_green_deployment_identifier: str,
        switchover_timeout: int | None = 300,  # noqa: ARG002 - moto's signature
    ) -> Any:
        if blue_green_deployment_identifier not in self.blue_green_deployments:
            raise BlueGreenDeploymentNotFoundFault(blue_green_deployment_identifier)
        deployment = self.blue_green_deployments[blue_green_deployment_identifier]
        blue, green = self._side(deployment.source), self._side(deployment.target)
        if blue is None or green is None:
            return super().switchover_blue_green_deployment(blue_green_deployment_identifier)
        ready = (blue.status, green.status, deployment.status) == ("available", "available", "AVAILABLE")
        if not ready:
            raise InvalidBlueGreenDeploymentStateFault(blue_green_deployment_identifier)
        self._swap_names(blue, green)
        deployment.source, deployment.target = blue.arn, green.arn
        deployment.set_status(_States.SWITCHOVER_IN_PROGRESS)
        blue.status = green.status = "modifying"
        self.works.submit(self.tasks, Task("switch", green, values={"blue": blue, "deployment": deployment}))
        return copy.copy(deployment)

    def _swap_names(self, blue: SandboxInstance, green: SandboxInstance) -> None:
        name = blue.db_instance_identifier
        for side in (blue, green):
            del self.databases[side.db_instance_identifier]
        blue.db_instance_identifier, green.db_instance_identifier = f"{name}-old1", name
        for side in (blue, green):
            self.databases[side.db_instance_identifier] = side

    def delete_blue_green_deployment(
        self, blue_green_deployment_identifier: str, delete_target: bool = False
    ) -> Any:
        deployment = super().delete_blue_green_deployment(blue_green_deployment_identifier, False)
        green = self._side(deployment.target)
        switched = deployment.source.endswith("-old1")
        if delete_target and green is not None and not switched:
            self.delete_db_instance(green.db_instance_identifier, skip_final_snapshot=True)
        return deployment

    def _side(self, arn: str) -> SandboxInstance | None:
        found = self.databases.get(arn.rpartition(":")[2])
        return found if isinstance(found, SandboxInstance) else None
