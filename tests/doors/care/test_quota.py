"""Quotas: defaults, what AWS says of the account, and the tenant that no longer fits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controlplane.domain.errors import Denied, Refused, Unavailable
from controlplane.services import quotas
from controlplane.services.actor import Actor, Role
from controlplane.services.asking import Way
from controlplane.services.control import Ask
from tests.doors.care.neighbourhood import ADMIN, WAY, Neighbourhood
from tests.fakes.metrics import FakeQuotas


def shown(here: Neighbourhood) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in quotas.show(here.control, ADMIN)["items"]}


def grant(here: Neighbourhood, **figures: tuple[int, int | None]) -> None:
    control = replace(here.control, quota_source=lambda: FakeQuotas(figures))
    quotas.refresh(control, ADMIN, WAY)


def test_the_defaults_say_at_which_tenant_something_runs_out(here: Neighbourhood) -> None:
    for number in range(3):
        here.tenant(f"t-{number}")
    found = shown(here)["rds_instances"]
    assert (found["limit"], found["source"], found["used"]) == (40, "default", 3)
    assert (found["tenants_left"], found["runs_out_at_tenant"]) == (31, 35)
    assert shown(here)["rds_manual_snapshots"]["state"] == "unknown"


def test_what_aws_says_goes_before_the_default(here: Neighbourhood) -> None:
    here.tenant("acme")
    grant(here, rds_instances=(100, 7), rds_manual_snapshots=(100, 95))
    found = shown(here)
    assert (found["rds_instances"]["limit"], found["rds_instances"]["used"]) == (100, 7)
    assert found["rds_instances"]["source"] == "aws"
    assert (found["rds_manual_snapshots"]["percent"], found["rds_manual_snapshots"]["state"]) == (
        95.0,
        "warn",
    )


def test_what_is_wanted_counts_before_it_is_there(here: Neighbourhood) -> None:
    for number in range(3):
        here.premises.tenant(f"t-{number}")
    grant(here, rds_instances=(100, 1))
    assert shown(here)["rds_instances"]["used"] == 3


def test_the_fullest_comes_first(here: Neighbourhood) -> None:
    here.tenant("acme")
    items = quotas.show(here.control, ADMIN)["items"]
    known = [item["percent"] for item in items if item["percent"] is not None]
    assert known == sorted(known, reverse=True)
    assert items[-1]["percent"] is None


def test_a_dry_run_asks_and_keeps_nothing(here: Neighbourhood) -> None:
    control = replace(here.control, quota_source=lambda: FakeQuotas({"rds_instances": (100, 7)}))
    assert quotas.refresh(control, ADMIN, Way(Ask(), dry_run=True))["answered"] == ["rds_instances"]
    assert shown(here)["rds_instances"]["source"] == "default"
    with pytest.raises(Unavailable):
        quotas.refresh(replace(control, quota_source=None), ADMIN, WAY)
    with pytest.raises(Denied):
        quotas.refresh(control, Actor("v", Role.VIEWER), WAY)


@pytest.mark.parametrize(("used", "warned"), [(27, False), (28, True), (33, True)])
def test_admission_warns_from_seventy_percent(here: Neighbourhood, used: int, warned: bool) -> None:
    grant(here, rds_instances=(40, used))
    with here.control.db.read() as session:
        found = quotas.check_admission(here.control, session, "us-east-1", 20)
    assert found == ([f"{used} of 40 database instances in us-east-1"] if warned else [])


def test_admission_refuses_what_is_kept_for_migrations_and_restores(here: Neighbourhood) -> None:
    grant(here, rds_instances=(40, 34))
    with pytest.raises(Refused, match="no tenant more in us-east-1: 34 of 40 database instances"):
        here.premises.tenant("one-more")
    grant(here, rds_instances=(60, 34))
    assert here.premises.tenant("one-more")


def test_a_warning_stands_in_the_story_of_the_operation(here: Neighbourhood) -> None:
    grant(here, rds_instances=(40, 30))
    operation = here.premises.tenant("acme")
    with here.control.db.engine.connect() as connection:
        query = "SELECT text FROM operation_event WHERE type = 'warning' AND operation_id = ?"
        (text,) = connection.exec_driver_sql(query, (operation,)).scalars()
    assert text == "30 of 40 database instances in us-east-1"


def test_another_region_has_room_of_its_own(here: Neighbourhood) -> None:
    for number in range(3):
        here.tenant(f"t-{number}")
    grant(here, rds_instances=(5, 0))
    with here.control.db.read() as session:
        assert quotas.check_admission(here.control, session, "eu-west-1", 20) == []
