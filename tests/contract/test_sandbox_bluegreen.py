"""A green side that follows its blue one, and a switchover that loses no write that was acknowledged."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from botocore.exceptions import ClientError

from controlplane.sandbox import lifecycle
from tests.contract.sandbox_stage import PASSWORD, Stage, code, sql, stage, until

pytestmark = pytest.mark.postgres
LATER = (0.2, 0.4, 0.7, 1.0, 1.4, 1.8, 2.3)  # seconds into a switchover


@pytest.fixture(scope="module")
def aws() -> Iterator[Stage]:
    yield from stage(switchover_minimum_seconds=1)


@pytest.fixture
def name() -> str:
    return f"db-{uuid4().hex[:8]}"


@dataclass
class Deployment:
    """One of AWS's, of a blue instance called `name`."""

    aws: Stage
    name: str
    identifier: str

    def look(self) -> dict[str, Any]:
        found = self.aws.rds.describe_blue_green_deployments(BlueGreenDeploymentIdentifier=self.identifier)
        return dict(found["BlueGreenDeployments"][0])

    def until(self, status: str) -> dict[str, Any]:
        until(lambda: self.look()["Status"] == status, f"a deployment that is {status}")
        return self.look()

    @property
    def green(self) -> dict[str, Any]:
        return self.aws.look(self.look()["Target"].rpartition(":")[2])

    def switch(self, seconds: int = 30) -> None:
        self.aws.client("rds", checked=False).switchover_blue_green_deployment(
            BlueGreenDeploymentIdentifier=self.identifier, SwitchoverTimeout=seconds
        )

    def delete(self, **values: Any) -> None:
        self.aws.rds.delete_blue_green_deployment(BlueGreenDeploymentIdentifier=self.identifier, **values)


def deploy(aws: Stage, blue: dict[str, Any], **values: Any) -> Deployment:
    name = blue["DBInstanceIdentifier"]
    made = aws.rds.create_blue_green_deployment(
        BlueGreenDeploymentName=name, Source=blue["DBInstanceArn"], **values
    )["BlueGreenDeployment"]
    assert made["Status"] == "PROVISIONING"
    deployment = Deployment(aws, name, made["BlueGreenDeploymentIdentifier"])
    deployment.until("AVAILABLE")
    return deployment


def superuser(aws: Stage, instance: dict[str, Any], statement: str) -> None:
    """As RDS's own administration, which the sandbox keeps for itself."""
    secret = (aws.info.folder / "rdsadmin").read_text()
    sql(instance, statement, password=secret, user="rdsadmin")


@dataclass
class Writer:
    """Inserts one number after the other into what answers at an address, and notes what was acknowledged."""

    place: dict[str, Any]
    acknowledged: list[int] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        number = 0
        while not self.ended.is_set():
            with contextlib.suppress(psycopg.Error), self._connect() as connection:
                while not self.ended.is_set():
                    number += 1
                    connection.execute("insert into written values (%s)", [number])
                    self.acknowledged.append(number)

    def goes_on(self) -> None:
        before = len(self.acknowledged)
        until(lambda: len(self.acknowledged) > before + 50, "further writes")

    def _connect(self) -> psycopg.Connection[Any]:
        host, port = self.place["Address"], self.place["Port"]
        return psycopg.connect(
            host=host, port=port, user="boss", password=PASSWORD, dbname="app", connect_timeout=5,
            autocommit=True, options="-c default_transaction_read_only=off",
        )  # fmt: skip


@contextlib.contextmanager
def writers(instance: dict[str, Any]) -> Iterator[Writer]:
    sql(instance, "create table written (n int)")
    writer = Writer(instance["Endpoint"])
    thread = threading.Thread(target=writer.run, daemon=True)
    thread.start()
    try:
        until(lambda: len(writer.acknowledged) > 50, "writes")
        yield writer
    finally:
        writer.ended.set()
        thread.join(30)


def held(instance: dict[str, Any]) -> list[int]:
    return [row[0] for row in sql(instance, "select n from written order by n")]


def test_green_reads_what_blue_writes_and_takes_no_write(aws: Stage, name: str) -> None:
    blue = aws.create(name)
    deployment = deploy(aws, blue)
    green = deployment.green
    sql(blue, "create table kept as select 1 as n")
    until(lambda: sql(green, "select to_regclass('kept') is not null") == [(True,)], "the table")
    until(lambda: sql(green, "select n from kept") == [(1,)], "the row")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        sql(green, "set default_transaction_read_only = off; insert into kept values (2)")


def test_a_blue_side_that_is_changed_is_still_followed(aws: Stage, name: str) -> None:
    """It lets more connect and listens elsewhere: a standby must find it, and may not allow less."""
    blue = aws.create(name)
    sql(blue, "create table kept as select 1 as n")
    deployment = deploy(aws, blue)
    aws.modify(name, DBInstanceClass="db.t4g.small", DBPortNumber=6432)
    sql(aws.look(name), "insert into kept values (2)")
    until(lambda: sql(deployment.green, "select count(*) from kept") == [(2,)], "the row")


def test_a_switchover_loses_no_acknowledged_write(aws: Stage, name: str) -> None:
    blue = aws.create(name)
    with writers(blue) as writer:
        deployment = deploy(aws, blue, TargetDBInstanceClass="db.t4g.small")
        deployment.switch()
        deployment.until("SWITCHOVER_COMPLETED")
        writer.goes_on()
    green, old = aws.until(name), aws.until(f"{name}-old1")
    assert (green["DBInstanceClass"], green["Endpoint"]) == ("db.t4g.small", blue["Endpoint"])
    assert green["DbiResourceId"] != blue["DbiResourceId"] == old["DbiResourceId"]
    assert set(writer.acknowledged) <= set(held(green))
    assert len(held(green)) == len(set(held(green)))
    assert len(held(old)) < len(held(green))


def test_the_old_side_is_only_read_until_the_deployment_is_deleted(aws: Stage, name: str) -> None:
    blue = aws.create(name)
    sql(blue, "create table kept as select 1 as n")
    deployment = deploy(aws, blue)
    deployment.switch()
    deployment.until("SWITCHOVER_COMPLETED")
    old = aws.until(f"{name}-old1")
    for side in (name, f"{name}-old1"):
        aws.rds.reboot_db_instance(DBInstanceIdentifier=side)
        aws.until(side)
    sql(aws.look(name), "insert into kept values (4)")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        sql(old, "set default_transaction_read_only = off; insert into kept values (2)")
    with pytest.raises(ClientError) as told:
        deployment.delete(DeleteTarget=True)
    assert code(told.value) == "InvalidBlueGreenDeploymentStateFault"
    deployment.delete()
    sql(aws.until(f"{name}-old1"), "insert into kept values (2)")
    assert sql(aws.look(f"{name}-old1"), "select n from kept order by n") == [(1,), (2,)]
    assert sql(aws.look(name), "select n from kept order by n") == [(1,), (4,)]


def test_an_old_side_can_be_deleted_before_its_deployment(aws: Stage, name: str) -> None:
    blue = aws.create(name)
    deployment = deploy(aws, blue)
    deployment.switch()
    deployment.until("SWITCHOVER_COMPLETED")
    aws.rds.delete_db_instance(
        DBInstanceIdentifier=f"{name}-old1",
        FinalDBSnapshotIdentifier=f"{name}-final",
        DeleteAutomatedBackups=False,
    )
    aws.gone(f"{name}-old1")
    deployment.delete()
    aws.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=f"{name}-back", DBSnapshotIdentifier=f"{name}-final"
    )
    sql(aws.until(f"{name}-back"), "create table written (n int)")


def test_a_switchover_that_takes_too_long_leaves_blue_as_it_was(aws: Stage, name: str) -> None:
    blue = aws.create(name)
    deployment = deploy(aws, blue)
    superuser(aws, deployment.green, "select pg_wal_replay_pause()")
    with writers(blue) as writer:
        deployment.switch(seconds=1)
        failed = deployment.until("SWITCHOVER_FAILED")
        writer.goes_on()
    assert "timed out" in failed["StatusDetails"]
    after = aws.until(name)
    assert (after["DbiResourceId"], after["Endpoint"]) == (blue["DbiResourceId"], blue["Endpoint"])
    assert set(writer.acknowledged) <= set(held(after))
    deployment.delete(DeleteTarget=True)


def test_a_deployment_without_a_switchover_leaves_blue_alone(aws: Stage, name: str) -> None:
    blue = aws.create(name, DeletionProtection=True)
    sql(blue, "create table kept as select 1 as n")
    deployment = deploy(aws, blue)
    green = deployment.green["DBInstanceIdentifier"]
    with pytest.raises(ClientError, match="deletion protection"):
        deployment.delete(DeleteTarget=True)
    aws.modify(green, DeletionProtection=False)
    deployment.delete(DeleteTarget=True)
    aws.gone(green)
    sql(aws.look(name), "insert into kept values (2)")
    with pytest.raises(ClientError) as told:
        deployment.look()
    assert code(told.value) == "BlueGreenDeploymentNotFoundFault"


def test_a_green_side_that_is_kept_stands_on_its_own(aws: Stage, name: str) -> None:
    blue = aws.create(name)
    sql(blue, "create table kept as select 1 as n")
    deployment = deploy(aws, blue)
    green = deployment.green["DBInstanceIdentifier"]
    deployment.delete()
    until(lambda: aws.look(green)["DBInstanceStatus"] == "modifying", "a green side that is promoted")
    sql(aws.until(green), "insert into kept values (2)")
    assert sql(aws.look(name), "select n from kept") == [(1,)]


def test_what_rds_refuses_is_refused(aws: Stage, name: str) -> None:
    blue = aws.create(name)
    bare = aws.create(f"{name}-bare", BackupRetentionPeriod=0)
    refused = (
        (bare, {}, "InvalidDBInstanceState"),
        (blue, {"TargetEngineVersion": "17.4"}, "InvalidParameterCombination"),
        (blue, {"TargetDBInstanceClass": "db.none.large"}, "InvalidParameterCombination"),
    )
    for source, values, expected in refused:
        with pytest.raises(ClientError) as told:
            deploy(aws, source, **values)
        assert code(told.value) == expected
    deployment = deploy(aws, blue)
    for refusal, expected in (
        (lambda: deployment.switch(seconds=0), "InvalidParameterValue"),
        (lambda: deployment.switch(seconds=3601), "InvalidParameterValue"),
    ):
        with pytest.raises(ClientError) as told:
            refusal()
        assert code(told.value) == expected
    with pytest.raises(ClientError) as told:
        aws.rds.create_blue_green_deployment(
            BlueGreenDeploymentName=f"{name}-again", Source=blue["DBInstanceArn"]
        )
    assert code(told.value) == "SourceDatabaseNotSupportedFault"


@pytest.fixture
def fragile() -> Iterator[Stage]:
    yield from stage(switchover_minimum_seconds=1, delay_seconds=1.0)


@pytest.mark.parametrize("after", [0.0, *(pytest.param(s, marks=pytest.mark.long) for s in LATER)])
def test_a_killed_sandbox_goes_on_following_and_ends_its_switchover(fragile: Stage, after: float) -> None:
    blue = fragile.create("kept")
    with writers(blue) as writer:
        deployment = deploy(fragile, blue)
        deployment.switch()
        time.sleep(after)
        os.kill(fragile.info.pid, signal.SIGKILL)
        until(lambda: not lifecycle.status(fragile.info.folder).running, "gone")
        again = Stage(lifecycle.start(fragile.info.folder))
        Deployment(again, "kept", deployment.identifier).until("SWITCHOVER_COMPLETED")
        writer.goes_on()
    assert again.until("kept")["Endpoint"] == blue["Endpoint"]
    assert set(writer.acknowledged) <= set(held(again.look("kept")))
