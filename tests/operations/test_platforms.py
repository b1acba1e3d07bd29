"""A platform: planned without effect, launched with every item answered, destroyed when empty."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from controlplane.domain.errors import Conflict, Invalid, Refused
from controlplane.domain.tenant import Environment
from controlplane.operations import Platform, PlatformDestruction, PlatformPlan
from controlplane.services import launch, platforms
from tests.operations.house import ADMIN, ASK, BLUEPRINT, House
from tests.operations.ordinary import create, shown

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
