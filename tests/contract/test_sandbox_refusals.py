"""What the sandbox refuses because RDS would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.sandbox_stage import Stage, code, create_values, stage

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def aws() -> Iterator[Stage]:
    yield from stage(delay_seconds=0.0, instance_quota=6, snapshot_quota=2, storage_cooldown_seconds=21600)


@pytest.fixture(scope="module")
def live(aws: Stage) -> str:
    aws.create("live", AllocatedStorage=50, MaxAllocatedStorage=200)
    return "live"


def refusal(call: Any, **values: Any) -> str:
    with pytest.raises(ClientError) as told:
        call(**values)
    assert told.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 404)
    return code(told.value)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"DBInstanceClass": "db.t4g.nano"}, "InvalidParameterCombination"),
        ({"DBInstanceClass": "t4g.micro"}, "InvalidParameterValue"),
        ({"EngineVersion": "99.9"}, "InvalidParameterCombination"),
        ({"EngineVersion": "16.99"}, "InvalidParameterCombination"),
        ({"MasterUserPassword": "short-1"}, "InvalidParameterValue"),
        ({"MasterUserPassword": "x" * 129}, "InvalidParameterValue"),
        ({"MasterUserPassword": "with a space"}, "InvalidParameterValue"),
        ({"MasterUserPassword": "with/slash"}, "InvalidParameterValue"),
        ({"MasterUserPassword": "with@sign1"}, "InvalidParameterValue"),
        ({"MasterUserPassword": 'with"quote'}, "InvalidParameterValue"),
        ({"MasterUsername": "rdsadmin"}, "InvalidParameterValue"),
        ({"MasterUsername": "1boss"}, "InvalidParameterValue"),
        ({"DBName": "my-app"}, "InvalidParameterValue"),
        ({"AllocatedStorage": 19}, "InvalidParameterValue"),
        ({"AllocatedStorage": 70000}, "InvalidParameterValue"),
        ({"StorageType": "gp9"}, "InvalidParameterValue"),
        ({"Iops": 5000}, "InvalidParameterCombination"),
        ({"MaxAllocatedStorage": 21}, "InvalidParameterCombination"),
        ({"BackupRetentionPeriod": 36}, "InvalidParameterValue"),
        ({"Port": 80}, "InvalidParameterValue"),
        ({"DBInstanceIdentifier": "two--hyphens"}, "InvalidParameterValue"),
        ({"KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/none"}, "KMSKeyNotAccessibleFault"),
        ({"DBSubnetGroupName": "none"}, "DBSubnetGroupNotFoundFault"),
        ({"DBParameterGroupName": "none"}, "DBParameterGroupNotFound"),
        ({"DBParameterGroupName": "old-family"}, "InvalidParameterCombination"),
        ({"Engine": "postgresql"}, "InvalidParameterValue"),
    ],
)
def test_an_instance_that_cannot_be(aws: Stage, values: dict[str, Any], expected: str) -> None:
    if values.get("DBParameterGroupName") == "old-family":
        aws.rds.create_db_parameter_group(
            DBParameterGroupName="old-family", DBParameterGroupFamily="postgres15", Description="of a test"
        )
    assert refusal(aws.rds.create_db_instance, **create_values("never", **values)) == expected
    assert refusal(aws.rds.describe_db_instances, DBInstanceIdentifier="never") == "DBInstanceNotFound"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"AllocatedStorage": 40}, "InvalidParameterCombination"),
        ({"DBInstanceClass": "db.x.large"}, "InvalidParameterCombination"),
        ({"EngineVersion": "15.8"}, "InvalidParameterCombination"),
        ({"EngineVersion": "17.4"}, "InvalidParameterCombination"),
        ({"MasterUserPassword": "short"}, "InvalidParameterValue"),
        ({"BackupRetentionPeriod": 40}, "InvalidParameterValue"),
        ({"DBParameterGroupName": "none"}, "DBParameterGroupNotFound"),
    ],
)
def test_a_change_that_cannot_be(aws: Stage, live: str, values: dict[str, Any], expected: str) -> None:
    before = aws.look(live)
    assert refusal(aws.rds.modify_db_instance, DBInstanceIdentifier=live, **values) == expected
    after = aws.look(live)
    assert {**after, "LatestRestorableTime": 0} == {**before, "LatestRestorableTime": 0}


def test_a_second_instance_of_the_same_name(aws: Stage, live: str) -> None:
    assert refusal(aws.rds.create_db_instance, **create_values(live)) == "DBInstanceAlreadyExists"


def test_deletion_under_protection_and_without_a_word_on_the_final_snapshot(aws: Stage, live: str) -> None:
    delete = aws.rds.delete_db_instance
    assert refusal(delete, DBInstanceIdentifier=live) == "InvalidParameterCombination"
    both = {"SkipFinalSnapshot": True, "FinalDBSnapshotIdentifier": "f"}
    assert refusal(delete, DBInstanceIdentifier=live, **both) == "InvalidParameterCombination"
    aws.rds.modify_db_instance(DBInstanceIdentifier=live, DeletionProtection=True)
    assert refusal(delete, DBInstanceIdentifier=live, SkipFinalSnapshot=True) == "InvalidParameterCombination"
    aws.rds.modify_db_instance(DBInstanceIdentifier=live, DeletionProtection=False)
    aws.until(live)


def test_a_final_snapshot_of_a_name_that_is_taken(aws: Stage, live: str) -> None:
    aws.snapshot("taken", live)
    aws.until(live)
    told = refusal(aws.rds.delete_db_instance, DBInstanceIdentifier=live, FinalDBSnapshotIdentifier="taken")
    assert told == "DBSnapshotAlreadyExists"
    assert aws.look(live)["DBInstanceStatus"] == "available"
    aws.rds.delete_db_snapshot(DBSnapshotIdentifier="taken")


def test_more_snapshots_than_the_quota(aws: Stage, live: str) -> None:
    for name in ("q1", "q2"):
        aws.snapshot(name, live)
        aws.until(live)
    told = refusal(aws.rds.create_db_snapshot, DBInstanceIdentifier=live, DBSnapshotIdentifier="q3")
    assert told == "SnapshotQuotaExceeded"
    for name in ("q1", "q2"):
        aws.rds.delete_db_snapshot(DBSnapshotIdentifier=name)


def test_a_stopped_instance_refuses_changes(aws: Stage) -> None:
    aws.create("sleeper")
    aws.rds.stop_db_instance(DBInstanceIdentifier="sleeper")
    aws.until("sleeper", "stopped")
    change = {"DBInstanceIdentifier": "sleeper", "DBInstanceClass": "db.t4g.small"}
    assert refusal(aws.rds.modify_db_instance, **change) == "InvalidDBInstanceState"
    assert refusal(aws.rds.reboot_db_instance, DBInstanceIdentifier="sleeper") == "InvalidDBInstanceState"
    assert (
        refusal(aws.rds.create_db_snapshot, DBInstanceIdentifier="sleeper", DBSnapshotIdentifier="s")
        == "InvalidDBInstanceState"
    )
    aws.rds.delete_db_instance(DBInstanceIdentifier="sleeper", SkipFinalSnapshot=True)
    aws.gone("sleeper")


def test_storage_changes_within_six_hours(aws: Stage) -> None:
    aws.create("growing")
    assert aws.modify("growing", AllocatedStorage=30)["AllocatedStorage"] == 30
    again = {"DBInstanceIdentifier": "growing", "AllocatedStorage": 40}
    assert refusal(aws.rds.modify_db_instance, **again) == "InvalidParameterCombination"
    assert aws.modify("growing", DBInstanceClass="db.t4g.small")["DBInstanceClass"] == "db.t4g.small"


def test_a_growth_below_ten_per_cent_becomes_ten_per_cent(aws: Stage) -> None:
    aws.create("slowly", AllocatedStorage=100)
    assert aws.modify("slowly", AllocatedStorage=101)["AllocatedStorage"] == 110


def test_more_instances_than_the_quota(aws: Stage) -> None:
    for number in range(6):
        try:
            aws.create(f"many-{number}")
        except ClientError as error:
            assert code(error) in ("InstanceQuotaExceeded", "InstanceQuotaExceededFault")
            return
    pytest.fail("the quota of six instances was not held")


def test_a_restore_smaller_than_its_source_or_outside_its_window(aws: Stage, live: str) -> None:
    aws.snapshot("of-live", live)
    restore = {"DBInstanceIdentifier": "r", "DBSnapshotIdentifier": "of-live", "AllocatedStorage": 20}
    assert refusal(aws.rds.restore_db_instance_from_db_snapshot, **restore) == "InvalidParameterValue"
    source = {"SourceDBInstanceIdentifier": live, "TargetDBInstanceIdentifier": "r"}
    early = {**source, "RestoreTime": "2020-01-01T00:00:00Z"}
    assert refusal(aws.rds.restore_db_instance_to_point_in_time, **early) == "InvalidRestoreFault"
    assert refusal(aws.rds.restore_db_instance_to_point_in_time, **source) == "InvalidParameterCombination"


def test_what_the_emulator_lacks_is_answered_at_once_with_400(aws: Stage) -> None:
    assert refusal(aws.rds.describe_db_recommendations) == "InvalidAction"
    assert refusal(aws.client("pricing").get_products, ServiceCode="AmazonRDS") == "InvalidAction"


def test_what_the_product_asks_for_is_answered(aws: Stage) -> None:
    rds = aws.rds
    asked = {"Engine": "postgres", "EngineVersion": "16.8", "DBInstanceClass": "db.t4g.micro"}
    options = rds.describe_orderable_db_instance_options(**asked)["OrderableDBInstanceOptions"]
    assert {row["StorageType"] for row in options} == {"gp2", "gp3", "io1", "standard"}
    asked["DBInstanceClass"] = "db.t4g.nano"
    assert rds.describe_orderable_db_instance_options(**asked)["OrderableDBInstanceOptions"] == []
    (version,) = rds.describe_db_engine_versions(Engine="postgres", EngineVersion="16.8")["DBEngineVersions"]
    assert version["DBParameterGroupFamily"] == "postgres16"
    assert "17.4" in {target["EngineVersion"] for target in version["ValidUpgradeTarget"]}
    quotas = {row["AccountQuotaName"]: row for row in rds.describe_account_attributes()["AccountQuotas"]}
    assert (quotas["DBInstances"]["Max"], quotas["ManualSnapshots"]["Max"]) == (6, 2)
    assert rds.describe_pending_maintenance_actions()["PendingMaintenanceActions"] == []


def test_long_lists_come_in_pages(aws: Stage) -> None:
    pages = list(
        aws.rds.get_paginator("describe_orderable_db_instance_options").paginate(
            Engine="postgres", EngineVersion="16.8", PaginationConfig={"PageSize": 50}
        )
    )
    rows = [
        tuple(sorted(row.items(), key=str)) for page in pages for row in page["OrderableDBInstanceOptions"]
    ]
    assert len(pages) > 1
    assert len({str(row) for row in rows}) == len(rows)
