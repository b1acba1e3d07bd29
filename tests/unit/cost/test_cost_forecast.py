"""What-if up to ten thousand tenants, growth, turning points and options."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from controlplane.catalog.pricebook import load_book
from controlplane.catalog.prices.model import load_model
from controlplane.domain.cost.estimate import Estimate
from controlplane.domain.cost.forecast import (
    TYPICAL_MIX,
    Growth,
    Scenario,
    compare_mixes,
    forecast,
    sweep,
    turning_points,
    what_if,
)
from controlplane.domain.cost.model import Limit
from controlplane.domain.cost.options import add_options
from controlplane.domain.errors import Invalid
from controlplane.domain.money import cents

MODEL = load_model()
LIST = load_book().rates("us-east-1")
IRELAND = load_book().rates("eu-west-1")


def with_options(tenants: int, *options: str, high: bool = False) -> Estimate:
    return what_if(MODEL, LIST, tenants, Scenario(options=options, high=high))


def extra(*options: str, high: bool = False) -> Decimal:
    return with_options(10, *options, high=high).known_usd - with_options(10).known_usd


def test_what_if_reaches_from_none_to_ten_thousand() -> None:
    costs = [usd.known_usd for _, usd in sweep(MODEL, LIST, [0, 1, 10, 100, 1000, 10_000])]
    assert costs == sorted(costs)
    assert costs[3] == Decimal("5814.67")


@pytest.mark.parametrize("tenants", [-1, 10_001])
def test_a_number_of_tenants_out_of_range_is_refused(tenants: int) -> None:
    with pytest.raises(Invalid, match="tenants"):
        what_if(MODEL, LIST, tenants)


def test_a_mix_changes_only_the_databases() -> None:
    uniform, mixed = (what_if(MODEL, LIST, 50, Scenario(mix=m)) for m in (None, TYPICAL_MIX))
    assert mixed.component("rds") == Decimal("1983.80")
    assert {k: v for k, v in uniform.by_component().items() if k != "rds"} == {
        k: v for k, v in mixed.by_component().items() if k != "rds"
    }


def test_right_sizing_fifty_tenants_saves_what_the_rates_say() -> None:
    found = compare_mixes(MODEL, LIST, 50, TYPICAL_MIX)
    assert found["counts"] == {"micro": 30, "small": 15, "medium": 5}
    assert (found["saving_monthly_usd"], found["saving_yearly_usd"]) == (
        Decimal("467.20"),
        Decimal("5606.40"),
    )


def test_growth_adds_tenants_and_percents_and_stops_at_the_most() -> None:
    assert Growth(10, 3, tenants_a_month=5).counts() == [10, 15, 20, 25]
    assert Growth(10, 3, percent_a_month=Decimal(10)).counts() == [10, 11, 12, 13]
    assert Growth(9000, 2, percent_a_month=Decimal(50)).counts() == [9000, 10_000, 10_000]


@pytest.mark.parametrize(
    "growth", [Growth(-1, 3), Growth(1, -3), Growth(1, 121), Growth(1, 3, percent_a_month=Decimal(-5))]
)
def test_growth_that_cannot_be_is_refused(growth: Growth) -> None:
    with pytest.raises(Invalid):
        forecast(MODEL, LIST, growth)


def test_a_forecast_tells_what_changes_in_the_month_it_changes() -> None:
    points = forecast(MODEL, LIST, Growth(8, 2, tenants_a_month=6))
    assert [p.tenants for p in points] == [8, 14, 20]
    assert any("commitments" in t.action for t in points[1].turning)
    assert points[0].turning == ()
    assert points[1].monthly_usd == what_if(MODEL, LIST, 14).total
    assert points[1].per_tenant_usd == cents(what_if(MODEL, LIST, 14).known_usd / 14)
    assert points[2].as_json()["month"] == 2


def test_a_turning_point_is_told_once() -> None:
    points = forecast(MODEL, LIST, Growth(0, 24, tenants_a_month=10))
    told = [t for p in points for t in p.turning]
    assert len(told) == len(set(told))
    assert {t.tenants for t in told} == {t.tenants for t in turning_points(MODEL, upto=240)}


def test_quotas_warn_at_seventy_and_refuse_at_ninety_percent_keeping_the_reserve() -> None:
    at = {t.tenants: t.what for t in turning_points(MODEL) if t.what.startswith("rds instances")}
    assert list(at) == [27, 35]
    assert "90 percent" in at[35]


def test_a_larger_quota_moves_its_turning_point() -> None:
    raised = Limit("rds instances", Decimal(400), Decimal(1), "raise", 2)
    model = replace(MODEL, limits=(raised,))
    assert [t.tenants for t in turning_points(model) if t.kind == "quota"] == [279, 359]


def test_every_kind_of_change_has_its_point() -> None:
    first = {t.kind: t.tenants for t in reversed(turning_points(MODEL))}
    assert first == {
        "transfer": 4,
        "milestone": 6,
        "quota": 27,
        "proxy": 51,
        "cell": 101,
        "nat": 5476,
    }
    assert {10, 20, 25} <= {t.tenants for t in turning_points(MODEL) if t.kind == "milestone"}


def test_stages_begin_at_six_and_at_twenty_five_tenants() -> None:
    told = {t.tenants: t.action for t in turning_points(MODEL) if t.kind == "milestone"}
    assert "early production" in told[6]
    assert "right-size" in told[25]


def test_options_cost_what_their_rules_say() -> None:
    assert extra("waf") == Decimal("15.00")
    assert extra("proxy") == Decimal("219.00")
    assert extra("replica") == Decimal("256.60")
    assert (extra("vpc_endpoints"), extra("vpc_endpoints", high=True)) == (Decimal("7.00"), Decimal("10.00"))
    assert extra("nat_gateway") == 2 * 32 + Decimal("13.50")
    assert extra("nat_gateway") - extra("nat_instance") == 2 * 29


def test_a_second_region_is_forty_percent_of_everything_before_it() -> None:
    base = with_options(10, "waf").known_usd
    assert extra("waf", "multi_region") - extra("waf") == (base * Decimal("0.4")).quantize(Decimal("0.01"))


def test_business_support_is_the_greater_of_its_floor_and_a_tenth_of_the_bill() -> None:
    assert str(with_options(1, "support_business").component("support")) == "100.00"
    assert with_options(100, "support_business").component("support") == Decimal("581.47")
    assert extra("support_developer") == Decimal("29.00")


def test_options_that_exclude_each_other_and_unknown_ones_are_refused() -> None:
    with pytest.raises(Invalid, match="exclude each other"):
        with_options(1, "nat_gateway", "nat_instance")
    with pytest.raises(Invalid, match="no option 'jacuzzi'"):
        with_options(1, "jacuzzi")


def test_an_option_taken_twice_is_paid_once() -> None:
    assert extra("waf", "waf") == extra("waf")


def test_negative_bases_of_an_option_are_refused() -> None:
    with pytest.raises(Invalid, match="zones"):
        add_options(MODEL, LIST, Estimate(()), ["nat_gateway"], {"zones": -1})


def test_an_unknown_price_makes_the_percentages_unknown_too() -> None:
    estimate = what_if(
        MODEL, IRELAND, 10, Scenario(options=("nat_instance", "multi_region", "support_business"))
    )
    assert estimate.total is None
    assert estimate.component("multi_region") is None
    assert estimate.component("support") is None


def test_shared_database_blueprints_can_be_forecast_too() -> None:
    scenario = Scenario(blueprint="serverless_shared_db", options=("nat_gateway",))
    points = forecast(MODEL, LIST, Growth(100, 12, percent_a_month=Decimal(20)), scenario)
    assert all(p.monthly_usd for p in points)
