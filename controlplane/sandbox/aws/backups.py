"""Automated backups: the windows that a point-in-time restore can reach, of live and of deleted instances."""

from __future__ import annotations

import copy
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from moto.core.utils import utcnow
from moto.rds.exceptions import DBInstanceNotFoundError

from controlplane.sandbox.aws import rules
from controlplane.sandbox.aws.instance import SandboxInstance

if TYPE_CHECKING:
    from controlplane.sandbox.aws.work import Works


@dataclass
class AutomatedBackup:
    """The history of one instance. `ended_at` is set once the instance is gone and its backups were kept."""

    database: SandboxInstance
    ended_at: datetime | None = None

    @property
    def resource_id(self) -> str:
        return str(self.database.dbi_resource_id)

    @property
    def arn(self) -> str:
        prefix = str(self.database.arn).rsplit(":db:", 1)[0]
        return f"{prefix}:auto-backup:ab-{self.resource_id.removeprefix('db-').lower()}"

    def window(self, now: datetime) -> tuple[datetime, datetime]:
        latest = self.ended_at or now
        oldest = now - timedelta(days=int(self.database.backup_retention_period or 0))
        return max(self.database.born_at or latest, oldest), latest

    def row(self) -> dict[str, Any]:
        """As DescribeDBInstanceAutomatedBackups shows it."""
        db = self.database
        earliest, latest = self.window(utcnow())
        return {
            "DBInstanceArn": db.arn,
            "DbiResourceId": self.resource_id,
            "Region": db.region,
            "DBInstanceIdentifier": db.db_instance_identifier,
            "RestoreWindow": {"EarliestTime": earliest, "LatestTime": latest},
            "AllocatedStorage": db.allocated_storage,
            "Status": "retained" if self.ended_at else "active",
            "Port": db.port,
            "AvailabilityZone": db.availability_zone,
            "InstanceCreateTime": db.instance_create_time,
            "MasterUsername": db.master_username,
            "Engine": db.engine,
            "EngineVersion": db.engine_version,
            "LicenseModel": db.license_model,
            "Encrypted": bool(db.storage_encrypted),
            "StorageType": db.storage_type,
            "KmsKeyId": db.kms_key_id,
            "BackupRetentionPeriod": db.backup_retention_period,
            "DBInstanceAutomatedBackupsArn": self.arn,
            "BackupTarget": "region",
            "TagList": db.tags,
        }


class RetainedBackups:
    """The part of the RDS backend that knows histories."""

    databases: MutableMapping[str, Any]
    retained: dict[str, AutomatedBackup]
    works: ClassVar[Works]

    def retain(self, db: SandboxInstance) -> None:
        self.retained[db.dbi_resource_id] = AutomatedBackup(copy.copy(db), utcnow())

    def automated_backups(self) -> list[AutomatedBackup]:
        live = [db for db in self.databases.values() if isinstance(db, SandboxInstance)]
        active = [AutomatedBackup(db) for db in live if db.backup_retention_period and db.born_at]
        return [*active, *self.retained.values()]

    def source_of(self, identifier: str | None, asked: MutableMapping[str, Any]) -> AutomatedBackup:
        """What a point-in-time restore names: an instance, a resource id, or the ARN of kept backups."""
        resource_id = asked.pop("source_dbi_resource_id", None)
        arn = asked.pop("source_db_instance_automated_backups_arn", None)
        if identifier:
            asked.pop("source_db_instance_identifier", None)
            if identifier not in self.databases:
                raise DBInstanceNotFoundError(identifier)
            return AutomatedBackup(self.databases[identifier])
        return self.automated_backup(resource_id, arn)

    def automated_backup(self, resource_id: str | None, arn: str | None) -> AutomatedBackup:
        for backup in self.automated_backups():
            if backup.resource_id == resource_id or backup.arn == arn:
                return backup
        raise rules.AwsRefusal(
            "DBInstanceAutomatedBackupNotFound", f"No automated backup {resource_id or arn} was found."
        )

    def check_restorable(self, source: AutomatedBackup, at: datetime | None) -> None:
        if not source.database.backup_retention_period:
            raise rules.AwsRefusal(
                "PointInTimeRestoreNotEnabled", "The source has automated backups turned off."
            )
        if not source.database.born_at or not self.works.clusters.has_history(source.resource_id):
            raise rules.invalid_state("The source has no restorable time yet.")
        earliest, latest = source.window(utcnow())
        if at and not earliest <= _naive(at) <= latest:
            raise rules.AwsRefusal(
                "InvalidRestoreFault",
                f"The restore time is not between {earliest.isoformat()}Z and {latest.isoformat()}Z.",
            )

    def delete_automated_backup(self, resource_id: str | None, arn: str | None) -> dict[str, Any]:
        backup = self.automated_backup(resource_id, arn)
        if not backup.ended_at:
            raise rules.AwsRefusal(
                "InvalidDBInstanceAutomatedBackupState", "The backups of a live instance cannot be deleted."
            )
        self.works.clusters.remove(backup.resource_id, keep_history=False)
        del self.retained[backup.resource_id]
        return backup.row() | {"Status": "deleting"}

    def automated_backup_rows(self, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
        rows = [backup.row() for backup in self.automated_backups()]
        return [row for row in rows if all(row[name] == value for name, value in wanted.items() if value)]


def _naive(at: datetime) -> datetime:
    """moto's clock is UTC without saying so."""
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
