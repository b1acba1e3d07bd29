"""What RDS refuses, so that nobody learns it first on the real one. Each refusal has AWS's error code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from moto.core.exceptions import ServiceException

from controlplane.sandbox.aws import facts

Values = Mapping[str, Any]


class AwsRefusal(ServiceException):  # type: ignore[misc]
    """An error answer as RDS gives it: a code and a message, status 400."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)


def invalid_value(message: str) -> AwsRefusal:
    return AwsRefusal("InvalidParameterValue", message)


def invalid_combination(message: str) -> AwsRefusal:
    return AwsRefusal("InvalidParameterCombination", message)


def invalid_state(message: str) -> AwsRefusal:
    return AwsRefusal("InvalidDBInstanceState", message)


def check_password(password: str) -> None:
    intro = "The parameter MasterUserPassword is not a valid password"
    if len(password) < 8:
        raise invalid_value(f"{intro} because it is shorter than 8 characters.")
    if len(password) > 128:
        raise invalid_value(f"{intro} because it is longer than 128 characters.")
    if not re.fullmatch(r"[!-~]+", password) or set(password) & set('/@"'):
        raise invalid_value(
            f"{intro}. Only printable ASCII characters besides '/', '@', '\"', ' ' may be used."
        )


def check_username(username: str | None) -> None:
    if not username:
        raise invalid_value("The parameter MasterUsername must be provided and must not be blank.")
    if username.lower() in facts.RESERVED_USERNAMES or username.lower().startswith("pg_"):
        raise invalid_value(
            f"MasterUsername {username} cannot be used as it is a reserved word used by the engine"
        )
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", username):
        raise invalid_value("The parameter MasterUsername is not a valid identifier.")


def check_database_name(name: str | None) -> None:
    if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", name):
        raise invalid_value(
            "DBName must begin with a letter or underscore and contain only alphanumeric characters."
        )


def check_version(asked: str | None) -> str:
    version = facts.resolve_version(asked)
    if version is None:
        raise invalid_combination(f"Cannot find version {asked} for postgres")
    return version


def check_class(instance_class: str | None, version: str) -> None:
    if not instance_class:
        raise invalid_value("The parameter DBInstanceClass must be provided and must not be blank.")
    if not re.fullmatch(r"db\.[a-z0-9]+\.[a-z0-9]+", instance_class):
        raise invalid_value(f"Invalid DB Instance class: {instance_class}")
    if instance_class not in facts.CLASSES:
        raise invalid_combination(
            "RDS does not support creating a DB instance with the following combination: "
            f"DBInstanceClass={instance_class}, Engine=postgres, EngineVersion={version}, "
            f"LicenseModel={facts.LICENSE}. For supported combinations of instance class and database "
            "engine version, see the documentation."
        )


def check_storage(values: Values) -> None:
    """Size, type and tuning of the storage that an instance is to have."""
    kind = values.get("storage_type") or "gp2"
    if kind not in facts.STORAGE_MINIMUM_GB:
        raise invalid_value(f"Invalid storage type: {kind}")
    size = int(values.get("allocated_storage") or 0)
    if not facts.STORAGE_MINIMUM_GB[kind] <= size <= facts.STORAGE_MAXIMUM_GB:
        raise invalid_value(f"Invalid storage size for engine name postgres and storage type {kind}: {size}")
    if kind == "gp3" and size < facts.GP3_TUNABLE_FROM_GB and _tunes_gp3(values):
        raise invalid_combination(
            "You can't specify IOPS or storage throughput for engine postgres and a storage size less than "
            f"{facts.GP3_TUNABLE_FROM_GB}."
        )
    ceiling = values.get("max_allocated_storage")
    if ceiling and int(ceiling) != size and int(ceiling) < size * 1.1:
        raise invalid_combination(
            f"Max storage size must be at least 10% greater than the storage size: {ceiling} for {size}"
        )


def _tunes_gp3(values: Values) -> bool:
    """AWS shows 3000 and 125 for small gp3 volumes, and lets a client say just these."""
    return int(values.get("iops") or 3000) != 3000 or int(values.get("storage_throughput") or 125) != 125


def check_retention(days: int | None) -> None:
    if days is not None and not 0 <= int(days) <= 35:
        raise invalid_value(f"Invalid backup retention period: {days}. Must be between 0 and 35, inclusive.")


def check_port(port: int | None) -> None:
    if port is not None and not 1150 <= int(port) <= 65535:
        raise invalid_value(f"Invalid port: {port}. Valid range is 1150-65535.")


def check_family(family: str | None, group: str, version: str) -> None:
    wanted = f"postgres{facts.major(version)}"
    if family and family != wanted:
        raise invalid_combination(
            f"The Parameter Group {group} with DBParameterGroupFamily {family} can't be used for this "
            f"instance. Please use a Parameter Group with DBParameterGroupFamily {wanted}"
        )


def check_quota(held: int, quota: int) -> None:
    if held >= quota:
        raise AwsRefusal(
            "InstanceQuotaExceeded",
            f"Cannot create more than {quota} DB instances in this region: the quota is reached",
        )


def grown_storage(current: int, asked: int | None) -> int | None:
    """The size that RDS takes for the asked one: no shrink, and at least ten per cent more."""
    if asked is None or int(asked) == current:
        return None
    if int(asked) < current:
        raise invalid_combination(
            f"Requested storage size ({asked}) cannot be less than the current storage size ({current})"
        )
    return max(int(asked), -(-current * 11 // 10))


def check_storage_cooldown(changed_at: datetime | None, now: datetime, cooldown_seconds: int) -> None:
    if changed_at and now < changed_at + timedelta(seconds=cooldown_seconds):
        raise invalid_combination(
            "You can't currently modify the storage of this DB instance because the previous storage change "
            "is being optimized."
        )


def check_upgrade(current: str, asked: str | None, allow_major: bool) -> str | None:
    if not asked:
        return None
    target = check_version(asked)
    if asked.isdigit() and int(asked) == facts.major(current):
        return None  # "16" asks for what a 16.x already is
    if target == current:
        return None
    if not facts.is_newer(target, current):
        raise invalid_combination(f"Cannot upgrade postgres from {current} to {target}")
    if facts.major(target) != facts.major(current) and not allow_major:
        raise invalid_combination(
            "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version."
        )
    return target


def check_available(status: str, what: str = "Database instance") -> None:
    if status == "stopped":
        raise invalid_state(f"{what} is stopped: a stopped DB instance cannot be changed. Start it first.")
    if status not in ("available", "storage-optimization"):
        raise invalid_state(f"{what} is not in available state: it is {status}.")


def check_delete(status: str, protected: bool, final: str | None, skip: bool) -> None:
    if status in ("deleting", "creating"):
        raise invalid_state(f"Instance is already being {'deleted' if status == 'deleting' else 'created'}.")
    if protected:
        raise invalid_combination(
            "Cannot delete protected DB Instance, please disable deletion protection and try again."
        )
    if final and skip:
        raise invalid_combination(
            "FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is true."
        )
    if not final and not skip:
        raise invalid_combination(
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        )


def check_new(values: Values) -> None:
    """A new instance's own values, one after the other as RDS does."""
    check_username(values.get("master_username"))
    password = values.get("master_user_password")
    if not values.get("manage_master_user_password"):
        if not password:
            raise invalid_value("The parameter MasterUserPassword must be provided and must not be blank.")
        check_password(password)
    check_database_name(values.get("db_name"))
    check_shape(values)


def check_shape(values: Values) -> None:
    """What a new and a restored instance have in common."""
    check_class(values.get("db_instance_class"), values["engine_version"])
    check_storage(values)
    check_retention(values.get("backup_retention_period"))
    check_port(values.get("port"))
