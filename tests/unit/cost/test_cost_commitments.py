"""Commitments: from the steady base only, after right-sizing, with break-even and risk, never bought."""

from __future__ import annotations

from decimal import Decimal

import pytest

from controlplane.catalog.pricebook import load_book
from controlplane.catalog.prices.model import load_model
from controlplane.domain.cost.advice.commitments import (
    advise,
    commitment_level,
    find_term,
    reserve_databases,
    savings_plan,
    steady_base,
)
from controlplane.domain.errors import Invalid

MODEL = load_model()
LIST = load_book().rates("us-east-1")
ONE_YEAR = find_term(MODEL, "rds", 1)
SMALL = ("db.t4g.small", True)


@pytest.mark.parametrize(
    ("tenants", "level"),
    [
        (0, "none"),
        (9, "none"),
        (10, "advise"),
        (19, "advise"),
        (20, "recommend"),
        (24, "recommend"),
        (25, "expected"),
    ],
)
def test_commitments_are_advised_by_the_size_of_the_fleet(tenants: int, level: str) -> None:
    assert commitment_level(tenants) == level


def test_the_steady_base_is_what_ran_on_every_day() -> None:
    history = [{"small": 12, "micro": 3}, {"small": 10, "micro": 4}, {"small": 15}]
    assert steady_base(history) == {"small": 10}
    assert steady_base([]) == {}


def test_a_reservation_discounts_the_instance_and_not_the_storage() -> None:
    offer = reserve_databases(LIST, ONE_YEAR, *SMALL, 50)
    assert offer.on_demand_usd == Decimal("2336.00")
    assert offer.committed_usd == Decimal("1635.20")
    assert (offer.saving_usd, offer.saving_yearly_usd) == (Decimal("700.80"), Decimal("8409.60"))


def test_break_even_is_when_on_demand_would_have_cost_as_much() -> None:
    offer = reserve_databases(LIST, ONE_YEAR, *SMALL, 1)
    assert offer.break_even_months == 9
    assert offer.bound_usd == Decimal("392.40")
    assert "3 of 12 months" in offer.risk
    three = reserve_databases(LIST, find_term(MODEL, "rds", 3, "all"), *SMALL, 1)
    assert (three.break_even_months, "paid at once" in three.risk) == (17, True)


def test_a_savings_plan_takes_the_cautious_end_of_its_band() -> None:
    offer = savings_plan(LIST, find_term(MODEL, "fargate", 1), 8, Decimal("0.5"), Decimal(1))
    assert (offer.on_demand_usd, offer.committed_usd) == (Decimal("144.16"), Decimal("115.33"))


def test_a_class_without_a_price_has_no_saving() -> None:
    offer = reserve_databases(LIST, ONE_YEAR, "db.r9.huge", True, 10)
    assert (offer.on_demand_usd, offer.committed_usd, offer.saving_usd, offer.bound_usd) == (None,) * 4


def test_every_term_is_offered_and_a_one_year_term_proposed() -> None:
    advice = advise(MODEL, LIST, {SMALL: 18, ("db.t4g.micro", True): 4})
    assert advice.level == "recommend"
    assert len(advice.offers) == 6
    assert [(o.what, o.count, o.years, o.upfront) for o in advice.proposed] == [
        ("db.t4g.small Multi-AZ", 18, 1, "none"),
        ("db.t4g.micro Multi-AZ", 4, 1, "none"),
    ]


def test_right_sizing_comes_first() -> None:
    advice = advise(MODEL, LIST, {SMALL: 30}, open_resizes=2)
    assert (advice.level, advice.proposed) == ("wait", ())
    assert "right-sizing" in advice.reason


def test_a_small_fleet_is_proposed_nothing_until_it_ran_a_year() -> None:
    assert advise(MODEL, LIST, {SMALL: 1}).proposed == ()
    assert advise(MODEL, LIST, {SMALL: 1}, months_in_use=12).level == "advise"
    assert len(advise(MODEL, LIST, {SMALL: 1}, months_in_use=12).proposed) == 1


def test_no_fleet_has_nothing_to_commit_to() -> None:
    assert advise(MODEL, LIST, {}).offers == ()


def test_a_term_that_nobody_offers_and_negative_counts_are_refused() -> None:
    with pytest.raises(Invalid, match="2-year rds"):
        find_term(MODEL, "rds", 2)
    with pytest.raises(Invalid, match="count"):
        reserve_databases(LIST, ONE_YEAR, *SMALL, -1)
