"""Drift from the scan to a decision, on a catalog with a fake AWS."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controlplane.domain.errors import Conflict, Denied, Missing, Refused, Unavailable
from controlplane.services import tenants
from controlplane.services.actor import Actor, Role
from controlplane.services.asking import Way
from controlplane.services.control import Ask
from controlplane.services.drift import deciding, scanning
from controlplane.services.drift.asked import Listing, Scanning
from tests.doors.care.neighbourhood import ADMIN, WAY, Neighbourhood

ASK = Ask(reason="seen and wanted")


def scan(here: Neighbourhood, **body: Any) -> dict[str, Any]:
    return scanning.scan(here.control, ADMIN, Scanning(**body), WAY)


def listed(here: Neighbourhood, **query: Any) -> list[dict[str, Any]]:
    return list(deciding.page(here.control, ADMIN, Listing(**query))["items"])


def only(here: Neighbourhood, **query: Any) -> dict[str, Any]:
    (found,) = listed(here, **query)
    return found


def shown(here: Neighbourhood, slug: str) -> dict[str, Any]:
    return tenants.show(here.control, ADMIN, slug)


def test_a_fleet_that_is_as_recorded_has_no_differences_and_is_asked_for_once(here: Neighbourhood) -> None:
    for number in range(5):
        here.tenant(f"t-{number}")
    found = scan(here)
    assert (found["looked_at"], found["databases_in_aws"], found["items"]) == (5, 5, [])
    assert here.cloud.world.calls() == ["databases"]


def test_what_was_changed_outside_is_found_once_and_ends_when_it_is_mended(here: Neighbourhood) -> None:
    identifier = here.tenant("acme")
    here.cloud.change_database(identifier, public=True)
    assert scan(here)["inbox"] == {"new": 1}
    assert scan(here)["inbox"] == {"known": 1}
    found = only(here)
    assert (found["tenant"], found["attribute"], found["severity"]) == ("acme", "public", "dangerous")
    here.cloud.change_database(identifier, public=False)
    assert scan(here)["inbox"] == {"ended": 1}
    assert only(here, status="ended")["decision_reason"] == "as recorded again"


def test_a_dry_run_compares_and_writes_nothing(here: Neighbourhood) -> None:
    identifier = here.tenant("acme")
    here.cloud.change_database(identifier, multi_az=True)
    found = scanning.scan(here.control, ADMIN, Scanning(), Way(Ask(), dry_run=True))
    assert [d["attribute"] for d in found["items"]] == ["multi_az"]
    assert listed(here) == []


def test_storage_that_autoscaling_grew_becomes_the_new_floor(here: Neighbourhood) -> None:
    identifier = here.tenant("acme")
    before = shown(here, "acme")
    here.cloud.change_database(identifier, storage_gb=27)
    found = scan(here)
    assert found["inbox"] == {"written_back": 1}
    after = shown(here, "acme")
    assert (after["storage_gb"], here.slot("acme")["storage_gb"]) == (27, 27)
    assert after["monthly_usd"] is not None
    assert (after["generation"], after["observed_generation"]) == (
        before["generation"] + 1,
        before["observed_generation"] + (before["generation"] == before["observed_generation"]),
    )
    assert scan(here)["differences"] == {"benign": 1}  # the ceiling follows with the next change
    assert only(here, status="written_back")["found"] == "27"


def test_a_minor_version_that_rds_raised_is_recorded_and_a_major_one_is_left_to_a_person(
    here: Neighbourhood,
) -> None:
    raised, replaced = here.tenant("raised"), here.tenant("replaced")
    with here.control.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE slot SET engine_version = '16.4'")
    here.cloud.change_database(raised, engine_version="16.8")
    here.cloud.change_database(replaced, engine_version="17.1")
    assert scan(here)["inbox"] == {"new": 1, "written_back": 1}
    versions = [here.slot(slug)["engine_version"] for slug in ("raised", "replaced")]
    assert versions == ["16.8", "16.4"]
    assert [(d["tenant"], d["severity"]) for d in scan(here)["items"]] == [("replaced", "real")]


def test_nothing_is_written_back_under_the_hands_of_an_operation(here: Neighbourhood) -> None:
    identifier = here.tenant("acme")
    here.cloud.change_database(identifier, storage_gb=27)
    _hold(here)
    found = scan(here)
    assert found["looked_at"] == 0
    assert "is being changed by" in found["skipped"][0]["why"]
    assert here.slot("acme")["storage_gb"] == 20


def _hold(here: Neighbourhood) -> None:
    with here.control.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE operation SET status = 'planning'")


@pytest.mark.parametrize("phase", ["failed", "needs_operator", "ready", "converging"])
def test_a_failed_run_does_not_pause_the_look(here: Neighbourhood, phase: str) -> None:
    identifier = here.tenant("acme")
    with here.control.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tenant SET phase = ?", (phase,))
    here.cloud.change_database(identifier, deletion_protection=False)
    assert scan(here)["differences"] == {"dangerous": 1}


def test_a_database_that_is_gone_is_dangerous_and_for_a_person(here: Neighbourhood) -> None:
    here.tenant("other")
    here.cloud.remove_database(here.tenant("acme"))
    scan(here)
    found = only(here)
    assert (found["tenant"], found["attribute"], found["severity"]) == ("acme", "", "dangerous")
    assert "do not apply" in found["next_step"]
    with pytest.raises(Refused, match="does not mend"):
        deciding.reconcile(here.control, ADMIN, found["id"], ASK)
    with pytest.raises(Refused, match="nothing to accept"):
        deciding.accept(here.control, ADMIN, found["id"], ASK)


def test_none_of_a_whole_fleet_there_is_rather_the_wrong_account(here: Neighbourhood) -> None:
    identifiers = [here.tenant(f"t-{number}") for number in range(3)]
    for identifier in identifiers:
        here.cloud.remove_database(identifier)
    with pytest.raises(Unavailable, match="none of 3"):
        scan(here)
    assert listed(here) == []


def test_an_orphan_is_found_and_who_sees_a_part_does_not_see_it(here: Neighbourhood) -> None:
    here.tenant("acme")
    here.cloud.add_database("left-x1234567-e1", {"managed-by": "controlplane", "uid": "x1234567"})
    here.cloud.add_database("stranger", {"team": "other"})
    here.cloud.add_database("leaving", {"managed-by": "controlplane"}, status="deleting")
    scan(here)
    found = only(here)
    assert (found["identifier"], found["situation"], found["tenant"]) == ("left-x1234567-e1", "orphan", None)
    part = Actor("op", Role.OPERATOR, ("acme",))
    assert deciding.page(here.control, part, Listing())["items"] == []
    with pytest.raises(Denied):
        deciding.show(here.control, part, found["id"])
    here.cloud.remove_database("left-x1234567-e1")
    assert scan(here)["inbox"] == {"ended": 1}


def test_a_database_that_was_replaced_is_known_by_its_id(here: Neighbourhood) -> None:
    identifier = here.tenant("acme")
    scan(here)
    here.cloud.change_database(identifier, resource_id="DB-ANOTHER")
    scan(here)
    found = only(here)
    assert (found["attribute"], found["severity"], found["found"]) == (
        "resource_id",
        "dangerous",
        "DB-ANOTHER",
    )
    deciding.accept(here.control, ADMIN, found["id"], ASK)
    assert scan(here)["items"] == []


def test_a_look_at_a_part_ends_nothing_of_the_others(here: Neighbourhood) -> None:
    here.cloud.change_database(here.tenant("acme"), public=True)
    here.tenant("beta")
    here.cloud.add_database("left", {"managed-by": "controlplane"})
    scan(here)
    assert scan(here, selector="slug=beta")["inbox"] == {}
    assert len(listed(here)) == 2


def test_a_difference_of_a_tenant_that_was_torn_down_ends(here: Neighbourhood) -> None:
    identifier = here.tenant("acme")
    here.cloud.change_database(identifier, public=True)
    scan(here)
    with here.control.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tenant SET phase = 'torn_down'")
        connection.exec_driver_sql("UPDATE slot SET status = 'gone'")
    here.cloud.remove_database(identifier)
    assert scan(here)["inbox"] == {"ended": 1}


# --- deciding ---------------------------------------------------------------------------------------


def test_to_accept_changes_what_is_recorded_and_the_next_scan_is_empty(here: Neighbourhood) -> None:
    identifier = here.tenant("acme")
    here.cloud.change_database(identifier, instance_class="db.t4g.medium", backup_retention_days=2)
    scan(here)
    for found in listed(here):
        deciding.accept(here.control, ADMIN, found["id"], ASK)
    after = shown(here, "acme")
    assert (after["size"], after["cost_tier"]) == ("medium", "poc-medium")
    assert (here.slot("acme")["size"], here.slot("acme")["backup_days"]) == ("medium", 2)
    assert scan(here)["items"] == []
    with pytest.raises(Conflict, match="accepted already"):
        deciding.accept(here.control, ADMIN, found["id"], ASK)


@pytest.mark.parametrize(
    "change", [{"public": True}, {"deletion_protection": False}, {"backup_retention_days": 0}]
)
def test_danger_cannot_be_accepted(here: Neighbourhood, change: dict[str, Any]) -> None:
    here.cloud.change_database(here.tenant("acme"), **change)
    scan(here)
    with pytest.raises(Refused, match="nothing to accept"):
        deciding.accept(here.control, ADMIN, only(here)["id"], ASK)


def test_a_class_outside_of_the_catalog_cannot_be_accepted(here: Neighbourhood) -> None:
    here.cloud.change_database(here.tenant("acme"), instance_class="db.r6g.16xlarge")
    scan(here)
    with pytest.raises(Refused, match=r"no class of the catalog"):
        deciding.accept(here.control, ADMIN, only(here)["id"], ASK)


def test_micro_in_production_is_accepted_by_name_only(here: Neighbourhood) -> None:
    identifier = here.tenant("shop", stage="production")
    here.cloud.change_database(identifier, instance_class="db.t4g.micro")
    scan(here)
    id_ = only(here)["id"]
    with pytest.raises(Refused, match="recorded decision"):
        deciding.accept(here.control, ADMIN, id_, Ask())
    deciding.accept(here.control, ADMIN, id_, Ask(reason="a quiet shop"))
    with here.control.db.engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT size, rightsizing_decision FROM tenant").one()
    assert tuple(row) == ("micro", "local:ann: a quiet shop")


def test_to_reconcile_makes_the_ordinary_operation_once(here: Neighbourhood) -> None:
    here.cloud.change_database(here.tenant("acme"), public=True)
    scan(here)
    id_ = only(here)["id"]
    operation = deciding.reconcile(here.control, ADMIN, id_, Ask())
    assert (operation["kind"], operation["reason"]) == ("reconcile", "drift: public is yes, recorded is no")
    assert (only(here)["status"], only(here)["operation"]) == ("proposed", operation["id"])
    with pytest.raises(Conflict, match="proposed already"):
        deciding.reconcile(here.control, ADMIN, id_, ASK)


def test_what_a_reconcile_did_not_mend_is_open_again(here: Neighbourhood) -> None:
    here.cloud.change_database(here.tenant("acme"), public=True)
    scan(here)
    operation = deciding.reconcile(here.control, ADMIN, only(here)["id"], ASK)
    here.premises.finish(operation["id"])
    scan(here)
    assert only(here)["status"] == "open"


def test_who_may_not_is_refused(here: Neighbourhood) -> None:
    here.cloud.change_database(here.tenant("acme"), public=True)
    scan(here)
    id_ = only(here)["id"]
    viewer, stranger = Actor("v", Role.VIEWER), Actor("s", Role.OPERATOR, ("other",))
    with pytest.raises(Denied):
        deciding.accept(here.control, viewer, id_, ASK)
    with pytest.raises(Missing):
        deciding.reconcile(here.control, stranger, id_, ASK)
    with pytest.raises(Denied):
        scanning.scan(here.control, viewer, Scanning(), WAY)
    assert deciding.page(here.control, stranger, Listing())["items"] == []


def test_without_aws_nothing_is_said(here: Neighbourhood) -> None:
    here.tenant("acme")
    with pytest.raises(Unavailable):
        scanning.scan(replace(here.control, fleet_source=None), ADMIN, Scanning(), WAY)
    here.cloud.world.inject("databases", "unavailable")
    with pytest.raises(Unavailable):
        scan(here)


def test_pages_follow_each_other_and_filter(here: Neighbourhood) -> None:
    for number in range(4):
        here.cloud.change_database(here.tenant(f"t-{number}"), public=number % 2 == 0, multi_az=True)
    scan(here)
    first = deciding.page(here.control, ADMIN, Listing(page_size=4))
    second = deciding.page(here.control, ADMIN, Listing(page_size=4, page_token=first["next_page_token"]))
    assert (len(first["items"]), len(second["items"]), second["next_page_token"]) == (4, 2, None)
    assert len(listed(here, severity="dangerous")) == 2


def test_a_database_that_was_left_is_compared_with_the_platform_that_it_lives_on(here: Neighbourhood) -> None:
    """While its tenant soaks in production, the one of before is kept as a proof of concept is."""
    here.tenant("moved")
    with here.control.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE slot SET stage = 'poc', environment = 'development'")
        connection.exec_driver_sql("UPDATE tenant SET stage = 'production', environment = 'production'")
        connection.exec_driver_sql(
            "UPDATE platform SET outputs ="
            " json_set(outputs, '$.parameter_groups', json_object('16', environment))"
        )
    here.cloud.change_database(here.slot("moved")["identifier"], parameter_group="development")
    found = scan(here)["items"]
    assert [d["attribute"] for d in found if d["attribute"] in ("parameter_group", "max_storage_gb")] == []
