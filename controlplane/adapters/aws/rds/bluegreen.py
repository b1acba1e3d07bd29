"""Blue/green deployments of RDS, found by their name: AWS gives each an identifier of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from controlplane.adapters.aws.errors import calling, is_code
from controlplane.adapters.aws.ownership import check_same_owner, to_list
from controlplane.adapters.aws.rds import databases
from controlplane.adapters.aws.rds.databases import PAGE, SERVICE
from controlplane.domain.errors import AlreadyExists, Conflict, Missing
from controlplane.ports import BlueGreen

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_rds.type_defs import BlueGreenDeploymentTypeDef

NOT_FOUND = "BlueGreenDeploymentNotFound"
WRONG_STATE = "InvalidBlueGreenDeploymentState"
AVAILABLE, UNDER_WAY, SWITCHED = "available", "switchover_in_progress", "switchover_completed"
_WAIT = "wait until it is available, then run again"


def begin(
    client: RDSClient, name: str, database: str, instance_class: str, tags: Mapping[str, str]
) -> BlueGreen:
    doing = f"making a green side for {database}"
    there = find(client, name)
    if there is not None:
        return _of(there, database, doing)
    blue = databases.get(client, database)
    if blue is None:
        raise Missing(f"{doing}: there is no such database")
    check_same_owner(f"the database {database}", blue.tags, tags)
    with calling(doing, SERVICE):
        try:
            answer = client.create_blue_green_deployment(
                BlueGreenDeploymentName=name,
                Source=blue.arn,
                TargetDBInstanceClass=instance_class,
                Tags=to_list(tags),  # type: ignore[arg-type]
            )
        except ClientError as error:
            there = find(client, name)  # an earlier try's: then AWS has several words for its refusal
            if there is not None:
                return _of(there, database, doing)
            if is_code(error, databases.WRONG_STATE):
                raise Conflict(f"{doing}: it is {blue.status}", hint=_WAIT) from error
            raise
    return _from_answer(answer["BlueGreenDeployment"])


def find(client: RDSClient, name: str) -> BlueGreen | None:
    """The one of this name: a name is free again once its deployment is deleted."""
    with calling(f"looking at the blue/green deployment {name}", SERVICE):
        pages = client.get_paginator("describe_blue_green_deployments").paginate(
            Filters=[{"Name": "blue-green-deployment-name", "Values": [name]}],
            PaginationConfig={"PageSize": PAGE},
        )
        rows = [one for page in pages for one in page["BlueGreenDeployments"]]
    return _from_answer(rows[0]) if rows else None


def switch_over(client: RDSClient, name: str, seconds: int) -> None:
    doing = f"switching over to the green side of {name}"
    there = find(client, name)
    if there is None:
        raise Missing(f"{doing}: there is no such deployment")
    if there.status in (UNDER_WAY, SWITCHED):
        return
    with calling(doing, SERVICE):
        try:
            client.switchover_blue_green_deployment(
                BlueGreenDeploymentIdentifier=there.identifier, SwitchoverTimeout=seconds
            )
        except ClientError as error:
            if not is_code(error, WRONG_STATE):
                raise
            again = find(client, name)  # somebody was quicker, or it is not ready
            if again is None or again.status not in (UNDER_WAY, SWITCHED):
                status = again.status if again else "gone"
                raise Conflict(f"{doing}: it is {status}", hint=_WAIT) from error


def end(client: RDSClient, name: str) -> None:
    doing = f"ending the blue/green deployment {name}"
    there = find(client, name)
    if there is None or there.status == "deleting":
        return
    with_green = there.status != SWITCHED
    with calling(doing, SERVICE):
        try:
            green = databases.get(client, there.green) if with_green else None
            if green is not None:
                databases.unprotect(client, green)
            client.delete_blue_green_deployment(
                BlueGreenDeploymentIdentifier=there.identifier, DeleteTarget=green is not None
            )
        except ClientError as error:
            if is_code(error, NOT_FOUND):
                return
            if is_code(error, WRONG_STATE, databases.WRONG_STATE):
                raise Conflict(f"{doing}: it is {there.status}", hint=_WAIT) from error
            raise


def _of(found: BlueGreen, database: str, doing: str) -> BlueGreen:
    blue = found.green if found.status == SWITCHED else found.blue
    if blue != database:
        raise AlreadyExists(f"{doing}: {found.name} exists, of {found.blue}")
    return found


def _from_answer(one: BlueGreenDeploymentTypeDef) -> BlueGreen:
    return BlueGreen(
        identifier=one["BlueGreenDeploymentIdentifier"],
        name=one.get("BlueGreenDeploymentName", ""),
        status=one.get("Status", "unknown").lower(),
        blue=_named(one.get("Source", "")),
        green=_named(one.get("Target", "")),
        detail=one.get("StatusDetails") or "",
    )


def _named(arn: str) -> str:
    return arn.rpartition(":")[2]
