"""Automated backups: what a point-in-time restore reaches, of living instances and of those that are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from controlplane.adapters.aws.errors import calling, is_code
from controlplane.adapters.aws.rds.databases import SERVICE
from controlplane.ports import BackupWindow

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_rds.type_defs import DBInstanceAutomatedBackupTypeDef

NOT_FOUND = "DBInstanceAutomatedBackupNotFound"


def window(client: RDSClient, resource_id: str) -> BackupWindow | None:
    with calling(f"looking at the backups of {resource_id}", SERVICE):
        try:
            answer = client.describe_db_instance_automated_backups(DbiResourceId=resource_id)
        except ClientError as error:
            if is_code(error, NOT_FOUND):
                return None
            raise
    found = answer["DBInstanceAutomatedBackups"]
    return from_answer(found[0]) if found else None


def from_answer(one: DBInstanceAutomatedBackupTypeDef) -> BackupWindow:
    reach = one.get("RestoreWindow", {})
    return BackupWindow(
        identifier=one.get("DBInstanceIdentifier", ""),
        resource_id=one.get("DbiResourceId", ""),
        arn=one.get("DBInstanceAutomatedBackupsArn", ""),
        kms_key_id=one.get("KmsKeyId"),
        storage_gb=one.get("AllocatedStorage", 0),
        earliest=reach.get("EarliestTime"),
        latest=reach.get("LatestTime"),
    )
