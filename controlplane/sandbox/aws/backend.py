"""RDS as the sandbox plays it: moto's backend, with AWS's refusals, its waiting, and a real PostgreSQL."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from moto.core.utils import utcnow
from moto.rds.exceptions import (
    DBInstanceAlreadyExists,
    DBInstanceNotFoundError,
    DBParameterGroupNotFoundError,
    DBSnapshotAlreadyExistsError,
    SnapshotQuotaExceededFault,
)
from moto.rds.models import DBSnapshot

from controlplane.sandbox.aws import facts, rules
from controlplane.sandbox.aws.answers import RdsAnswers
from controlplane.sandbox.aws.backups import AutomatedBackup, RetainedBackups
from controlplane.sandbox.aws.bluegreen import BlueGreen
from controlplane.sandbox.aws.instance import DEFERRED, SandboxInstance
from controlplane.sandbox.aws.work import Task, Works

# What a restored instance takes from the one that the copy came from; the rest are RDS's defaults.
_INHERITED = (
    "engine",
    "engine_version",
    "allocated_storage",
    "storage_type",
    "iops",
    "db_name",
    "master_username",
    "license_model",
    "character_set_name",
    "backup_retention_period",
    "preferred_backup_window",
    "preferred_maintenance_window",
    "auto_minor_version_upgrade",
    "db_instance_class",
    "port",
)


class SandboxRds(RetainedBackups, BlueGreen):
    works: ClassVar[Works]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.tasks: list[Task] = []
        self.retained: dict[str, AutomatedBackup] = {}

    @property
    def SNAPSHOT_QUOTA(self) -> int:  # noqa: N802 - moto's name
        return self.works.options.snapshot_quota

    @property
    def url_paths(self) -> dict[str, Callable[..., Any]]:
        return {"/": RdsAnswers.dispatch}

    # --- create -------------------------------------------------------------------------------------

    def create_db_instance(self, db_kwargs: Mapping[str, Any]) -> Any:
        values = dict(db_kwargs.items())
        if self.green_of is not None:
            return self._begin_green(values, self.green_of)
        if values.get("db_cluster_identifier") or values.get("engine") != facts.ENGINE:
            return super().create_db_instance(
                values
            )  # only PostgreSQL instances have a PostgreSQL behind them
        if values.get("manage_master_user_password"):
            raise rules.invalid_combination(
                "The sandbox keeps no managed master passwords: give one yourself."
            )
        values["engine_version"] = rules.check_version(values.get("engine_version"))
        values["allocated_storage"] = int(values.get("allocated_storage") or 20)
        self._check_identifier(values["db_instance_identifier"])
        rules.check_new(values)
        return self._begin(values, "create")

    def _begin(self, values: dict[str, Any], kind: str, **task_values: Any) -> SandboxInstance:
        """An instance that is being made: known at once, answering later."""
        rules.check_quota(len(self.databases), self.works.options.instance_quota)
        self._complete(values)
        instance = SandboxInstance(self, **values)
        self._check_group(instance.db_parameter_group_name, instance.engine_version)
        self.databases[instance.db_instance_identifier] = instance
        instance.add_event("DB_INSTANCE_CREATE")
        self.works.submit(self.tasks, Task(kind, instance, values=task_values))
        return instance

    def _complete(self, values: dict[str, Any]) -> None:
        values.setdefault("license_model", facts.LICENSE)
        values["ca_certificate_identifier"] = values.get("ca_certificate_identifier") or "rds-ca-rsa2048-g1"
        if values.get("storage_type") == "gp3":
            values["iops"] = values.get("iops") or 3000
            values["storage_throughput"] = values.get("storage_throughput") or 125
        if values.get("kms_key_id"):
            values["kms_key_id"] = self._validate_kms_key(values["kms_key_id"])
            values["storage_encrypted"] = True
        elif values.get("storage_encrypted"):
            values["kms_key_id"] = self._validate_kms_key("alias/aws/rds")
        for name in [name for name, value in values.items() if value is None]:
            del values[name]

    def _check_identifier(self, identifier: str) -> None:
        self._validate_db_identifier(identifier)
        if identifier in self.databases:
            raise DBInstanceAlreadyExists()

    def _check_group(self, name: str | None, version: str) -> None:
        if not name or name.startswith("default."):
            return
        if name not in self.db_parameter_groups:
            raise DBParameterGroupNotFoundError(name)
        rules.check_family(self.db_parameter_groups[name].family, name, version)

    # --- restore ------------------------------------------------------------------------------------

    def restore_db_instance_from_db_snapshot(
        self, from_snapshot_id: str, overrides: Mapping[str, Any]
    ) -> SandboxInstance:
        if from_snapshot_id.startswith("arn:"):
            from_snapshot_id = self.extract_snapshot_name_from_arn(from_snapshot_id)
        snapshot = self.get_db_snapshot(from_snapshot_id)
        if snapshot.status != "available":
            raise rules.AwsRefusal(
                "InvalidDBSnapshotState", f"Snapshot {from_snapshot_id} is {snapshot.status}."
            )
        values = self._inherit(snapshot.database, overrides, snapshot.allocated_storage)
        values |= {"storage_encrypted": snapshot.encrypted, "kms_key_id": snapshot.kms_key_id}
        self._check_identifier(values["db_instance_identifier"])
        rules.check_shape(values)
        return self._begin(values, "restore", copy=snapshot.copy_id)

    def restore_db_instance_to_point_in_time(
        self, source_db_identifier: str | None, target_db_identifier: str, overrides: Mapping[str, Any]
    ) -> SandboxInstance:
        asked = dict(overrides.items())
        source = self.source_of(source_db_identifier, asked)
        at = asked.pop("restore_time", None)
        if bool(at) == bool(asked.pop("use_latest_restorable_time", None)):
            raise rules.invalid_combination("Give either RestoreTime or UseLatestRestorableTime.")
        self.check_restorable(source, at)
        values = self._inherit(source.database, asked, source.database.allocated_storage)
        values |= {
            "storage_encrypted": source.database.storage_encrypted,
            "kms_key_id": source.database.kms_key_id,
        }
        values["db_instance_identifier"] = target_db_identifier
        self._check_identifier(target_db_identifier)
        rules.check_shape(values)
        return self._begin(values, "rewind", source=source.resource_id, at=at)

    @staticmethod
    def _inherit(database: SandboxInstance, overrides: Mapping[str, Any], size_gb: int) -> dict[str, Any]:
        values = {name: copy.copy(getattr(database, name)) for name in _INHERITED}
        values |= {name: value for name, value in overrides.items() if value is not None}
        if int(values["allocated_storage"]) < size_gb:
            raise rules.invalid_value("The allocated storage size can't be less than the source's size.")
        values.pop("master_user_password", None)
        return values

    def create_db_instance_read_replica(self, db_kwargs: Mapping[str, Any]) -> SandboxInstance:
        values = dict(db_kwargs.items())
        source = self.find_db_from_id(values["source_db_instance_identifier"])
        rules.check_available(source.status)
        if not source.backup_retention_period:
            raise rules.invalid_state("Automated backups are not enabled for this database instance.")
        values = self._inherit(source, values, source.allocated_storage)
        values |= {"storage_encrypted": source.storage_encrypted, "kms_key_id": source.kms_key_id}
        self._check_identifier(values["db_instance_identifier"])
        values["backup_retention_period"] = db_kwargs.get("backup_retention_period") or 0
        rules.check_shape(values)
        replica = self._begin(values, "replicate", source=source.dbi_resource_id)
        replica.set_as_replica()
        source.add_replica(replica)
        return replica

    def _begin_green(self, values: dict[str, Any], blue: SandboxInstance) -> SandboxInstance:
        asked = values["engine_version"]
        values["engine_version"] = (
            rules.check_upgrade(blue.engine_version, asked, False) or blue.engine_version
        )
        rules.check_shape(values)
        green = self._begin(values, "follow", source=blue.dbi_resource_id)
        green.follows = blue.dbi_resource_id
        return green

    # --- modify -------------------------------------------------------------------------------------

    def modify_db_instance(
        self, db_instance_identifier: str, db_kwargs: Mapping[str, Any]
    ) -> SandboxInstance:
        db = self._find(db_instance_identifier)
        if not isinstance(db, SandboxInstance):
            return super().modify_db_instance(db_instance_identifier, dict(db_kwargs.items()))
        asked = {name: value for name, value in db_kwargs.items() if value is not None}
        rules.check_available(db.status)
        now = bool(asked.pop("apply_immediately", False))
        wanted = self._checked(db, asked)
        later = {name: value for name, value in wanted.items() if name in DEFERRED}
        self._apply_at_once(db, {name: value for name, value in wanted.items() if name not in DEFERRED})
        db.waiting.update(later)
        self._carry_out(db, dict(db.waiting) if now else {n: v for n, v in later.items() if "password" in n})
        return db

    def _carry_out(self, db: SandboxInstance, values: dict[str, Any]) -> None:
        if values:
            only_password = set(values) == {"master_user_password"}
            db.status = "resetting-master-credentials" if only_password else "modifying"
            self.works.submit(self.tasks, Task("modify", db, values=values))

    def _checked(self, db: SandboxInstance, asked: dict[str, Any]) -> dict[str, Any]:
        """The changes that were really asked for, each allowed."""
        version = rules.check_upgrade(
            db.engine_version,
            asked.pop("engine_version", None),
            bool(asked.get("allow_major_version_upgrade")),
        )
        wanted = {name: value for name, value in asked.items() if _differs(db, name, value)}
        if version:
            wanted["engine_version"] = version
        if "master_user_password" in wanted:
            rules.check_password(wanted["master_user_password"])
        if "new_db_instance_identifier" in wanted:
            self._check_identifier(wanted["new_db_instance_identifier"])
        size = rules.grown_storage(db.allocated_storage, wanted.pop("allocated_storage", None))
        if size:
            wanted["allocated_storage"] = size
        if {"allocated_storage", "storage_type", "iops", "storage_throughput"} & set(wanted):
            cooldown = self.works.options.storage_cooldown_seconds
            rules.check_storage_cooldown(db.storage_changed_at, utcnow(), cooldown)
        shape = {name: getattr(db, name) for name in ("db_instance_class", "engine_version", "storage_type")}
        shape |= {name: getattr(db, name) for name in ("allocated_storage", "iops", "max_allocated_storage")}
        rules.check_shape({**shape, **wanted})
        self._check_group(
            wanted.get("db_parameter_group_name"), wanted.get("engine_version") or db.engine_version
        )
        return wanted

    def _apply_at_once(self, db: SandboxInstance, values: dict[str, Any]) -> None:
        values.pop("allow_major_version_upgrade", None)
        group = values.get("db_parameter_group_name")
        super().modify_db_instance(db.db_instance_identifier, values)
        if group:
            db.parameter_apply_status = "pending-reboot"

    def open_maintenance_window(self, identifier: str) -> SandboxInstance:
        """What the weekly window would do: carry out what waits."""
        db = self._find(identifier)
        rules.check_available(db.status)
        self._carry_out(db, dict(db.waiting))
        return db

    def modify_db_parameter_group(
        self, db_parameter_group_name: str, db_parameter_group_parameters: Any
    ) -> Any:
        group = super().modify_db_parameter_group(db_parameter_group_name, db_parameter_group_parameters)
        for db in self.databases.values():
            if isinstance(db, SandboxInstance) and db.db_parameter_group_name == db_parameter_group_name:
                db.follow_parameters()
        return group

    # --- running ------------------------------------------------------------------------------------

    def reboot_db_instance(self, db_instance_identifier: str) -> SandboxInstance:
        db = self._find(db_instance_identifier)
        rules.check_available(db.status)
        return self._set_off(db, "reboot", "rebooting")

    def stop_db_instance(
        self, db_instance_identifier: str, db_snapshot_identifier: str | None = None
    ) -> SandboxInstance:
        db = self._find(db_instance_identifier)
        rules.check_available(db.status)
        if db.is_replica or db.replicas:
            raise rules.invalid_state("Cannot stop an instance that is or has a read replica.")
        snapshot = self._new_snapshot(db, db_snapshot_identifier) if db_snapshot_identifier else None
        return self._set_off(db, "stop", "stopping", snapshot)

    def start_db_instance(self, db_instance_identifier: str) -> SandboxInstance:
        db = self._find(db_instance_identifier)
        if db.status != "stopped":
            raise rules.invalid_state(
                f"Instance {db_instance_identifier} is not stopped, it cannot be started."
            )
        return self._set_off(db, "start", "starting")

    def delete_db_instance(
        self,
        db_instance_identifier: str,
        final_db_snapshot_identifier: str | None = None,
        skip_final_snapshot: bool | None = False,
        delete_automated_backups: bool | None = True,
    ) -> SandboxInstance:
        db = self._find(db_instance_identifier)
        final, skip = final_db_snapshot_identifier, bool(skip_final_snapshot)
        rules.check_delete(db.status, db.deletion_protection, final, skip)
        if not isinstance(db, SandboxInstance):
            return super().delete_db_instance(db_instance_identifier, final, skip, delete_automated_backups)
        snapshot = self._new_snapshot(db, final) if final else None
        keep = delete_automated_backups is False and bool(db.backup_retention_period)
        return self._set_off(db, "delete", "deleting", snapshot, keep_backups=keep)

    def _set_off(
        self, db: SandboxInstance, kind: str, status: str, snapshot: Any = None, **values: Any
    ) -> SandboxInstance:
        db.status = status
        self.works.submit(self.tasks, Task(kind, db, snapshot, values))
        return db

    def forget_instance(self, db: SandboxInstance, *, keep_backups: bool) -> None:
        """The last step of a deletion."""
        self.databases.pop(db.db_instance_identifier, None)
        if keep_backups:
            self.retain(db)
        for other in self.databases.values():
            if db.db_instance_identifier in other.replicas:
                other.remove_replica(db)

    # --- snapshots ----------------------------------------------------------------------------------

    def create_db_snapshot(
        self, db_instance_identifier: str, db_snapshot_identifier: str, **kwargs: Any
    ) -> DBSnapshot:
        db = self._find(db_instance_identifier)
        if not isinstance(db, SandboxInstance):
            return super().create_db_snapshot(db_instance_identifier, db_snapshot_identifier, **kwargs)
        rules.check_available(db.status)
        snapshot = self._new_snapshot(db, db_snapshot_identifier, kwargs.get("tags"))
        self._set_off(db, "snapshot", "backing-up", snapshot)
        return snapshot

    def _new_snapshot(self, db: SandboxInstance, identifier: str, tags: Any = None) -> DBSnapshot:
        if identifier in self.database_snapshots:
            raise DBSnapshotAlreadyExistsError(identifier)
        manual = [s for s in self.database_snapshots.values() if s.snapshot_type == "manual"]
        if len(manual) >= self.SNAPSHOT_QUOTA:
            raise SnapshotQuotaExceededFault()
        snapshot = DBSnapshot(self, db, identifier, tags=tags)
        return self._register(snapshot)

    def _register(self, snapshot: DBSnapshot) -> DBSnapshot:
        snapshot.copy_id = uuid.uuid4().hex
        snapshot.status = "creating"
        snapshot.percent_progress = 0
        for name in ("storage_type", "iops", "storage_throughput", "license_model"):
            setattr(snapshot, name, getattr(snapshot.database, name, None))
        self.database_snapshots[snapshot.db_snapshot_identifier] = snapshot
        return snapshot

    def copy_db_snapshot(
        self, source_db_snapshot_identifier: str, target_db_snapshot_identifier: str, **kwargs: Any
    ) -> DBSnapshot:
        if source_db_snapshot_identifier.startswith("arn:"):
            source_db_snapshot_identifier = self.extract_snapshot_name_from_arn(source_db_snapshot_identifier)
        source = self.get_db_snapshot(source_db_snapshot_identifier)
        if source.status != "available":
            raise rules.AwsRefusal("InvalidDBSnapshotState", f"The snapshot is {source.status}.")
        made = super().copy_db_snapshot(
            source_db_snapshot_identifier, target_db_snapshot_identifier, **kwargs
        )
        self._register(made)
        self.works.submit(self.tasks, Task("copy", made.database, made, {"copy": source.copy_id}))
        return made

    def delete_db_snapshot(self, db_snapshot_identifier: str) -> DBSnapshot:
        snapshot = self.get_db_snapshot(db_snapshot_identifier)
        if snapshot.status not in ("available", "failed"):
            raise rules.AwsRefusal("InvalidDBSnapshotState", f"The snapshot is {snapshot.status}.")
        if hasattr(snapshot, "copy_id"):
            self.works.clusters.remove_back_up(snapshot.copy_id)
        return super().delete_db_snapshot(db_snapshot_identifier)

    # --- inner --------------------------------------------------------------------------------------

    def _find(self, identifier: str) -> SandboxInstance:
        self._validate_db_identifier(identifier)
        if identifier not in self.databases:
            raise DBInstanceNotFoundError(identifier)
        return self.databases[identifier]  # type: ignore[no-any-return]


def _differs(db: SandboxInstance, name: str, value: Any) -> bool:
    if name in ("master_user_password", "new_db_instance_identifier"):
        return True
    if isinstance(value, datetime):
        return True
    current = getattr(db, {"db_port_number": "port"}.get(name, name), None)
    return bool(current != value)
