"""The AWS calls that we make ourselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from controlplane.domain.migration.evidence import Redeployment


@dataclass(frozen=True)
class SecretRef:
    arn: str
    name: str
    created: bool  # False: it was there, with our tags


@dataclass(frozen=True)
class DatabaseInstance:
    identifier: str
    resource_id: str
    arn: str
    status: str
    instance_class: str
    engine_version: str
    storage_gb: int
    max_storage_gb: int | None
    multi_az: bool
    public: bool
    encrypted: bool
    deletion_protection: bool
    backup_retention_days: int
    endpoint: str | None
    port: int | None
    master_username: str
    kms_key_id: str | None = None
    pending: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    ca_identifier: str | None = None
    parameter_group: str | None = None
    parameter_status: str | None = None
    engine: str = "postgres"
    database_name: str | None = None  # made at birth; None: none was asked for
    log_exports: Sequence[str] = ()
    replicas: Sequence[str] = ()  # that read from it
    extended_support: bool | None = None  # after the engine's end of life, for money; None: not known


@dataclass(frozen=True)
class Snapshot:
    identifier: str
    arn: str
    database: str
    status: str
    storage_gb: int
    engine_version: str
    encrypted: bool
    kms_key_id: str | None
    created_at: datetime | None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BackupWindow:
    """The automated backups of one instance, which may be gone: what a point-in-time restore can reach."""

    identifier: str
    resource_id: str
    arn: str
    kms_key_id: str | None
    storage_gb: int
    earliest: datetime | None  # None: nothing can be restored yet
    latest: datetime | None


@dataclass(frozen=True)
class BlueGreen:
    """A blue/green deployment: a database, and the side that follows it until the switchover."""

    identifier: str
    name: str
    status: str  # provisioning, available, switchover_in_progress, switchover_completed, switchover_failed …
    blue: str  # identifiers of the two instances; what was blue is blue still when it is the old side
    green: str
    detail: str = ""


@dataclass(frozen=True)
class ArchivePlace:
    """Where snapshots are exported to, by whom, and under which key."""

    bucket: str
    role_arn: str
    key_arn: str


@dataclass(frozen=True)
class Export:
    """The rows of a snapshot on their way into a bucket, or there."""

    identifier: str
    snapshot_arn: str
    status: str  # starting, in_progress, complete, failed, canceling, canceled
    bucket: str
    prefix: str
    percent: int = 0
    problem: str = ""


class Cloud(Protocol):
    """The AWS calls that we make ourselves. Safe to repeat: names are deterministic, "already exists"
    is answered by a look at our ownership tags, and throttling is retried with back-off inside."""

    def acting_for(self, operation: str) -> Cloud:
        """The same AWS, whose own log shows this operation as the session of what is called."""
        ...

    def identity(self) -> Mapping[str, str]:
        """Account, ARN and region that we act as."""
        ...

    def ensure_secret(self, name: str, value: str, tags: Mapping[str, str], token: str) -> SecretRef:
        """Create the secret with this value unless it is there with our tags; never overwrites."""
        ...

    def read_secret(self, name: str) -> str: ...

    def write_secret(self, name: str, value: str, token: str) -> None: ...

    def secret_exists(self, name: str) -> bool: ...

    def delete_secret(self, name: str) -> None:
        """Schedule its deletion (recovery window); gone already is fine."""
        ...

    def write_parameter(self, name: str, value: str) -> None: ...

    def read_parameter(self, name: str) -> str | None: ...

    def keep_object(self, bucket: str, key: str, file: str, sha256: str) -> None:
        """Put a file into a bucket under this key, with its digest beside it."""
        ...

    def object_digest(self, bucket: str, key: str) -> str | None:
        """SHA-256 of what lies there, read whole; None: nothing does."""
        ...

    def database(self, identifier: str) -> DatabaseInstance | None: ...

    def databases(self) -> Sequence[DatabaseInstance]:
        """The whole fleet, 100 a page."""
        ...

    def create_snapshot(self, identifier: str, database: str, tags: Mapping[str, str]) -> Snapshot: ...

    def copy_snapshot(self, source: str, identifier: str, kms_key: str, tags: Mapping[str, str]) -> Snapshot:
        """The same rows under another key."""
        ...

    def snapshot(self, identifier: str) -> Snapshot | None: ...

    def snapshots(self, database: str | None = None) -> Sequence[Snapshot]: ...

    def delete_snapshot(self, identifier: str) -> None: ...

    def export_snapshot(self, identifier: str, snapshot_arn: str, prefix: str, to: ArchivePlace) -> Export:
        """Begin to export it; one of this name that was begun already is answered as it is."""
        ...

    def exports(self, snapshot_arn: str) -> Sequence[Export]:
        """All that were ever begun of it, oldest first."""
        ...

    def backup_window(self, resource_id: str) -> BackupWindow | None:
        """Of an instance that is there, or that is gone and whose backups were kept; None: there are none."""
        ...

    def start_database(self, identifier: str) -> None: ...

    def stop_database(self, identifier: str) -> None: ...

    def begin_blue_green(
        self, name: str, database: str, instance_class: str, tags: Mapping[str, str]
    ) -> BlueGreen:
        """Begin to make a side of this class that follows the database, which is ours; one of this name is
        answered as it is."""
        ...

    def blue_green(self, name: str) -> BlueGreen | None: ...

    def switch_over(self, name: str, seconds: int) -> None:
        """Give the green side name and address of the blue one, or leave all as it is when it takes longer.
        Under way or done already is fine."""
        ...

    def end_blue_green(self, name: str) -> None:
        """Delete the deployment; before its switchover the green side too, protected or not. The blue side is
        left as it is, whatever its name by now. Gone already is fine."""
        ...

    def delete_database(self, identifier: str) -> None:
        """For good and without a snapshot, protected or not; what point-in-time restore reaches stays.
        Gone or going already is fine; refuses what is not ours."""
        ...

    def redeploy(self, cluster: str, service: str) -> Redeployment:
        """Its tasks begin anew, one after the other; a service that is not there is told, not raised."""
        ...

    def peak_connections(self, identifier: str, days: int) -> int | None:
        """The most connections that CloudWatch saw; None: it has no measurement."""
        ...

    def orderable_classes(self, engine_version: str) -> frozenset[str]:
        """Instance classes that this region sells for this version of PostgreSQL."""
        ...

    def tagged_resources(self, tags: Mapping[str, str]) -> Sequence[str]:
        """ARNs of everything that carries these tags."""
        ...
