"""Blue/green deployments within one major version: the green side is a standby of the blue one.

As on RDS it is read-only until the switchover. That shuts everybody out of blue, waits until green has all
of it, and gives green blue's name and address; the old side is called `…-old1` and only read, until the
deployment is deleted. A switchover that takes longer than it may leaves everything as it was.
A major upgrade, for which RDS replicates logically, is refused.
"""

from __future__ import annotations

import copy
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, ClassVar

from moto.rds.exceptions import BlueGreenDeploymentNotFoundFault, InvalidBlueGreenDeploymentStateFault
from moto.rds.models import BlueGreenDeployment, RDSBackend

from controlplane.sandbox.aws import facts, rules
from controlplane.sandbox.aws.instance import NOBODY, SandboxInstance
from controlplane.sandbox.aws.standby import Switch
from controlplane.sandbox.aws.work import Task

if TYPE_CHECKING:
    from controlplane.sandbox.aws.work import Works
    from controlplane.sandbox.postgres import Address

_States = BlueGreenDeployment.SupportedStates
_LONGEST_SECONDS = 3600


class BlueGreen(RDSBackend):  # type: ignore[misc]
    """The part of the RDS backend that knows blue from green."""

    works: ClassVar[Works]
    tasks: list[Task]
    green_of: SandboxInstance | None = None  # whose green side moto is making just now
    databases: MutableMapping[str, Any]

    # --- making one ---------------------------------------------------------------------------------

    def create_blue_green_deployment(self, bg_kwargs: Any) -> Any:
        source = self.find_db_from_id(bg_kwargs["source"])
        if isinstance(source, SandboxInstance):
            self._check_source(source, bg_kwargs)
            self.green_of = source
        try:
            return super().create_blue_green_deployment(bg_kwargs)
        finally:
            self.green_of = None

    def _check_source(self, source: SandboxInstance, asked: Any) -> None:
        rules.check_available(source.status)
        if not source.backup_retention_period:
            raise rules.invalid_state("Automated backups are not enabled for this database instance.")
        for deployment in self.blue_green_deployments.values():
            if source.arn in (deployment.source, deployment.target):
                raise rules.AwsRefusal(
                    "SourceDatabaseNotSupportedFault",
                    f"{source.db_instance_identifier} is part of {deployment.blue_green_deployment_name}.",
                )
        if source.is_replica:
            raise rules.AwsRefusal(
                "SourceDatabaseNotSupportedFault", "The source is a read replica of another DB instance."
            )
        version = rules.check_version(asked.get("target_engine_version") or source.engine_version)
        if facts.major(version) != facts.major(source.engine_version):
            raise rules.invalid_combination(
                "The sandbox's green side follows by physical replication: it keeps the major version."
            )

    # --- looking ------------------------------------------------------------------------------------

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
        shown.set_status(_States.INVALID_CONFIGURATION if green.status == "failed" else _States.PROVISIONING)
        return shown

    # --- switching over -----------------------------------------------------------------------------

    def switchover_blue_green_deployment(
        self, blue_green_deployment_identifier: str, switchover_timeout: int | None = 300
    ) -> Any:
        deployment = self._deployment(blue_green_deployment_identifier)
        blue, green = self._side(deployment.source), self._side(deployment.target)
        if blue is None or green is None:
            return super().switchover_blue_green_deployment(blue_green_deployment_identifier)
        seconds = 300 if switchover_timeout is None else int(switchover_timeout)
        least = self.works.options.switchover_minimum_seconds
        if not least <= seconds <= _LONGEST_SECONDS:
            raise rules.invalid_value(
                f"Invalid SwitchoverTimeout: {seconds}. Must be between {least} and {_LONGEST_SECONDS}."
            )
        ready = (blue.status, green.status, deployment.status) == ("available", "available", "AVAILABLE")
        if not ready or not blue.place or not green.place:
            raise InvalidBlueGreenDeploymentStateFault(blue_green_deployment_identifier)
        ids = (blue.dbi_resource_id, green.dbi_resource_id)
        switch = Switch(*ids, blue.place, green.place, seconds)
        deployment.set_status(_States.SWITCHOVER_IN_PROGRESS)
        blue.status = green.status = "modifying"
        values = {"blue": blue, "deployment": deployment, "switch": switch}
        self.works.submit(self.tasks, Task("switch", green, values=values))
        return copy.copy(deployment)

    def end_switchover(
        self,
        deployment: Any,
        blue: SandboxInstance,
        green: SandboxInstance,
        places: tuple[Address, Address] | None,
    ) -> None:
        blue.status = green.status = "available"
        if places is None:
            deployment.set_status(_States.SWITCHOVER_FAILED)
            deployment.status_details = "The switchover timed out and was rolled back."
            return
        blue.place, green.place = places
        self._swap_names(blue, green)
        deployment.source, deployment.target = blue.arn, green.arn
        blue.follows, green.follows = NOBODY, ""
        deployment.set_status(_States.SWITCHOVER_COMPLETED)
        deployment.status_details = "Switchover completed"

    def _swap_names(self, blue: SandboxInstance, green: SandboxInstance) -> None:
        name = blue.db_instance_identifier
        for side in (blue, green):
            del self.databases[side.db_instance_identifier]
        blue.db_instance_identifier, green.db_instance_identifier = self._free_old(name), name
        for side in (blue, green):
            self.databases[side.db_instance_identifier] = side

    def _free_old(self, name: str) -> str:
        number = 1
        while f"{name}-old{number}" in self.databases:
            number += 1
        return f"{name}-old{number}"

    # --- deleting -----------------------------------------------------------------------------------

    def delete_blue_green_deployment(
        self, blue_green_deployment_identifier: str, delete_target: bool = False
    ) -> Any:
        deployment = self._deployment(blue_green_deployment_identifier)
        switched = deployment.status == _States.SWITCHOVER_COMPLETED.name
        if deployment.status == _States.SWITCHOVER_IN_PROGRESS.name or (switched and delete_target):
            raise InvalidBlueGreenDeploymentStateFault(blue_green_deployment_identifier)
        following = self._side(deployment.source if switched else deployment.target)
        if following is not None and delete_target:
            self.delete_db_instance(following.db_instance_identifier, skip_final_snapshot=True)
        elif following is not None:
            rules.check_available(following.status)
            following.status = "modifying"
            self.works.submit(self.tasks, Task("part", following))
        return super().delete_blue_green_deployment(blue_green_deployment_identifier, False)

    def _deployment(self, identifier: str) -> Any:
        if identifier not in self.blue_green_deployments:
            raise BlueGreenDeploymentNotFoundFault(identifier)
        return self.blue_green_deployments[identifier]

    def _side(self, arn: str) -> SandboxInstance | None:
        found = self.databases.get(arn.rpartition(":")[2])
        return found if isinstance(found, SandboxInstance) else None
