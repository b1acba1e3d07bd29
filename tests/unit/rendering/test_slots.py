"""From stage and size to what RDS is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controlplane.catalog import load
from controlplane.domain.tenant import Size, Stage, TenantSpec
from controlplane.domain.workspace import SlotSpec, slot_changes_refused
from controlplane.rendering import slot_for
from controlplane.rendering.slots import slot_values
from tests.golden.workspaces import SLUG, UID, adopted, tenant, with_slot


def decided(stage: Stage = Stage.POC, **changes: Any) -> dict[str, Any]:
    workspace = with_slot(tenant(stage), **changes)
    return slot_values(workspace.slots[0], workspace, load())


def test_a_poc_slot_is_small_single_and_kept_for_a_day() -> None:
    slot = decided(Stage.POC)
    assert (slot["instance_class"], slot["multi_az"], slot["backup_days"]) == ("db.t4g.micro", False, 1)
    assert (slot["storage_gb"], slot["max_storage_gb"], slot["log_days"]) == (20, 50, 7)


def test_a_production_slot_is_doubled_and_kept_for_a_week() -> None:
    slot = decided(Stage.PRODUCTION)
    assert (slot["instance_class"], slot["multi_az"], slot["backup_days"]) == ("db.t4g.small", True, 7)
    assert (slot["storage_gb"], slot["max_storage_gb"], slot["log_days"]) == (20, 100, 30)


@pytest.mark.parametrize("stage", Stage)
def test_every_database_is_born_protected_and_with_its_gate_open(stage: Stage) -> None:
    slot = slot_for(TenantSpec(stage=stage), SLUG, UID, 3, load())
    assert slot.protected and slot.alarms and slot.credential_write and not slot.adopted
    assert slot.identifier == "acme-a1234567-e3"


@pytest.mark.parametrize(
    ("size", "warning", "critical"),
    [(Size.MICRO, 78, 95), (Size.SMALL, 157, 191), (Size.MEDIUM, 315, 382), (Size.LARGE, 630, 765)],
)
def test_connection_thresholds_follow_the_class(size: Size, warning: int, critical: int) -> None:
    alarms = decided(size=size)["alarms"]
    assert alarms["connections-warning"]["threshold"] == warning
    assert alarms["connections-critical"]["threshold"] == critical


def test_alarms_warn_at_sixty_and_are_critical_at_eighty_per_cent_for_ten_minutes() -> None:
    alarms = decided()["alarms"]
    cpu = [alarms[f"cpu-{level}"] for level in ("warning", "critical")]
    assert [alarm["threshold"] for alarm in cpu] == [60, 80]
    assert all(alarm["minutes"] == 10 and alarm["comparison"] == "GreaterThanThreshold" for alarm in cpu)


def test_free_storage_and_memory_are_watched_from_below() -> None:
    alarms = decided(storage_gb=200)["alarms"]
    assert alarms["free-storage-low"]["threshold"] == 20 * 1024**3
    assert alarms["freeable-memory-low"]["threshold"] == 1024**3 // 10
    assert alarms["freeable-memory-low"]["comparison"] == "LessThanThreshold"


def test_a_slot_that_leaves_has_no_alarms() -> None:
    assert decided(alarms=False)["alarms"] == {}


@pytest.mark.parametrize(("storage_gb", "ceiling"), [(20, 100), (50, 100), (51, 102), (14894, 16384)])
def test_storage_may_double_and_always_reach_the_ceiling(storage_gb: int, ceiling: int) -> None:
    assert decided(Stage.PRODUCTION, storage_gb=storage_gb)["max_storage_gb"] == ceiling


def test_an_adopted_slot_keeps_its_own_name_version_and_key() -> None:
    workspace = adopted()
    slot = slot_values(workspace.slots[0], workspace, load())
    assert (slot["identifier"], slot["engine_version"]) == ("legacy-orders", "16.6")
    assert slot["kms_key_arn"].endswith("00aa")
    assert slot["final_snapshot_identifier"] == "acme-a1234567-e1-final"


WAS = replace(tenant().slots[0], credential_write=False)


@pytest.mark.parametrize(
    "now",
    [
        WAS,
        replace(WAS, storage_gb=40, size=Size.LARGE, multi_az=True),
        replace(WAS, credential_version=2, credential_write=True),
        replace(WAS, engine_version="16.9"),
        replace(WAS, engine_version="17.4"),
    ],
)
def test_ordinary_changes_are_not_refused(now: SlotSpec) -> None:
    assert slot_changes_refused([replace(WAS, engine_version="16.6")], [now]) == []


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        ([replace(WAS, storage_gb=19)], "cannot shrink from 20 to 19 GB"),
        ([replace(WAS, credential_version=2)], "gate closed"),
        ([replace(WAS, identifier="other")], "cannot be renamed"),
        ([replace(WAS, engine_version="16.4")], "cannot go back from engine 16.6 to 16.4"),
        ([replace(WAS, engine_version="15")], "cannot go back"),
        ([], "still protected"),
        ([WAS, replace(WAS, epoch=2)], "gate open"),
    ],
)
def test_what_terraform_would_not_refuse_is_refused(now: list[SlotSpec], reason: str) -> None:
    refused = slot_changes_refused([replace(WAS, engine_version="16.6")], now)
    assert len(refused) == 1
    assert reason in refused[0]


def test_a_slot_leaves_once_its_protection_is_gone() -> None:
    assert slot_changes_refused([replace(WAS, protected=False, alarms=False)], []) == []


def test_an_adopted_slot_may_be_born_without_a_password_and_rotated_with_one() -> None:
    taken = replace(WAS, adopted=True)
    assert slot_changes_refused([], [taken]) == []
    assert slot_changes_refused([taken], [replace(taken, adopted=False, credential_write=True)]) == []
    assert slot_changes_refused([taken], [replace(taken, adopted=False)]) != []
