"""A sandbox of a test's own, and the shortest way to ask it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import psycopg
from botocore.config import Config
from botocore.exceptions import ClientError

from controlplane.sandbox import lifecycle
from controlplane.sandbox.lifecycle import SandboxInfo
from controlplane.sandbox.options import SandboxOptions

PATIENCE_SECONDS = 60
PASSWORD = "Legal-pass-1"
QUICK = SandboxOptions(delay_seconds=0.3, metrics_seconds=60, storage_cooldown_seconds=0)


@dataclass
class Stage:
    info: SandboxInfo

    def client(self, service: str, key: str = "sandbox", *, checked: bool = True, **session: Any) -> Any:
        """`checked`: botocore refuses by itself what AWS would refuse."""
        return boto3.client(
            service,
            region_name=self.info.region,
            endpoint_url=self.info.endpoint_url,
            aws_access_key_id=key,
            aws_secret_access_key=session.pop("secret", "sandbox"),
            config=Config(
                retries={"total_max_attempts": 1},
                connect_timeout=5,
                read_timeout=30,
                parameter_validation=checked,
            ),
            **session,
        )

    @property
    def rds(self) -> Any:
        return self.client("rds")

    def create(self, identifier: str, *, wait: bool = True, **values: Any) -> dict[str, Any]:
        made = self.rds.create_db_instance(**create_values(identifier, **values))["DBInstance"]
        return self.until(identifier) if wait else made

    def look(self, identifier: str) -> dict[str, Any]:
        return dict(self.rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0])

    def until(self, identifier: str, status: str = "available") -> dict[str, Any]:
        until(lambda: self.look(identifier)["DBInstanceStatus"] == status, f"{identifier} {status}")
        return self.look(identifier)

    def gone(self, identifier: str) -> None:
        until(lambda: self._is_gone(identifier), f"{identifier} gone")

    def _is_gone(self, identifier: str) -> bool:
        try:
            self.look(identifier)
        except ClientError as error:
            return code(error) == "DBInstanceNotFound"
        return False

    def snapshot(self, identifier: str, of: str) -> dict[str, Any]:
        self.rds.create_db_snapshot(DBSnapshotIdentifier=identifier, DBInstanceIdentifier=of)
        return self.snapshot_until(identifier)

    def snapshot_until(self, identifier: str) -> dict[str, Any]:
        def found() -> dict[str, Any]:
            rows = self.rds.describe_db_snapshots(DBSnapshotIdentifier=identifier)["DBSnapshots"]
            return dict(rows[0])

        until(lambda: found()["Status"] == "available", f"snapshot {identifier}")
        return found()

    def modify(self, identifier: str, **values: Any) -> dict[str, Any]:
        """Changed at once, and waited for."""
        self.rds.modify_db_instance(DBInstanceIdentifier=identifier, ApplyImmediately=True, **values)
        return self.until(identifier)


def create_values(identifier: str, **values: Any) -> dict[str, Any]:
    usual = {
        "DBInstanceIdentifier": identifier,
        "DBInstanceClass": "db.t4g.micro",
        "Engine": "postgres",
        "EngineVersion": "16.8",
        "AllocatedStorage": 20,
        "StorageType": "gp3",
        "MasterUsername": "boss",
        "MasterUserPassword": PASSWORD,
        "DBName": "app",
        "BackupRetentionPeriod": 7,
    }
    return {**usual, **values}


def stage(**options: Any) -> Iterator[Stage]:
    """A running sandbox in a folder of its own that is gone afterwards."""
    with folder() as place:
        yield Stage(lifecycle.start(place, replace(QUICK, **options)))


@contextmanager
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="sandbox-") as name:
        place = Path(name)
        place.chmod(0o711)
        try:
            yield place
        finally:
            lifecycle.reset(place)


def sql(
    instance: dict[str, Any], statement: str, password: str = PASSWORD, user: str = "boss"
) -> list[tuple[Any, ...]]:
    """One statement as one session; the rows, where there are any."""
    place = instance["Endpoint"]
    with psycopg.connect(
        host=place["Address"],
        port=place["Port"],
        user=user,
        password=password,
        dbname="app",
        connect_timeout=10,
        autocommit=True,
    ) as connection:
        done = connection.execute(statement)
        return done.fetchall() if done.description else []


def code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for something that must happen; a test that waits in vain fails."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"never happened: {what}")
        time.sleep(0.05)
