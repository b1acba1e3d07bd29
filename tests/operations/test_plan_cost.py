"""What a plan costs stands between it and its apply: budgets, tiers, the book in force, unknown prices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from controlplane.catalog.pricebook import dump_book, load_book
from controlplane.domain.operation import Kind
from controlplane.operations import Resize
from controlplane.services import platforms
from controlplane.services.costs.asked import NewBudget
from controlplane.services.costs.budgets import limits
from controlplane.steps.world import install, world
from tests.operations.house import ADMIN, ASK, BLUEPRINT, House
from tests.operations.ordinary import change, create, shown, tenant

Run = Callable[[], None]


def findings(house: House, operation_id: str) -> dict[str, str]:
    return {found["rule"]: found["level"] for found in shown(house, operation_id)["policy"]}


def set_budget(house: House, usd: str, scope: str = "fleet") -> None:
    body = NewBudget.model_validate({"scope": scope, "monthly_usd": usd})
    limits.save(house.control, ADMIN, body, ASK)


def test_a_plan_beyond_the_budget_is_refused_and_creates_nothing(house: House, run: Run) -> None:
    set_budget(house, "16.00")
    operation = create(house)
    run()
    assert shown(house, operation)["status"] == "rejected"
    assert findings(house, operation)["cost.budget"] == "forbid"
    assert house.cloud.databases() == []


def test_of_two_that_only_fit_alone_the_one_who_asked_first_goes(house: House, run: Run) -> None:
    set_budget(house, "20.00")
    first, second = create(house, "acme"), create(house, "later")
    run()
    assert [shown(house, o)["status"] for o in (first, second)] == ["succeeded", "rejected"]


def test_a_budget_of_another_stage_stands_in_nobody_s_way(house: House, run: Run) -> None:
    set_budget(house, "1.00", "production")
    operation = create(house)
    run()
    assert shown(house, operation)["status"] == "succeeded"


def test_a_region_without_prices_closes_the_gate_with_a_sentence(house: House, run: Run) -> None:
    operation = create(house, region="eu-central-1")
    run()
    seen = shown(house, operation)
    assert (seen["status"], findings(house, operation)["cost.unknown"]) == ("rejected", "forbid")
    assert "in eu-central-1" in seen["error"]["detail"]
    assert seen["cost_after"] is None


def test_a_book_that_was_taken_is_what_plans_are_judged_by(house: House, run: Run) -> None:
    book = load_book()
    key = ("rds.instance.db.t4g.micro.single", "us-east-1")
    dearer = replace(book.entries[key], usd=Decimal("0.026"))
    today = datetime.now(UTC).date()
    name, text = dump_book(replace(book, entries={**book.entries, key: dearer}, dated=today))
    folder = house.folder / "prices"
    folder.mkdir()
    (folder / name).write_text(text)
    install(replace(world(), prices=folder))
    operation = create(house)
    run()
    assert shown(house, operation)["cost_after"] == "23.88"  # 16.58, and 730 hours at a cent more
    assert tenant(house)["monthly_usd"] == "23.88"


def test_storage_that_leaves_the_band_of_the_tier_needs_another_tier(house: House, run: Run) -> None:
    create(house)
    run()
    operation = change(house, Kind.RESIZE, Resize(storage_gb=100))
    run()
    seen = shown(house, operation)
    assert seen["status"] == "rejected"
    assert "leaves the band of poc-micro" in seen["error"]["detail"]


def test_a_platform_s_plan_shows_what_it_costs(house: House, run: Run) -> None:
    body = platforms.Platform.model_validate({"environment": "staging"})
    operation = platforms.apply(house.control, ADMIN, BLUEPRINT, body, ASK)["id"]
    run()
    seen = shown(house, operation)
    assert seen["cost_after"] is not None
    assert seen["plan"]["cost"]["after"]["region"] == "us-east-1"
