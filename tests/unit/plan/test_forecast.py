"""The change forecast, on the shipped table and on real plans."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from controlplane.catalog.attributes import load_attributes
from controlplane.domain.errors import Invalid
from controlplane.domain.plan.forecast import (
    NO_OUTAGE,
    Forecast,
    How,
    Outage,
    deferred_outage,
    forecast,
    total_outage,
)
from controlplane.domain.redaction import MASK
from tests.unit.plan.plans import DATABASE, entry, plan, recorded, update

TABLE = load_attributes()
OLD = {
    "engine": "postgres",
    "engine_version": "15.10",
    "instance_class": "db.t4g.micro",
    "allocated_storage": 20,
    "multi_az": False,
    "backup_retention_period": 1,
    "storage_type": "gp3",
    "publicly_accessible": False,
    "apply_immediately": True,
}


def _one(before: dict[str, Any], **changed: Any) -> Forecast:
    (only,) = forecast(plan(update(DATABASE, before, **changed)), TABLE)
    return only


CASES = [
    ({"instance_class": "db.t4g.small"}, How.REBOOT, (180, 900)),
    ({"allocated_storage": 50}, How.IN_PLACE, (0, 0)),
    ({"allocated_storage": 10}, How.IMPOSSIBLE, (0, None)),
    ({"max_allocated_storage": 100}, How.IN_PLACE, (0, 0)),
    ({"storage_type": "gp2"}, How.IN_PLACE, (0, 0)),
    ({"storage_type": "standard"}, How.REBOOT, (300, 3600)),
    ({"iops": 12000}, How.IN_PLACE, (0, 0)),
    ({"multi_az": True}, How.IN_PLACE, (0, 0)),
    ({"engine_version": "15.12"}, How.REBOOT, (60, 600)),
    ({"engine_version": "16.1"}, How.REBOOT, (600, 3600)),
    ({"engine_version": "15.9"}, How.IMPOSSIBLE, (0, None)),
    ({"engine_version": "14.20"}, How.IMPOSSIBLE, (0, None)),
    ({"engine_version": "newest"}, How.UNKNOWN, (0, None)),
    ({"parameter_group_name": "other"}, How.REBOOT, (30, 300)),
    ({"backup_retention_period": 7}, How.IN_PLACE, (0, 0)),
    ({"backup_retention_period": 0}, How.REBOOT, (30, 300)),
    ({"storage_encrypted": True}, How.REPLACE, (0, None)),
    ({"kms_key_id": "arn:x"}, How.REPLACE, (0, None)),
    ({"identifier": "new"}, How.REBOOT, (60, 600)),
    ({"password_wo_version": 2}, How.IN_PLACE, (0, 0)),
    ({"deletion_protection": True}, How.IN_PLACE, (0, 0)),
    ({"ca_cert_identifier": "rds-ca-ecc384-g1"}, How.IN_PLACE, (0, 0)),
    ({"tags": {"stage": "production"}}, How.IN_PLACE, (0, 0)),
    ({"performance_insights_enabled": True}, How.IN_PLACE, (0, 0)),
    ({"enabled_cloudwatch_logs_exports": ["postgresql"]}, How.IN_PLACE, (0, 0)),
    ({"maintenance_window": "sun:05:00-sun:06:00"}, How.IN_PLACE, (0, 0)),
    ({"port": 5433}, How.REBOOT, (30, 300)),
    ({"db_subnet_group_name": "other"}, How.REBOOT, (300, 1800)),
    ({"publicly_accessible": True}, How.IN_PLACE, (0, 0)),
    ({"an_attribute_of_next_year": 1}, How.UNKNOWN, (0, None)),
]


@pytest.mark.parametrize(("changed", "how", "band"), CASES, ids=str)
def test_each_change_of_a_single_az_database_is_foretold(
    changed: dict[str, Any], how: How, band: tuple[int, int | None]
) -> None:
    found = _one(OLD, **changed)
    assert (found.how, found.outage) == (how, Outage(*band)) and found.words
    assert bool(found.way) or how not in (How.IMPOSSIBLE, How.REPLACE)


def test_multi_az_shortens_a_class_change_to_a_failover_and_not_an_engine_upgrade() -> None:
    both = {**OLD, "multi_az": True}
    assert _one(both, instance_class="db.t4g.small").outage == Outage(60, 120)
    assert _one(both, engine_version="15.12").outage == _one(OLD, engine_version="15.12").outage


def test_a_database_that_is_becoming_multi_az_is_counted_as_single() -> None:
    found = forecast(recorded("resize"), TABLE)
    assert {f.attribute: f.how for f in found} == {
        "allocated_storage": How.IN_PLACE,
        "instance_class": How.REBOOT,
        "multi_az": How.IN_PLACE,
    }
    assert total_outage(found) == Outage(180, 900)


def test_without_apply_immediately_a_restart_waits_for_the_window() -> None:
    found = _one({**OLD, "apply_immediately": False}, instance_class="db.t4g.small")
    assert found.how is How.DEFERRED and "maintenance window" in found.words
    assert total_outage([found]) == NO_OUTAGE and deferred_outage([found]) == Outage(180, 900)


@pytest.mark.parametrize("changed", [{"password_wo_version": 2}, {"port": 5433}])
def test_what_rds_does_at_once_anyway_is_never_deferred(changed: dict[str, Any]) -> None:
    assert _one({**OLD, "apply_immediately": False}, **changed).how is not How.DEFERRED


def test_a_new_password_version_says_that_it_sets_the_master_password() -> None:
    assert (
        "sets the master password" in _one({**OLD, "password_wo_version": None}, password_wo_version=1).words
    )


def test_outages_of_one_apply_share_a_restart_at_best_and_follow_one_another_at_worst() -> None:
    found = forecast(plan(update(DATABASE, OLD, instance_class="db.m6g.large", engine_version="16.1")), TABLE)
    assert total_outage(found) == Outage(600, 4500)
    unknown = forecast(plan(update(DATABASE, OLD, instance_class="db.m6g.large", mystery=1)), TABLE)
    assert total_outage(unknown) == Outage(180, None) and "unknown time" in total_outage(unknown).words()


def test_a_tainted_database_is_foretold_as_deleted_with_its_data() -> None:
    (found,) = forecast(recorded("tainted"), TABLE)
    assert found.how is How.REPLACE and "replace_because_tainted" in found.words and "settle" in found.way


def test_deletions_of_databases_are_foretold_and_creates_are_not() -> None:
    assert [f.how for f in forecast(recorded("drop"), TABLE)] == [How.DELETE]
    assert forecast(recorded("create"), TABLE) == []


def test_parameters_say_which_need_a_reboot() -> None:
    force = {"name": "rds.force_ssl", "apply_method": "pending-reboot"}
    memory = {"name": "work_mem", "value": "4096", "apply_method": "immediate"}
    kept = {"name": "kept", "value": "1", "apply_method": "immediate"}
    found = forecast(
        plan(
            entry(
                "aws_db_parameter_group.this",
                "update",
                {"parameter": [{**force, "value": "0"}, memory, kept]},
                {"parameter": [{**force, "value": "1"}, kept]},
            )
        ),
        TABLE,
    )
    assert [(f.attribute, f.how, f.before, f.after) for f in found] == [
        ("rds.force_ssl", How.DEFERRED, "0", "1"),
        ("work_mem", How.IN_PLACE, "4096", None),
    ]


def test_a_forecast_shows_no_secret_and_is_json() -> None:
    document = plan(
        entry(
            DATABASE,
            "update",
            {**OLD, "password": "hunter2-hunter2"},
            {**OLD, "password": "hunter3-hunter3"},
            after_sensitive={"password": True},
        )
    )
    stored = json.dumps([f.to_json() for f in forecast(document, TABLE)])
    assert "hunter" not in stored and MASK in stored


def _file(folder: Path, rows: str) -> Path:
    file = folder / "table.toml"
    file.write_text(f"schema_version = 1\n{rows}")
    return file


ROW = '[[attribute]]\nname = "a"\nwords = "w"\n'


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (ROW + 'how = "magic"\n', "allowed"),
        (ROW + 'how = "in_place"\nsingel = [1, 2]\n', "singel"),
        (ROW + 'how = "reboot"\nsingle = [1, 2]\n', "both bands"),
        (ROW + 'how = "reboot"\nsingle = [2, 1]\nmulti_az = [1, 2]\n', "least, most"),
        (ROW + 'how = "impossible"\n', "way that works"),
        (ROW + 'how = "in_place"\n' + ROW + 'how = "in_place"\n', "two rows"),
    ],
)
def test_a_damaged_table_is_refused_by_name(tmp_path: Path, rows: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        load_attributes(_file(tmp_path, rows))
