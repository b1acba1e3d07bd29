"""Snapshots exported to S3. The task's identifier is the idempotency key, as a snapshot's is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from controlplane.adapters.aws.databases import PAGE, SERVICE
from controlplane.adapters.aws.errors import calling, is_code
from controlplane.adapters.aws.snapshots import NOT_FOUND
from controlplane.domain.errors import Missing
from controlplane.ports import ArchivePlace, Export

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_rds.type_defs import ExportTaskResponseTypeDef, ExportTaskTypeDef

_EXISTS = ("ExportTaskAlreadyExists", "ExportTaskAlreadyExistsFault")


def begin(client: RDSClient, identifier: str, snapshot_arn: str, prefix: str, to: ArchivePlace) -> Export:
    with calling(f"exporting the snapshot {snapshot_arn} to {to.bucket}", SERVICE):
        try:
            answer = client.start_export_task(
                ExportTaskIdentifier=identifier,
                SourceArn=snapshot_arn,
                S3BucketName=to.bucket,
                S3Prefix=prefix,
                IamRoleArn=to.role_arn,
                KmsKeyId=to.key_arn,
            )
        except ClientError as error:
            if is_code(error, NOT_FOUND):
                raise Missing(f"exporting the snapshot {snapshot_arn}: there is none") from error
            known = all_of(client, snapshot_arn) if is_code(error, *_EXISTS) else []
            found = next((one for one in known if one.identifier == identifier), None)
            if found is None:
                raise
            return found
    return from_answer(answer)


def all_of(client: RDSClient, snapshot_arn: str) -> list[Export]:
    with calling(f"looking at the exports of {snapshot_arn}", SERVICE):
        pages = client.get_paginator("describe_export_tasks").paginate(
            SourceArn=snapshot_arn, PaginationConfig={"PageSize": PAGE}
        )
        rows = [one for page in pages for one in page["ExportTasks"] if one.get("SourceArn") == snapshot_arn]
    never = datetime.min.replace(tzinfo=UTC)
    return [from_answer(one) for one in sorted(rows, key=lambda one: one.get("TaskStartTime") or never)]


def from_answer(one: ExportTaskTypeDef | ExportTaskResponseTypeDef) -> Export:
    return Export(
        identifier=one.get("ExportTaskIdentifier", ""),
        snapshot_arn=one.get("SourceArn", ""),
        status=one.get("Status", "unknown").lower(),
        bucket=one.get("S3Bucket", ""),
        prefix=one.get("S3Prefix", ""),
        percent=one.get("PercentProgress", 0),
        problem=one.get("FailureCause", "") or "",
    )
