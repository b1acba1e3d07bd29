"""The fleet's sums, shares that add up, and bills against estimates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from controlplane.domain.cost.estimate import Estimate, Line
from controlplane.domain.cost.fleet import (
    Drift,
    FleetTenant,
    TenantCost,
    by_day,
    database_share,
    drifts,
    split_shared,
    total,
    totals_by,
)
from controlplane.domain.cost.report.bill import Bill, BillRow, days_to_ask
from controlplane.domain.errors import Invalid

FLEET = [
    FleetTenant("acme", "production", "small", "us-east-1", Decimal("53.52"), {"team": "red"}),
    FleetTenant("beta", "poc", "micro", "us-east-1", Decimal("16.58"), {"team": "red"}),
    FleetTenant("coma", "poc", "micro", "eu-west-1", None),
]


def sums(by: str) -> dict[str, tuple[int, Decimal | None]]:
    return {g.name: (g.tenants, g.monthly_usd) for g in totals_by(FLEET, by)}


def test_a_fleet_with_one_unknown_tenant_has_an_unknown_total_and_names_it() -> None:
    whole = total(FLEET)
    assert (whole.monthly_usd, whole.yearly_usd, whole.unknown) == (None, None, ("coma",))
    assert whole.known_usd == Decimal("70.10")
    assert total(FLEET[:2]).yearly_usd == Decimal("841.20")


def test_totals_group_by_what_is_asked() -> None:
    assert sums("stage") == {"production": (1, Decimal("53.52")), "poc": (2, None)}
    assert sums("region") == {"us-east-1": (2, Decimal("70.10")), "eu-west-1": (1, None)}
    assert sums("tier")["poc-micro"] == (2, None)
    assert sums("label:team") == {"red": (2, Decimal("70.10")), "(none)": (1, None)}
    with pytest.raises(Invalid, match="cannot group by 'colour'"):
        totals_by(FLEET, "colour")


def test_groups_add_up_to_the_fleet() -> None:
    for by in ("stage", "size", "region", "tier", "cell", "blueprint", "label:team"):
        assert sum(g.known_usd for g in totals_by(FLEET, by)) == total(FLEET).known_usd


def test_history_is_summed_by_day() -> None:
    first, second = date(2026, 1, 1), date(2026, 1, 2)
    records = [(second, Decimal(3)), (first, Decimal(1)), (first, Decimal(2)), (second, None)]
    assert by_day(records) == [(first, Decimal(3)), (second, None)]


def test_an_even_split_gives_the_odd_cents_by_name() -> None:
    assert split_shared(Decimal("100.00"), {"b": 9, "a": 1, "c": 5}) == {
        "a": Decimal("33.34"),
        "b": Decimal("33.33"),
        "c": Decimal("33.33"),
    }


def test_a_weighted_split_gives_odd_cents_to_the_largest_remainders() -> None:
    shares = split_shared(Decimal("0.10"), {"a": 1, "b": 1, "c": 4}, "weight")
    assert shares == {"a": Decimal("0.02"), "b": Decimal("0.02"), "c": Decimal("0.06")}
    assert split_shared(Decimal("0.10"), {"a": 2, "b": 1}, "weight") == {
        "a": Decimal("0.07"),
        "b": Decimal("0.03"),
    }
    assert split_shared(Decimal(1), {"a": 2, "b": 1}, "weight") == {
        "a": Decimal("0.67"),
        "b": Decimal("0.33"),
    }


def test_unused_shared_things_are_paid_evenly_and_zero_weights_are_refused() -> None:
    assert split_shared(Decimal(2), {"a": 0, "b": 0}, "usage") == {"a": Decimal(1), "b": Decimal(1)}
    with pytest.raises(Invalid, match="zero"):
        split_shared(Decimal(2), {"a": 0, "b": 0}, "weight")


def test_an_unknown_shared_cost_is_unknown_for_everybody() -> None:
    assert split_shared(None, {"a": 1, "b": 1}) == {"a": None, "b": None}
    assert split_shared(Decimal(5), {}) == {}


@pytest.mark.parametrize(("weights", "rule"), [({"a": -1}, "weight"), ({"a": 1}, "lottery")])
def test_a_split_that_cannot_be_is_refused(weights: dict[str, int], rule: str) -> None:
    with pytest.raises(Invalid):
        split_shared(Decimal(1), weights, rule)


def test_drift_compares_the_same_days() -> None:
    drift = Drift("acme", Decimal(60), Decimal(25), days=10, month_days=30)
    assert (drift.expected_usd, drift.delta_usd, drift.percent) == (
        Decimal("20.00"),
        Decimal("5.00"),
        Decimal("25.0"),
    )
    assert drift.is_off(Decimal(20))
    assert not drift.is_off(Decimal(25))
    assert not drift.is_off(Decimal(20), least_usd=Decimal(6))


def test_drift_with_an_unknown_side_is_unknown_and_not_off() -> None:
    for one in (Drift("a", None, Decimal(5), 10, 30), Drift("a", Decimal(5), None, 10, 30)):
        assert (one.delta_usd, one.percent, one.is_off(Decimal(1))) == (None, None, False)


def test_whoever_is_billed_without_an_estimate_is_in_the_list() -> None:
    rows = drifts({"acme": Decimal(30)}, {"acme": Decimal(12), "ghost": Decimal(9)}, 10, 30)
    assert [(r.slug, r.delta_usd) for r in rows] == [("acme", Decimal("2.00")), ("ghost", None)]
    with pytest.raises(Invalid, match="no period"):
        drifts({}, {}, 31, 30)


def test_a_tenants_costs_stand_side_by_side() -> None:
    usd = Decimal("16.58")
    now = Estimate((Line("rds", Decimal(1), "month", usd, usd, "rule"),))
    cost = TenantCost(
        "acme", now, drift=Drift("acme", usd, Decimal(6), 10, 30), shared_usd=Decimal("1.10")
    ).as_json()
    assert (cost["with_shared_usd"], cost["after_plan"], cost["drift_usd"]) == ("17.68", None, "0.47")
    assert TenantCost("acme", now, shared_usd=None).with_shared_usd is None
    assert TenantCost("acme", now, after=Estimate(())).as_json()["after_plan"]["monthly_usd"] == "0.00"


def test_the_share_of_databases_is_a_percentage() -> None:
    assert database_share([("rds", Decimal(84)), ("s3", Decimal(16))]) == Decimal("84.0")
    assert database_share([]) is None


def test_a_bill_is_summed_by_tenant_and_by_service_and_day() -> None:
    day = date(2026, 1, 1)
    bill = Bill(
        (
            BillRow(day, "acme", "RDS", Decimal("1.5")),
            BillRow(day.replace(day=3), "acme", "RDS", Decimal(2)),
            BillRow(day, "", "NAT", Decimal(3)),
        ),
        requests=2,
    )
    assert bill.by_tenant() == {"acme": Decimal("3.5"), "": Decimal(3)}
    assert bill.daily_by_service() == {"RDS": [Decimal("1.5"), 0, Decimal(2)], "NAT": [Decimal(3), 0, 0]}
    assert bill.cost_usd(Decimal("0.01")) == Decimal("0.02")
    assert (bill.cost_usd(None), Bill((), 1).daily_by_tenant(), len(bill.days)) == (None, {}, 2)


def test_the_fleet_is_asked_once_a_day_and_the_last_days_again() -> None:
    today = date(2026, 3, 10)
    assert days_to_ask(date(2026, 3, 8), date(2026, 3, 9), today) == (date(2026, 3, 6), today)
    assert days_to_ask(date(2026, 3, 9), today, today) is None
    assert days_to_ask(None, None, today) == (date(2026, 2, 3), today)
    assert days_to_ask(date(2025, 1, 1), None, today) == (date(2026, 2, 3), today)
