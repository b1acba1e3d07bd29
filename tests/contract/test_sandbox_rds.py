"""What an emulated instance does that a real one does: it is a PostgreSQL, and it takes its time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from botocore.exceptions import ClientError

from controlplane.sandbox import lifecycle
from tests.contract.sandbox_stage import PASSWORD, Stage, code, sql, stage, until

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def aws() -> Iterator[Stage]:
    yield from stage()


@pytest.fixture
def name() -> str:
    return f"db-{uuid4().hex[:8]}"


def test_a_created_instance_is_creating_then_answers_at_its_endpoint(aws: Stage, name: str) -> None:
    made = aws.create(name, wait=False)
    assert (made["DBInstanceStatus"], made.get("Endpoint")) == ("creating", None)
    live = aws.until(name)
    assert sql(live, "select current_user, current_database()") == [("boss", "app")]


def test_every_instance_has_a_resource_id_of_its_own(aws: Stage, name: str) -> None:
    one, two = aws.create(name), aws.create(f"{name}-b")
    assert one["DbiResourceId"] != two["DbiResourceId"]
    assert one["Endpoint"] != two["Endpoint"]


def test_a_wrong_password_is_refused(aws: Stage, name: str) -> None:
    live = aws.create(name)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        sql(live, "select 1", password="Wrong-pass-1")


def test_the_master_is_no_superuser(aws: Stage, name: str) -> None:
    live = aws.create(name)
    assert sql(live, "select rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = 'boss'") == [
        (False, True, True)
    ]
    assert sql(live, "select pg_has_role('boss', 'rds_superuser', 'MEMBER')") == [(True,)]
    assert sql(live, "select rolname from pg_roles where rolsuper") == [("rdsadmin",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sql(live, "select rolpassword from pg_authid")


def test_the_master_can_do_what_a_control_plane_needs(aws: Stage, name: str) -> None:
    live = aws.create(name)
    sql(live, "create role app_owner nologin")
    sql(live, "create role app_a login password 'Application-1' in role app_owner")
    sql(live, "grant create on schema public to app_owner")
    sql(live, "create table mine (n int)", password="Application-1", user="app_a")
    sql(live, "alter role app_a nologin")
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        sql(live, "select 1", password="Application-1", user="app_a")


def test_a_snapshot_keeps_the_rows_of_its_moment_while_the_instance_answers(aws: Stage, name: str) -> None:
    live = aws.create(name)
    sql(live, "create table kept as select generate_series(1, 100) as n")
    taken = aws.rds.create_db_snapshot(DBSnapshotIdentifier=f"{name}-s", DBInstanceIdentifier=name)
    assert taken["DBSnapshot"]["Status"] == "creating"
    assert sql(live, "select count(*) from kept") == [(100,)]
    assert aws.snapshot_until(f"{name}-s")["AllocatedStorage"] == 20
    aws.until(name)
    sql(live, "delete from kept")
    aws.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=f"{name}-r", DBSnapshotIdentifier=f"{name}-s"
    )
    assert sql(aws.until(f"{name}-r"), "select count(*) from kept") == [(100,)]


def test_a_copied_snapshot_restores_after_the_first_one_is_gone(aws: Stage, name: str) -> None:
    sql(aws.create(name), "create table kept as select 5 as n")
    aws.snapshot(f"{name}-s", name)
    aws.rds.copy_db_snapshot(
        SourceDBSnapshotIdentifier=f"{name}-s",
        TargetDBSnapshotIdentifier=f"{name}-c",
        KmsKeyId="alias/aws/rds",
    )
    assert aws.snapshot_until(f"{name}-c")["Encrypted"]
    aws.rds.delete_db_snapshot(DBSnapshotIdentifier=f"{name}-s")
    aws.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=f"{name}-r", DBSnapshotIdentifier=f"{name}-c"
    )
    restored = aws.until(f"{name}-r")
    assert sql(restored, "select n from kept") == [(5,)]
    assert restored["StorageEncrypted"]


def test_a_restore_in_time_has_the_rows_of_that_time(aws: Stage, name: str) -> None:
    live = aws.create(name)
    sql(live, "create table kept as select 1 as n")
    at = datetime.now(UTC)
    sql(live, "insert into kept values (2)")
    for target, when in (("past", {"RestoreTime": at}), ("latest", {"UseLatestRestorableTime": True})):
        aws.rds.restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier=name, TargetDBInstanceIdentifier=f"{name}-{target}", **when
        )
    assert sql(aws.until(f"{name}-past"), "select n from kept order by n") == [(1,)]
    assert sql(aws.until(f"{name}-latest"), "select n from kept order by n") == [(1,), (2,)]


def test_backups_outlive_the_instance_when_they_are_kept(aws: Stage, name: str) -> None:
    live = aws.create(name)
    sql(live, "create table kept as select 3 as n")
    aws.rds.delete_db_instance(
        DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=False
    )
    aws.gone(name)
    kept = aws.rds.describe_db_instance_automated_backups(DbiResourceId=live["DbiResourceId"])
    row = kept["DBInstanceAutomatedBackups"][0]
    assert row["Status"] == "retained"
    aws.rds.restore_db_instance_to_point_in_time(
        SourceDbiResourceId=live["DbiResourceId"],
        TargetDBInstanceIdentifier=f"{name}-r",
        UseLatestRestorableTime=True,
    )
    assert sql(aws.until(f"{name}-r"), "select n from kept") == [(3,)]
    aws.rds.delete_db_instance_automated_backup(DbiResourceId=live["DbiResourceId"])
    left = aws.rds.describe_db_instance_automated_backups(DbiResourceId=live["DbiResourceId"])
    assert left["DBInstanceAutomatedBackups"] == []


def test_delete_takes_the_final_snapshot_and_ends_the_database(aws: Stage, name: str) -> None:
    live = aws.create(name)
    sql(live, "create table kept as select 9 as n")
    asked = aws.rds.delete_db_instance(DBInstanceIdentifier=name, FinalDBSnapshotIdentifier=f"{name}-final")
    assert asked["DBInstance"]["DBInstanceStatus"] == "deleting"
    aws.gone(name)
    with pytest.raises(psycopg.OperationalError):
        sql(live, "select 1")
    aws.snapshot_until(f"{name}-final")
    aws.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=name, DBSnapshotIdentifier=f"{name}-final"
    )
    assert sql(aws.until(name), "select n from kept") == [(9,)]


def test_a_resize_keeps_the_rows_and_shows_what_is_pending(aws: Stage, name: str) -> None:
    live = aws.create(name)
    sql(live, "create table kept as select 4 as n")
    during = aws.rds.modify_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.t4g.small", AllocatedStorage=50, ApplyImmediately=True
    )["DBInstance"]
    assert (during["DBInstanceStatus"], during["DBInstanceClass"]) == ("modifying", "db.t4g.micro")
    assert during["PendingModifiedValues"] == {"DBInstanceClass": "db.t4g.small", "AllocatedStorage": 50}
    after = aws.until(name)
    assert (after["DBInstanceClass"], after["AllocatedStorage"]) == ("db.t4g.small", 50)
    assert after["PendingModifiedValues"] == {}
    assert after["Endpoint"] == live["Endpoint"]
    assert sql(after, "select n from kept") == [(4,)]


def test_a_bigger_class_lets_more_connect(aws: Stage, name: str) -> None:
    before = sql(aws.create(name), "show max_connections")
    after = sql(aws.modify(name, DBInstanceClass="db.t4g.small"), "show max_connections")
    assert (before, after) == ([("112",)], [("225",)])


def test_without_apply_immediately_changes_wait_for_the_window(aws: Stage, name: str) -> None:
    aws.create(name)
    aws.rds.modify_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.t4g.small", DeletionProtection=True
    )
    waiting = aws.look(name)
    assert (waiting["DBInstanceStatus"], waiting["DBInstanceClass"]) == ("available", "db.t4g.micro")
    assert waiting["PendingModifiedValues"] == {"DBInstanceClass": "db.t4g.small"}
    assert waiting["DeletionProtection"]
    assert lifecycle.open_maintenance_window(aws.info, name) == "modifying"
    assert aws.until(name)["DBInstanceClass"] == "db.t4g.small"


def test_a_new_master_password_reaches_postgresql_and_is_never_shown(aws: Stage, name: str) -> None:
    live = aws.create(name)
    asked = aws.rds.modify_db_instance(DBInstanceIdentifier=name, MasterUserPassword="Another-pass-2")
    assert asked["DBInstance"]["PendingModifiedValues"] == {"MasterUserPassword": "****"}
    aws.until(name)
    assert sql(live, "select 1", password="Another-pass-2") == [(1,)]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        sql(live, "select 1", password=PASSWORD)


def test_a_stopped_instance_does_not_answer_until_it_is_started(aws: Stage, name: str) -> None:
    live = aws.create(name)
    sql(live, "create table kept as select 6 as n")
    aws.rds.stop_db_instance(DBInstanceIdentifier=name)
    aws.until(name, "stopped")
    with pytest.raises(psycopg.OperationalError):
        sql(live, "select 1")
    aws.rds.start_db_instance(DBInstanceIdentifier=name)
    assert sql(aws.until(name), "select n from kept") == [(6,)]


def test_static_parameters_wait_for_a_reboot(aws: Stage, name: str) -> None:
    aws.rds.create_db_parameter_group(
        DBParameterGroupName=name, DBParameterGroupFamily="postgres16", Description="of a test"
    )
    live = aws.create(name, DBParameterGroupName=name)
    assert sql(live, "show wal_level") == [("replica",)]
    aws.rds.modify_db_parameter_group(
        DBParameterGroupName=name,
        Parameters=[
            {
                "ParameterName": "rds.logical_replication",
                "ParameterValue": "1",
                "ApplyMethod": "pending-reboot",
            }
        ],
    )
    assert aws.look(name)["DBParameterGroups"][0]["ParameterApplyStatus"] == "pending-reboot"
    asked = aws.rds.reboot_db_instance(DBInstanceIdentifier=name)
    assert asked["DBInstance"]["DBInstanceStatus"] == "rebooting"
    assert aws.until(name)["DBParameterGroups"][0]["ParameterApplyStatus"] == "in-sync"
    assert sql(live, "show wal_level") == [("logical",)]
    user = aws.rds.describe_db_parameters(DBParameterGroupName=name, Source="user")["Parameters"]
    assert [row["ParameterName"] for row in user] == ["rds.logical_replication"]


def test_membership_in_rds_replication_is_enough_to_replicate(aws: Stage, name: str) -> None:
    aws.rds.create_db_parameter_group(
        DBParameterGroupName=name, DBParameterGroupFamily="postgres16", Description="of a test"
    )
    aws.rds.modify_db_parameter_group(
        DBParameterGroupName=name,
        Parameters=[
            {
                "ParameterName": "rds.logical_replication",
                "ParameterValue": "1",
                "ApplyMethod": "pending-reboot",
            }
        ],
    )
    live = aws.create(name, DBParameterGroupName=name)
    sql(live, "create role cp_control login password 'Control-pass-1'")
    sql(live, "grant rds_replication to cp_control")
    until(
        lambda: sql(live, "select rolreplication from pg_roles where rolname = 'cp_control'") == [(True,)],
        "the attribute follows the membership",
    )


def test_a_crashed_database_is_started_again(aws: Stage, name: str) -> None:
    live = aws.create(name)
    sql(live, "create table kept as select 8 as n")
    cluster = next(
        c
        for c in lifecycle.clusters_of(aws.info.folder, lifecycle.programs_of(aws.info))
        if c.folder.name == live["DbiResourceId"]
    )
    pid = cluster.pid()
    cluster.stop("kill")
    until(lambda: cluster.pid() not in (None, pid), "a new server")
    assert sql(aws.until(name), "select n from kept") == [(8,)]


def test_a_replica_is_a_copy_of_its_moment(aws: Stage, name: str) -> None:
    live = aws.create(name)
    sql(live, "create table kept as select 1 as n")
    aws.rds.create_db_instance_read_replica(DBInstanceIdentifier=f"{name}-r", SourceDBInstanceIdentifier=name)
    replica = aws.until(f"{name}-r")
    assert replica["ReadReplicaSourceDBInstanceIdentifier"] == name
    assert aws.look(name)["ReadReplicaDBInstanceIdentifiers"] == [f"{name}-r"]
    assert sql(replica, "select n from kept") == [(1,)]


def test_a_rename_keeps_the_instance_and_its_rows(aws: Stage, name: str) -> None:
    live = aws.create(name)
    sql(live, "create table kept as select 2 as n")
    aws.rds.modify_db_instance(
        DBInstanceIdentifier=name, NewDBInstanceIdentifier=f"{name}-new", ApplyImmediately=True
    )
    aws.gone(name)
    renamed = aws.until(f"{name}-new")
    assert renamed["DbiResourceId"] == live["DbiResourceId"]
    assert sql(renamed, "select n from kept") == [(2,)]


def test_tags_are_found_by_the_tagging_api(aws: Stage, name: str) -> None:
    made = aws.create(name, Tags=[{"Key": "tenant", "Value": name}])
    found = aws.client("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": "tenant", "Values": [name]}]
    )
    assert [row["ResourceARN"] for row in found["ResourceTagMappingList"]] == [made["DBInstanceArn"]]


def test_an_unknown_instance_is_not_found(aws: Stage, name: str) -> None:
    with pytest.raises(ClientError) as told:
        aws.rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    assert code(told.value) == "DBInstanceNotFound"
