"""RDS snapshots and their exports. The identifier is the idempotency key: "already exists" is answered by a
look at it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from controlplane.adapters.aws.errors import calling, is_code
from controlplane.adapters.aws.ownership import check_ours, check_same_owner, to_list, to_mapping
from controlplane.adapters.aws.rds.databases import NOT_FOUND as DATABASE_NOT_FOUND
from controlplane.adapters.aws.rds.databases import PAGE, SERVICE, WRONG_STATE
from controlplane.domain.errors import AlreadyExists, Conflict, ControlPlaneError, Missing, Unavailable
from controlplane.ports import ArchivePlace, Export, Snapshot

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_rds.type_defs import DBSnapshotTypeDef, ExportTaskResponseTypeDef, ExportTaskTypeDef

NOT_FOUND = "DBSnapshotNotFound"
EXISTS = "DBSnapshotAlreadyExists"
_EXPORT_EXISTS = ("ExportTaskAlreadyExists", "ExportTaskAlreadyExistsFault")


def create(client: RDSClient, identifier: str, database: str, tags: Mapping[str, str]) -> Snapshot:
    doing = f"taking the snapshot {identifier} of {database}"
    with calling(doing, SERVICE):
        try:
            answer = client.create_db_snapshot(
                DBSnapshotIdentifier=identifier,
                DBInstanceIdentifier=database,
                Tags=to_list(tags),  # type: ignore[arg-type]
            )
        except ClientError as error:
            if not is_code(error, EXISTS, WRONG_STATE, DATABASE_NOT_FOUND):
                raise
            # Taken by an earlier try: it may be in the making still (the database then is "backing-up",
            # which hides that the snapshot exists), or the database may be gone since.
            found = get(client, identifier)
            if found is None:
                raise _why_not(error, doing) from error
            return _ours(found, database, tags)
    return from_answer(answer["DBSnapshot"])


def copy(client: RDSClient, source: str, identifier: str, kms_key: str, tags: Mapping[str, str]) -> Snapshot:
    doing = f"copying the snapshot {source} to {identifier}"
    with calling(doing, SERVICE):
        try:
            answer = client.copy_db_snapshot(
                SourceDBSnapshotIdentifier=source,
                TargetDBSnapshotIdentifier=identifier,
                KmsKeyId=kms_key,
                Tags=to_list(tags),  # type: ignore[arg-type]
            )
        except ClientError as error:
            if is_code(error, NOT_FOUND):
                raise Missing(f"{doing}: there is no such snapshot") from error
            found = get(client, identifier) if is_code(error, EXISTS) else None
            if found is None:
                raise
            check_same_owner(f"the snapshot {identifier}", found.tags, tags)
            return found
    return from_answer(answer["DBSnapshot"])


def _why_not(error: ClientError, doing: str) -> ControlPlaneError:
    if is_code(error, DATABASE_NOT_FOUND):
        return Missing(f"{doing}: there is no such database")
    if is_code(error, WRONG_STATE):
        hint = "wait until it is available, then run again"
        return Conflict(f"{doing}: the database is not available", hint=hint)
    return Unavailable(
        f"{doing}: AWS says that it exists and that it does not", hint="it is safe to run again in a minute"
    )


def _ours(found: Snapshot, database: str, tags: Mapping[str, str]) -> Snapshot:
    if found.database != database:
        raise AlreadyExists(
            f"taking the snapshot {found.identifier} of {database}: it exists, of {found.database}",
            hint="choose another identifier",
        )
    check_same_owner(f"the snapshot {found.identifier}", found.tags, tags)
    return found


def get(client: RDSClient, identifier: str) -> Snapshot | None:
    with calling(f"looking at the snapshot {identifier}", SERVICE):
        try:
            found = client.describe_db_snapshots(DBSnapshotIdentifier=identifier)["DBSnapshots"]
        except ClientError as error:
            if is_code(error, NOT_FOUND):
                return None
            raise
    return from_answer(found[0]) if found else None


def all_of_them(client: RDSClient, database: str | None) -> list[Snapshot]:
    which: dict[str, Any] = {"DBInstanceIdentifier": database} if database else {}
    with calling(f"listing the snapshots of {database or 'every database'}", SERVICE):
        pages = client.get_paginator("describe_db_snapshots").paginate(
            PaginationConfig={"PageSize": PAGE}, **which
        )
        try:
            return [from_answer(one) for page in pages for one in page["DBSnapshots"]]
        except ClientError as error:
            if is_code(error, DATABASE_NOT_FOUND):
                return []
            raise


def delete(client: RDSClient, identifier: str) -> None:
    """Ours only; gone already is fine."""
    doing = f"deleting the snapshot {identifier}"
    found = get(client, identifier)
    if found is None:
        return
    check_ours(f"the snapshot {identifier}", found.tags, doing)
    with calling(doing, SERVICE):
        try:
            client.delete_db_snapshot(DBSnapshotIdentifier=identifier)
        except ClientError as error:
            if not is_code(error, NOT_FOUND):
                raise


def from_answer(one: DBSnapshotTypeDef) -> Snapshot:
    return Snapshot(
        identifier=one["DBSnapshotIdentifier"],
        arn=one.get("DBSnapshotArn", ""),
        database=one.get("DBInstanceIdentifier", ""),
        status=one.get("Status", "unknown"),
        storage_gb=one.get("AllocatedStorage", 0),
        engine_version=one.get("EngineVersion", ""),
        encrypted=one.get("Encrypted", False),
        kms_key_id=one.get("KmsKeyId"),
        created_at=one.get("SnapshotCreateTime"),
        tags=to_mapping(one.get("TagList")),
    )


# --- into a bucket ----------------------------------------------------------------------------------


def export(client: RDSClient, identifier: str, snapshot_arn: str, prefix: str, to: ArchivePlace) -> Export:
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
            known = exports(client, snapshot_arn) if is_code(error, *_EXPORT_EXISTS) else []
            found = next((one for one in known if one.identifier == identifier), None)
            if found is None:
                raise
            return found
    return export_from(answer)


def exports(client: RDSClient, snapshot_arn: str) -> list[Export]:
    with calling(f"looking at the exports of {snapshot_arn}", SERVICE):
        pages = client.get_paginator("describe_export_tasks").paginate(
            SourceArn=snapshot_arn, PaginationConfig={"PageSize": PAGE}
        )
        rows = [one for page in pages for one in page["ExportTasks"] if one.get("SourceArn") == snapshot_arn]
    never = datetime.min.replace(tzinfo=UTC)
    return [export_from(one) for one in sorted(rows, key=lambda one: one.get("TaskStartTime") or never)]


def export_from(one: ExportTaskTypeDef | ExportTaskResponseTypeDef) -> Export:
    return Export(
        identifier=one.get("ExportTaskIdentifier", ""),
        snapshot_arn=one.get("SourceArn", ""),
        status=one.get("Status", "unknown").lower(),
        bucket=one.get("S3Bucket", ""),
        prefix=one.get("S3Prefix", ""),
        percent=one.get("PercentProgress", 0),
        problem=one.get("FailureCause", "") or "",
    )
