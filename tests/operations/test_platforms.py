"""A platform: planned without effect, launched with every item answered, destroyed when empty."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from controlplane.domain.errors import Conflict, Invalid, Refused
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Environment
from controlplane.operations import Adopt, Platform, PlatformDestruction, PlatformPlan
from controlplane.services import fleet, launch, platforms
from controlplane.store import platforms as rows
from tests.operations.house import ADMIN, ASK, BLUEPRINT, House
from tests.operations.ordinary import change, create, shown

Run = Callable[[], None]
STAGING, PRODUCTION = Environment.STAGING, Environment.PRODUCTION


def phase(house: House, environment: Environment) -> str | None:
    standing = {p["environment"]: p["phase"] for p in platforms.every(house.control, ADMIN)}
    return standing.get(environment.value)


def open_items(house: House) -> list[str]:
    items = launch.checklist(house.control, ADMIN, BLUEPRINT)["items"]
    return [item["item"] for item in items if not item["met"]]


def test_a_plan_ends_with_the_plan_and_makes_no_platform(house: House, run: Run) -> None:
    body = PlatformPlan(environment=STAGING)
    operation = platforms.plan(house.control, ADMIN, BLUEPRINT, body, ASK)["id"]
    run()
    seen = shown(house, operation)
    assert seen["status"] == "succeeded"
    assert seen["plan"]["changes"]
    assert phase(house, STAGING) is None


def test_production_with_open_items_is_refused_with_all_of_them(house: House) -> None:
    with pytest.raises(Refused) as refused:
        platforms.apply(house.control, ADMIN, BLUEPRINT, Platform(environment=PRODUCTION), ASK)
    assert open_items(house)
    assert all(f"--acknowledge {item}" in refused.value.hint for item in open_items(house))


def test_who_answers_for_an_item_stands_in_the_checklist_from_then_on(house: House) -> None:
    body = Platform(environment=PRODUCTION, acknowledge=open_items(house))
    platforms.apply(house.control, ADMIN, BLUEPRINT, body, ASK)
    view = launch.checklist(house.control, ADMIN, BLUEPRINT)
    answered = next(item for item in view["items"] if item["item"] == "root_mfa")
    assert view["open"] == 0
    assert answered["by"] == "local:ann" and answered["at"]
    platforms.apply(house.control, ADMIN, BLUEPRINT, Platform(environment=PRODUCTION), ASK)


def test_development_is_applied_without_a_checklist(house: House) -> None:
    assert platforms.apply(house.control, ADMIN, BLUEPRINT, Platform(environment=STAGING), ASK)["id"]


def test_an_item_that_nobody_knows_is_refused(house: House) -> None:
    with pytest.raises(Invalid, match="there is no item 'mfa'"):
        platforms.apply(house.control, ADMIN, BLUEPRINT, Platform(acknowledge=["mfa"]), ASK)


def test_a_platform_with_tenants_is_not_destroyed(house: House, run: Run) -> None:
    create(house)
    run()
    body = PlatformDestruction(confirm=BLUEPRINT)
    with pytest.raises(Conflict, match=r"1 tenants live on .*: acme"):
        platforms.destroy(house.control, ADMIN, BLUEPRINT, body, ASK)


def test_a_platform_is_destroyed_only_by_its_name(house: House) -> None:
    with pytest.raises(Invalid, match="repeats the blueprint's name"):
        platforms.destroy(house.control, ADMIN, BLUEPRINT, PlatformDestruction(confirm="yes"), ASK)


def test_an_empty_platform_is_taken_down(house: House, run: Run) -> None:
    platforms.apply(house.control, ADMIN, BLUEPRINT, Platform(environment=STAGING), ASK)
    run()
    assert phase(house, STAGING) == "ready"
    body = PlatformDestruction(environment=STAGING, confirm=BLUEPRINT)
    operation = platforms.destroy(house.control, ADMIN, BLUEPRINT, body, ASK)["id"]
    run()
    assert shown(house, operation)["status"] == "succeeded", shown(house, operation)["error"]
    assert phase(house, STAGING) == "torn_down"


# --- platforms whose tenants are schemas ---------------------------------------------------------------

SHARED = "serverless_cdn"


def test_a_shared_database_gets_its_secrets_before_the_plan(house: House, run: Run) -> None:
    platforms.plan(house.control, ADMIN, SHARED, PlatformPlan(environment=STAGING), ASK)
    run()
    prefix = "controlplane/serverless-cdn-staging-default/e1"
    said = json.loads(house.cloud.read_secret(f"{prefix}/application"))
    assert said == {"username": "app_a", "password": house.cloud.read_secret(f"{prefix}/app_a")}
    assert house.cloud.secret_exists(f"{prefix}/master")


def test_planned_twice_the_secrets_stay_as_they_are(house: House, run: Run) -> None:
    name = "controlplane/serverless-cdn-staging-default/e1/master"
    kept = []
    for _ in range(2):
        platforms.plan(house.control, ADMIN, SHARED, PlatformPlan(environment=STAGING), ASK)
        run()
        kept.append(house.cloud.read_secret(name))
    assert kept[0] == kept[1]


def test_a_platform_with_databases_of_tenants_makes_no_secret(house: House, run: Run) -> None:
    platforms.plan(house.control, ADMIN, BLUEPRINT, PlatformPlan(environment=STAGING), ASK)
    run()
    assert not house.cloud.secret_exists("controlplane/fargate-db-per-tenant-staging-default/e1/master")


def test_a_living_database_keeps_its_life(house: House) -> None:
    workspace = "platform-serverless_cdn-staging-default"
    place = {"blueprint": SHARED, "environment": "staging", "cell": "default", "region": "us-east-1"}
    with house.db.write() as session:
        now = house.control.now()
        rows.ensure(session, workspace, **place, options={}, now=now)
        rows.record_outputs(session, workspace, {"database_identifier": "x"}, "ready", now)
    body = Platform(environment=STAGING, options={"database_life": 2})
    with pytest.raises(Conflict, match="in its life 1, which stays"):
        platforms.apply(house.control, ADMIN, SHARED, body, ASK)


def test_a_verb_that_its_blueprint_does_not_declare_is_refused_before_anything_is_recorded(
    house: House,
) -> None:
    refused = f"acme is of {SHARED}, whose tenants have no adopt; they have: create, destroy, rotate"
    with pytest.raises(Conflict, match=refused):
        change(house, Kind.ADOPT, Adopt(identifier="theirs", blueprint=SHARED))
    assert fleet.page(house.control, ADMIN, fleet.Listing())["items"] == []
