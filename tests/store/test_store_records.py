"""Slots and platforms: what was wanted, what is there, and what is left when it is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from controlplane.domain.errors import Conflict, Missing
from controlplane.domain.tenant import Size
from controlplane.domain.workspace import SlotSpec
from controlplane.store import platforms, slots
from controlplane.store.database import Database
from controlplane.store.tables import Slot
from tests.store.store_rows import NOW, add_tenant

UID = "u0000001"
SPEC = SlotSpec(1, "acme-u0000001-e1", Size.MICRO, 20, multi_az=False, backup_days=1)
WORKSPACE = "platform-fargate-development-default"


def _with_slot(db: Database, *specs: SlotSpec) -> None:
    with db.write() as session:
        add_tenant(session, 1)
        for spec in specs:
            slots.save(session, UID, spec, status="wanted")


def test_a_slot_is_kept_whole_and_brought_up_to_date(db: Database) -> None:
    _with_slot(db, SPEC)
    larger = replace(SPEC, size=Size.LARGE, storage_gb=50, kms_key_id="arn:key", protected=False)
    with db.write() as session:
        created = slots.get(session, UID, 1).created_at
        slots.save(session, UID, larger, status="present")
    with db.read() as session:
        (row,) = slots.every(session, UID)
        assert (row.size, row.storage_gb, row.kms_key_id, row.protected) == ("large", 50, "arn:key", False)
        assert (row.status, row.snapshot_identifier, row.created_at) == ("present", "", created)
        assert created.tzinfo is not None


def test_an_epoch_keeps_its_identifier_and_an_identifier_its_epoch(db: Database) -> None:
    _with_slot(db, SPEC)
    for other in (replace(SPEC, identifier="other"), replace(SPEC, epoch=2)):
        with pytest.raises(Conflict, match="taken"), db.write() as session:
            slots.save(session, UID, other, status="wanted")
    with db.read() as session:
        assert [(s.epoch, s.identifier) for s in slots.every(session, UID)] == [(1, SPEC.identifier)]


def test_what_is_gone_is_kept_but_not_rendered(db: Database) -> None:
    second = replace(SPEC, epoch=2, identifier="acme-u0000001-e2")
    _with_slot(db, second, SPEC)
    with db.write() as session:
        slots.set_status(session, UID, 1, "gone")
        assert [s.epoch for s in slots.present(session, UID)] == [2]
        slots.retire(session, UID)
        assert slots.present(session, UID) == []
        assert [s.epoch for s in slots.every(session, UID)] == [1, 2]


def test_the_receipt_of_a_final_snapshot_stays_with_its_slot(db: Database) -> None:
    _with_slot(db, SPEC)
    receipt = {"identifier": "final", "database": SPEC.identifier, "created_at": "2025-03-01T12:00:00+00:00"}
    with db.write() as session:
        slots.record_final_snapshot(session, UID, receipt)
        slots.save(session, UID, SPEC, status="present")
        slots.retire(session, UID)
    with db.read() as session:
        assert slots.get(session, UID, 1).final_snapshot == receipt
    with pytest.raises(Missing, match="elsewhere"), db.write() as session:
        slots.record_final_snapshot(session, UID, {"database": "elsewhere"})


def test_a_slot_that_is_not_there_is_missing(db: Database) -> None:
    _with_slot(db)
    with pytest.raises(Missing, match="e7"), db.write() as session:
        slots.set_status(session, UID, 7, "gone")


def test_a_row_that_the_session_knows_is_read_again(db: Database) -> None:
    _with_slot(db, SPEC)
    with db.write() as session:
        known = session.get(Slot, (UID, 1))
        slots.set_status(session, UID, 1, "retiring")
        assert slots.get(session, UID, 1) is known
        assert known.status == "retiring"


# --- platforms --------------------------------------------------------------------------------------


def _ensure(db: Database, workspace: str = WORKSPACE, **columns: object) -> None:
    given = {"blueprint": "fargate", "environment": "development", "cell": "default", "region": "us-east-1"}
    with db.write() as session:
        platforms.ensure(session, workspace, **{**given, "options": {"nat": 1}, "now": NOW, **columns})


def test_a_platform_is_made_once_and_takes_new_options(db: Database) -> None:
    _ensure(db)
    _ensure(db, options={"nat": 2}, now=NOW + timedelta(hours=1))
    with db.read() as session:
        (row,) = platforms.every(session)
        assert (row.options, row.phase, row.outputs_version) == ({"nat": 2}, "requested", 0)
        assert platforms.find(session, "fargate", "development", "default").workspace_id == WORKSPACE
        assert platforms.find(session, "fargate", "production", "default") is None
        assert platforms.by_workspace(session, "platform-none") is None


@pytest.mark.parametrize(("workspace", "region"), [("another", "us-east-1"), (WORKSPACE, "eu-west-1")])
def test_a_platform_keeps_its_name_and_its_region(db: Database, workspace: str, region: str) -> None:
    _ensure(db)
    with pytest.raises(Conflict, match="already"):
        _ensure(db, workspace, region=region)


def test_only_outputs_that_differ_raise_the_version(db: Database) -> None:
    _ensure(db)
    versions = []
    for outputs in ({"vpc": "v1"}, {"vpc": "v1"}, {"vpc": "v2"}, {}):
        with db.write() as session:
            platforms.record_outputs(session, WORKSPACE, outputs, "ready", NOW)
            row = platforms.by_workspace(session, WORKSPACE)
            versions.append((row.outputs_version, row.outputs, row.phase))
    assert [v[0] for v in versions] == [1, 1, 2, 3]
    assert versions[2] == (2, {"vpc": "v2"}, "ready")
    with pytest.raises(Conflict, match="platform-none"), db.write() as session:
        platforms.record_outputs(session, "platform-none", {}, "ready", NOW)
