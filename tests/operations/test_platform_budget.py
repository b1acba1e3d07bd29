"""The budget that a platform is rendered with: said, its stage's, or the estimate with headroom."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from controlplane.domain.errors import Refused
from controlplane.domain.tenant import Environment
from controlplane.services import operations as operation_service
from controlplane.services import platforms
from controlplane.services.costs import book
from controlplane.services.costs.asked import NewBudget
from controlplane.services.costs.budgets import limits
from controlplane.services.costs.fleet import platform_estimate
from controlplane.store import operations
from tests.operations.house import ADMIN, ASK, BLUEPRINT, House
from tests.operations.ordinary import create, shown

Run = Callable[[], None]
STAGING = Environment.STAGING


def expected(house: House, **options: Any) -> Decimal:
    """What the shared part alone costs."""
    by = book.in_force(house.control)
    total = platform_estimate(house.control, by, BLUEPRINT, STAGING.value, "us-east-1", options).total
    assert total is not None
    return total


def rendered(house: House, run: Run, **body: Any) -> int:
    """What the workspace of the platform says once it was planned."""
    wanted = platforms.Platform.model_validate({"environment": "staging", **body})
    operation = platforms.apply(house.control, ADMIN, BLUEPRINT, wanted, ASK)["id"]
    run()
    assert shown(house, operation)["status"] in ("succeeded", "no_changes")
    (values,) = (house.folder / "workspaces").glob("*staging*/platform.auto.tfvars.json")
    return int(json.loads(values.read_text())["monthly_budget_usd"])


def test_without_a_word_it_is_the_estimate_with_headroom_in_whole_tens(house: House, run: Run) -> None:
    budget = rendered(house, run)
    assert budget % 10 == 0
    assert (
        0 <= budget - expected(house) * Decimal("1.25") < 40
    )  # one tenant that it is made for, and rounding


def test_headroom_is_a_setting(house: House, run: Run) -> None:
    first = rendered(house, run)
    house.control = replace(house.control, budget_headroom_percent=100)
    assert rendered(house, run) > first * Decimal("1.5")


def test_tenants_that_it_is_made_for_are_counted(house: House, run: Run) -> None:
    assert rendered(house, run, options={"tenant_count": 25}) > rendered(house, run) + 24 * 16


def test_tenants_that_live_there_are_counted_by_what_they_cost(house: House, run: Run) -> None:
    for slug in ("one", "two", "three"):
        create(house, slug, size="small")
    before = asked_for(house)
    run()
    assert asked_for(house) > before + 3 * 20


def asked_for(house: House) -> int:
    """What a plan of the tenants' platform would be rendered with."""
    wanted = platforms.PlatformPlan.model_validate({"environment": "development"})
    operation = platforms.plan(house.control, ADMIN, BLUEPRINT, wanted, ASK)["id"]
    with house.db.read() as session:
        options = operations.get(session, operation).payload["options"]
    operation_service.cancel(house.control, ADMIN, operation, ASK)
    return int(options["monthly_budget_usd"])


def test_the_stage_s_budget_and_then_what_was_said_go_first(house: House, run: Run) -> None:
    body = NewBudget.model_validate({"scope": "poc", "monthly_usd": "312.40"})
    limits.save(house.control, ADMIN, body, ASK)
    assert rendered(house, run) == 313
    assert rendered(house, run, options={"monthly_budget_usd": 42}) == 42


def test_every_blueprint_as_it_comes_has_a_price_where_the_book_is_whole(house: House) -> None:
    by, catalog = book.in_force(house.control), house.control.catalog
    unknown = {
        (name, environment): found.unknown
        for name, blueprint in catalog.blueprints.items()
        for environment in blueprint.environments
        if (found := platform_estimate(house.control, by, name, environment, "us-east-1", {})).total is None
    }
    assert unknown == {}


def test_what_nobody_can_price_has_no_budget_until_somebody_says_one(house: House) -> None:
    wanted = platforms.Platform.model_validate({"environment": "staging", "region": "eu-central-1"})
    with pytest.raises(Refused, match=r"in eu-central-1 nobody knows what some of it costs \(kms") as refused:
        platforms.apply(house.control, ADMIN, BLUEPRINT, wanted, ASK)
    assert "--option monthly_budget_usd=USD" in refused.value.hint
    assert [p["environment"] for p in platforms.every(house.control, ADMIN)] == ["development", "production"]
    said = wanted.model_copy(update={"options": {"monthly_budget_usd": 500}})
    assert platforms.apply(house.control, ADMIN, BLUEPRINT, said, ASK)["kind"] == "platform"
