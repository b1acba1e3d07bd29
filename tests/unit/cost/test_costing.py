"""A fleet counted by the book in force, and what doors may say about mixes, growth and currencies."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from controlplane.catalog.costing import Pricer, monthly_usd, pricer
from controlplane.catalog.pricebook import dump_book, load_book
from controlplane.domain.cost.estimate import Estimate, Line
from controlplane.domain.cost.gate import Budget, CostChange, check_budgets
from controlplane.domain.errors import Invalid
from controlplane.domain.tenant import Size, Stage
from controlplane.domain.workspace import SlotSpec
from controlplane.services.costs.asked import check_currency, parse_growth, parse_mix

MICRO = SlotSpec(1, "acme-e1", Size.MICRO, 20, multi_az=False, backup_days=1)
POC_USD = Decimal("16.58")


def costing(usd: str | None) -> Estimate:
    amount = None if usd is None else Decimal(usd)
    return Estimate((Line("rds", Decimal(1), "month", amount, amount, ""),), region="us-east-1")


def test_a_workspace_costs_what_its_lines_say() -> None:
    by = Pricer(load_book())
    assert by.monthly_usd([MICRO], "poc", "us-east-1") == POC_USD
    assert by.estimate([MICRO], "poc", "us-east-1").total == POC_USD
    assert monthly_usd([MICRO], "poc", "us-east-1") == POC_USD


@pytest.mark.parametrize(
    "other",
    [
        replace(MICRO, size=Size.SMALL),
        replace(MICRO, storage_gb=21),
        replace(MICRO, multi_az=True),
        replace(MICRO, alarms=False),
        replace(MICRO, stage=Stage.PRODUCTION),
    ],
)
def test_whatever_changes_the_cost_is_counted_anew(other: SlotSpec) -> None:
    by = Pricer(load_book())
    first, second = (by.monthly_usd([slot], "poc", "us-east-1") for slot in (MICRO, other))
    assert first != second
    assert second == by.estimate([other], "poc", "us-east-1").total


def test_stopped_it_costs_less_and_in_another_stage_something_else() -> None:
    by = Pricer(load_book())
    running = by.monthly_usd([MICRO], "poc", "us-east-1")
    assert by.monthly_usd([MICRO], "poc", "us-east-1", running=False) == Decimal("4.90")
    assert by.monthly_usd([MICRO], "production", "us-east-1") != running


def test_a_region_without_prices_is_unknown_and_names_what_is_missing() -> None:
    found = Pricer(load_book()).estimate([MICRO], "poc", "eu-central-1")
    assert (found.total, found.known_usd) == (None, 0)
    assert found.unknown
    assert monthly_usd([MICRO], "poc", "eu-central-1") is None


def test_nothing_costs_nothing_even_where_nothing_has_a_price() -> None:
    assert monthly_usd([], "poc", "eu-central-1") == 0


def test_the_newest_taken_book_is_in_force_from_its_day_on(tmp_path: Path) -> None:
    book, key = load_book(), ("rds.storage.gp3.single", "us-east-1")
    dearer = replace(book.entries[key], usd=Decimal("0.215"))
    later = replace(book, entries={**book.entries, key: dearer}, dated=date(2026, 3, 1))
    name, text = dump_book(later)
    (tmp_path / name).write_text(text)
    before, after = (
        pricer(tmp_path, day).monthly_usd([MICRO], "poc", "us-east-1")
        for day in (date(2026, 2, 28), date(2026, 3, 1))
    )
    assert (before, after) == (POC_USD, POC_USD + 2)


# --- the gate ---------------------------------------------------------------------------------------


def test_every_budget_that_a_plan_passes_is_named() -> None:
    change = CostChange(costing("10"), costing("20"))
    limits = [Budget(Decimal(25), Decimal(10), "one"), Budget(Decimal(30), Decimal(10), "two")]
    assert [f.message.partition(":")[0] for f in check_budgets(change, limits)] == ["one"]


def test_an_unknown_cost_is_no_matter_of_budgets() -> None:
    limits = [Budget(Decimal(1), Decimal(10), "one")]
    assert check_budgets(CostChange(costing("1"), costing(None)), limits) == []


# --- what is said -----------------------------------------------------------------------------------


def test_a_mix_is_said_from_the_smallest_size_on_or_by_name() -> None:
    assert parse_mix("60/30/10") == {"micro": 60, "small": 30, "medium": 10}
    assert parse_mix("large=40, micro=60") == {"large": 40, "micro": 60}
    assert parse_mix("0/100") == {"small": 100}
    assert parse_mix("") is None


@pytest.mark.parametrize("text", ["60/30", "100/1/-1", "a=100", "micro=50,micro=50", "20/20/20/20/20", "x"])
def test_a_mix_that_is_none_names_its_field(text: str) -> None:
    with pytest.raises(Invalid) as raised:
        parse_mix(text)
    assert [e.field for e in raised.value.errors] == ["mix"]


def test_growth_is_tenants_and_percent_a_month() -> None:
    assert parse_growth("10") == (10, 0)
    assert parse_growth("2.5%") == (0, Decimal("2.5"))
    assert parse_growth("10 + 5%") == (10, 5)


@pytest.mark.parametrize("text", ["fast", "1.5", "-3", "%", "5%%", "1e9", "10+", "9999999"])
def test_growth_that_is_none_names_its_field(text: str) -> None:
    with pytest.raises(Invalid) as raised:
        parse_growth(text)
    assert [e.field for e in raised.value.errors] == ["growth"]


def test_only_dollars_are_understood() -> None:
    check_currency("USD")
    with pytest.raises(Invalid, match="EUR"):
        check_currency("EUR")
