"""Every attribute: what differs, how bad it is, and that nothing is said of what is as recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.drift import Actual, Difference, Expected, Severity, compare

BENIGN, REAL, DANGEROUS = Severity.BENIGN, Severity.REAL, Severity.DANGEROUS
EXPECTED = Expected(
    slug="acme",
    uid="a1234567",
    epoch=2,
    identifier="acme-a1234567-e2",
    instance_class="db.t4g.small",
    storage_gb=30,
    max_storage_gb=100,
    least_max_storage_gb=100,
    multi_az=True,
    backup_days=7,
    protected=True,
    engine_version="16",
    kms_key_id="key-1",
    parameter_group="platform-postgres16",
    resource_id="db-AAA",
)
ACTUAL = Actual(
    identifier="acme-a1234567-e2",
    resource_id="db-AAA",
    status="available",
    instance_class="db.t4g.small",
    engine_version="16.4",
    storage_gb=30,
    max_storage_gb=100,
    multi_az=True,
    public=False,
    encrypted=True,
    deletion_protection=True,
    backup_retention_days=7,
    kms_key_id="key-1",
    parameter_group="platform-postgres16",
    parameter_status="in-sync",
    tags={"uid": "a1234567", "epoch": "2", "managed-by": "controlplane", "stage": "production"},
)


def one(expected: dict[str, Any] | None = None, **actual: Any) -> Difference | None:
    found = compare(replace(EXPECTED, **(expected or {})), replace(ACTUAL, **actual))
    assert len(found) <= 1
    return found[0] if found else None


def test_what_is_as_recorded_has_no_difference() -> None:
    assert one() is None


@pytest.mark.parametrize(
    ("actual", "attribute", "severity"),
    [
        ({"public": True}, "public", DANGEROUS),
        ({"encrypted": False}, "encrypted", DANGEROUS),
        ({"kms_key_id": "key-2"}, "kms_key_id", DANGEROUS),
        ({"deletion_protection": False}, "deletion_protection", DANGEROUS),
        ({"backup_retention_days": 0}, "backup_days", DANGEROUS),
        ({"backup_retention_days": 3}, "backup_days", REAL),
        ({"backup_retention_days": 35}, "backup_days", REAL),
        ({"resource_id": "db-BBB"}, "resource_id", DANGEROUS),
        ({"status": "deleting"}, "status", DANGEROUS),
        ({"status": "storage-full"}, "status", DANGEROUS),
        ({"status": "inaccessible-encryption-credentials"}, "status", DANGEROUS),
        ({"status": "stopped"}, "status", REAL),
        ({"instance_class": "db.m6g.large"}, "instance_class", REAL),
        ({"storage_gb": 40}, "storage_gb", BENIGN),
        ({"storage_gb": 20}, "storage_gb", REAL),
        ({"multi_az": False}, "multi_az", REAL),
        ({"engine_version": "17.1"}, "engine_version", REAL),
        ({"max_storage_gb": None}, "max_storage_gb", REAL),
        ({"max_storage_gb": 500}, "max_storage_gb", REAL),
        ({"parameter_group": "default.postgres16"}, "parameter_group", REAL),
        ({"parameter_status": "pending-reboot"}, "parameter_status", BENIGN),
        ({"pending": {"MasterUserPassword": "****"}}, "pending", BENIGN),
        ({"pending": {"EngineVersion": "16.6"}}, "pending", BENIGN),
        ({"tags": {}}, "tags", REAL),
        ({"tags": {**ACTUAL.tags, "epoch": "1"}}, "tags", REAL),
        ({"tags": {**ACTUAL.tags, "uid": "b7654321"}}, "owner", DANGEROUS),
    ],
)
def test_each_difference_has_its_name_and_weight(
    actual: dict[str, Any], attribute: str, severity: Severity
) -> None:
    found = one(**actual)
    assert found is not None
    assert (found.attribute, found.severity) == (attribute, severity)
    assert found.expected != found.found
    assert found.words
    assert found.next_step or severity is BENIGN


@pytest.mark.parametrize(
    "actual",
    [
        {"status": "modifying"},
        {"status": "storage-optimization"},
        {"engine_version": "16.10"},
        {"tags": {**ACTUAL.tags, "team": "x"}},
    ],
)
def test_what_passes_or_was_never_recorded_is_no_difference(actual: dict[str, Any]) -> None:
    assert one(**actual) is None


@pytest.mark.parametrize(
    ("actual", "pending"),
    [
        ({"instance_class": "db.t4g.micro"}, {"DBInstanceClass": "db.t4g.small"}),
        ({"storage_gb": 20}, {"AllocatedStorage": 30}),
        ({"multi_az": False}, {"MultiAZ": True}),
    ],
)
def test_what_waits_for_its_window_is_benign_and_something_else_is_not(
    actual: dict[str, Any], pending: dict[str, Any]
) -> None:
    waiting = one(**actual, pending=pending)
    assert waiting is not None
    assert waiting.severity is BENIGN
    other = one(**actual, pending={name: "another" for name in pending})
    assert other is not None
    assert other.severity is REAL


def test_a_minor_version_that_was_recorded_follows_and_a_major_does_not() -> None:
    whole = {"engine_version": "16.4"}
    minor, major = one(whole, engine_version="16.8"), one(whole, engine_version="17.1")
    assert minor is not None
    assert major is not None
    assert (minor.severity, minor.writes_back) == (BENIGN, True)
    assert (major.severity, major.writes_back) == (REAL, False)
    assert one(whole) is None


def test_a_prefix_of_a_version_is_not_that_version() -> None:
    assert one({"engine_version": "1"}, engine_version="16.4") is not None
    assert one({"engine_version": "16.1"}, engine_version="16.10") is not None


def test_the_ceiling_of_before_is_right_until_the_next_change() -> None:
    grown = {"storage_gb": 60, "max_storage_gb": 120}
    found = one(grown, storage_gb=60, max_storage_gb=100)
    assert found is not None
    assert (found.attribute, found.severity) == ("max_storage_gb", BENIGN)


def test_only_grown_storage_and_minor_versions_are_written_back() -> None:
    changes = [{"storage_gb": 40}, {"multi_az": False}, {"public": True}, {"backup_retention_days": 3}]
    assert [d.writes_back for c in changes for d in [one(**c)] if d] == [True, False, False, False]


def test_a_suspended_tenant_is_expected_to_be_stopped() -> None:
    assert one({"suspended": True}, status="stopped") is None
    found = one({"suspended": True}, status="available")
    assert found is not None
    assert "tenant suspend acme" in found.next_step


def test_a_slot_that_is_being_given_up_may_be_unprotected() -> None:
    assert one({"protected": False}, deletion_protection=False) is None


def test_what_nobody_recorded_is_not_compared() -> None:
    free = {"kms_key_id": None, "parameter_group": None, "resource_id": None}
    assert one(free, kms_key_id="x", parameter_group="y", resource_id="z") is None


def test_the_worst_comes_first() -> None:
    found = compare(EXPECTED, replace(ACTUAL, storage_gb=40, multi_az=False, public=True))
    assert [d.severity for d in found] == [DANGEROUS, REAL, BENIGN]


@given(
    st.builds(
        Actual,
        identifier=st.just(ACTUAL.identifier),
        resource_id=st.text(max_size=5),
        status=st.sampled_from(["available", "stopped", "failed", "", "deleting"]),
        instance_class=st.sampled_from(["db.t4g.small", "db.t4g.micro", ""]),
        engine_version=st.text(alphabet="0123456789.", max_size=6),
        storage_gb=st.integers(0, 100),
        max_storage_gb=st.none() | st.integers(0, 200),
        multi_az=st.booleans(),
        public=st.booleans(),
        encrypted=st.booleans(),
        deletion_protection=st.booleans(),
        backup_retention_days=st.integers(0, 35),
    )
)
def test_whatever_aws_answers_is_compared_and_danger_is_never_benign(actual: Actual) -> None:
    found = {d.attribute: d for d in compare(EXPECTED, actual)}
    assert actual.public == ("public" in found)
    assert (not actual.encrypted) == ("encrypted" in found)
    for name in ("public", "encrypted", "deletion_protection", "resource_id"):
        assert name not in found or found[name].severity is DANGEROUS
