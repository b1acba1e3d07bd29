"""RDS instances: looked at one by one or as a fleet, started, stopped, given a new master password."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from controlplane.adapters.aws.errors import calling, is_code
from controlplane.adapters.aws.ownership import check_ours, to_mapping
from controlplane.domain.errors import Conflict, Missing
from controlplane.ports import DatabaseInstance

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_rds.type_defs import DBInstanceTypeDef

SERVICE = "rds"
PAGE = 100  # RDS's largest
NOT_FOUND = "DBInstanceNotFound"
WRONG_STATE = "InvalidDBInstanceState"
_EXTENDED = {
    "open-source-rds-extended-support": True,
    "open-source-rds-extended-support-disabled": False,
}


def get(client: RDSClient, identifier: str) -> DatabaseInstance | None:
    with calling(f"looking at the database {identifier}", SERVICE):
        try:
            found = client.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
        except ClientError as error:
            if is_code(error, NOT_FOUND):
                return None
            raise
    return from_answer(found[0]) if found else None


def all_of_them(client: RDSClient) -> list[DatabaseInstance]:
    with calling("listing the databases", SERVICE):
        return [from_answer(one) for one in _pages(client)]


def _pages(client: RDSClient) -> Iterator[DBInstanceTypeDef]:
    pages = client.get_paginator("describe_db_instances").paginate(PaginationConfig={"PageSize": PAGE})
    for page in pages:
        yield from page["DBInstances"]


def orderable_classes(client: RDSClient, engine_version: str) -> frozenset[str]:
    pages = client.get_paginator("describe_orderable_db_instance_options")
    with calling(f"asking which classes PostgreSQL {engine_version} runs on", SERVICE):
        asked = pages.paginate(Engine="postgres", EngineVersion=engine_version)
        rows = [one for page in asked for one in page["OrderableDBInstanceOptions"]]
    return frozenset(row["DBInstanceClass"] for row in rows)


def start(client: RDSClient, identifier: str) -> None:
    """Started or on its way already: nothing to do."""
    _bring_to(client, identifier, "start", {"available", "starting", "configuring-enhanced-monitoring"})


def stop(client: RDSClient, identifier: str) -> None:
    """Stopped or on its way already: nothing to do."""
    _bring_to(client, identifier, "stop", {"stopped", "stopping"})


def _bring_to(client: RDSClient, identifier: str, verb: str, there: set[str]) -> None:
    doing = f"{verb}ping" if verb == "stop" else f"{verb}ing"
    doing = f"{doing} the database {identifier}"
    found = get(client, identifier)
    if found is None:
        raise Missing(f"{doing}: there is none of this name")
    if found.status in there:
        return
    call = client.stop_db_instance if verb == "stop" else client.start_db_instance
    with calling(doing, SERVICE):
        try:
            call(DBInstanceIdentifier=identifier)
        except ClientError as error:
            if not is_code(error, WRONG_STATE):
                raise
            # Somebody was quicker, or it is being changed: its status decides.
            again = get(client, identifier)
            if again is None or again.status not in there:
                status = again.status if again else "gone"
                raise Conflict(
                    f"{doing}: it is {status}", hint="wait until it is available, then run again"
                ) from error


def unprotect(client: RDSClient, found: DatabaseInstance) -> None:
    if found.deletion_protection:
        client.modify_db_instance(
            DBInstanceIdentifier=found.identifier, DeletionProtection=False, ApplyImmediately=True
        )


def delete(client: RDSClient, identifier: str) -> None:
    doing = f"deleting the database {identifier}"
    found = get(client, identifier)
    if found is None or found.status == "deleting":
        return
    check_ours(f"the database {identifier}", found.tags, doing)
    with calling(doing, SERVICE):
        try:
            unprotect(client, found)
            client.delete_db_instance(
                DBInstanceIdentifier=identifier, SkipFinalSnapshot=True, DeleteAutomatedBackups=False
            )
        except ClientError as error:
            if not is_code(error, NOT_FOUND, WRONG_STATE):
                raise
            again = get(client, identifier)  # somebody was quicker, or it is being changed
            if again is not None and again.status != "deleting":
                raise Conflict(
                    f"{doing}: it is {again.status}", hint="wait until it is available, then run again"
                ) from error


def from_answer(one: DBInstanceTypeDef) -> DatabaseInstance:
    endpoint = one.get("Endpoint", {})
    group = _first(one.get("DBParameterGroups"))
    return DatabaseInstance(
        identifier=one["DBInstanceIdentifier"],
        resource_id=one.get("DbiResourceId", ""),
        arn=one.get("DBInstanceArn", ""),
        status=one.get("DBInstanceStatus", "unknown"),
        instance_class=one.get("DBInstanceClass", ""),
        engine_version=one.get("EngineVersion", ""),
        storage_gb=one.get("AllocatedStorage", 0),
        max_storage_gb=one.get("MaxAllocatedStorage"),
        multi_az=one.get("MultiAZ", False),
        public=one.get("PubliclyAccessible", False),
        encrypted=one.get("StorageEncrypted", False),
        deletion_protection=one.get("DeletionProtection", False),
        backup_retention_days=one.get("BackupRetentionPeriod", 0),
        endpoint=endpoint.get("Address"),
        port=endpoint.get("Port"),
        master_username=one.get("MasterUsername", ""),
        kms_key_id=one.get("KmsKeyId"),
        pending={key: value for key, value in one.get("PendingModifiedValues", {}).items() if value},
        tags=to_mapping(one.get("TagList")),
        created_at=one.get("InstanceCreateTime"),
        ca_identifier=one.get("CACertificateIdentifier"),
        parameter_group=group.get("DBParameterGroupName"),
        parameter_status=group.get("ParameterApplyStatus"),
        engine=one.get("Engine", ""),
        database_name=one.get("DBName"),
        log_exports=tuple(one.get("EnabledCloudwatchLogsExports", ())),
        replicas=tuple(one.get("ReadReplicaDBInstanceIdentifiers", ())),
        extended_support=_EXTENDED.get(one.get("EngineLifecycleSupport", "")),
    )


def _first(groups: Any) -> dict[str, Any]:
    return dict(groups[0]) if groups else {}
