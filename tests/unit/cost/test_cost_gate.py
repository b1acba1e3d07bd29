"""Before → after, thresholds, budget, ceiling and the band of a cost tier."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from controlplane.catalog.pricebook import load_book
from controlplane.catalog.prices.model import load_model
from controlplane.domain.cost.estimate import Estimate, Line
from controlplane.domain.cost.gate import (
    Budget,
    CostChange,
    Level,
    band_of,
    check_band,
    check_change,
    tiers_for,
)
from controlplane.domain.cost.model import Gate
from controlplane.domain.cost.tenant import TenantShape, estimate_tenant
from controlplane.domain.errors import Invalid
from controlplane.domain.tenant import LADDER, Stage, cost_tier

MODEL = load_model()
LIST = load_book().rates("us-east-1")
GATE = Gate(approve_usd=Decimal(50), approve_percent=Decimal(20))


def costs(usd: str | None, component: str = "rds") -> Estimate:
    amount = None if usd is None else Decimal(usd)
    return Estimate((Line(component, Decimal(1), "month", amount, amount, "rule"),))


def change(before: str | None, after: str | None) -> CostChange:
    return CostChange(costs(before), costs(after))


def found(before: str | None, after: str | None, **more: object) -> list[tuple[str, Level]]:
    findings = check_change(change(before, after), GATE, **more)  # type: ignore[arg-type]
    return [(f.rule, f.level) for f in findings]


def test_a_change_is_shown_per_month_per_year_and_in_percent() -> None:
    one = change("100", "125.50")
    assert (one.delta, one.delta_yearly, one.percent) == (
        Decimal("25.50"),
        Decimal("306.00"),
        Decimal("25.5"),
    )


def test_a_new_tenant_has_no_percentage() -> None:
    one = CostChange(Estimate(()), costs("16"))
    assert (one.delta, one.percent) == (Decimal(16), None)


def test_the_lines_of_a_change_name_what_comes_goes_and_stays() -> None:
    before = Estimate((*costs("10").lines, *costs("3", "nat").lines))
    after = Estimate((*costs("12").lines, *costs("1", "waf").lines))
    rows = {x.component: (x.before, x.after, x.delta) for x in CostChange(before, after).lines()}
    assert rows == {
        "rds": (Decimal(10), Decimal(12), Decimal(2)),
        "nat": (Decimal(3), Decimal(0), Decimal(-3)),
        "waf": (Decimal(0), Decimal(1), Decimal(1)),
    }


def test_thresholds_need_approval_only_beyond_themselves() -> None:
    assert found("1000", "1050") == []
    assert found("1000", "1050.01") == [("cost.step", Level.APPROVE)]
    assert found("100", "120") == []
    assert found("100", "120.10") == [("cost.percent", Level.APPROVE)]
    assert found("1000", "100") == []


def test_a_ceiling_lets_small_things_pass_unasked() -> None:
    assert found("0", "25", ceiling_usd=Decimal(25)) == []
    assert found("0", "25.01", ceiling_usd=Decimal(25)) == [("cost.ceiling", Level.APPROVE)]


@pytest.mark.parametrize("before", ["10", None])
def test_an_unknown_price_closes_the_gate(before: str | None) -> None:
    assert found(before, None) == [("cost.unknown", Level.FORBID)]
    assert change(before, None).delta is None
    assert "rds" in check_change(change(before, None), GATE)[0].message


def test_what_was_unknown_can_still_be_taken_away_with_an_approval() -> None:
    assert found(None, "0") == [("cost.unknown", Level.APPROVE)]
    assert check_change(CostChange(costs(None), Estimate(())), GATE)[0].level is Level.APPROVE


def test_a_budget_refuses_what_would_pass_it() -> None:
    budget = Budget(Decimal(100), others_usd=Decimal(60), name="PoC budget")
    assert found("30", "35", budget=budget) == []
    assert found("38", "40.01", budget=budget) == [("cost.budget", Level.FORBID)]
    assert found("30", "40", budget=budget) == [("cost.percent", Level.APPROVE)]


def test_a_budget_never_refuses_a_saving() -> None:
    assert found("500", "400", budget=Budget(Decimal(100))) == []


def test_a_budget_whose_spending_is_unknown_lets_nothing_be_added() -> None:
    budget = Budget(Decimal(100), others_usd=None)
    assert found("30", "31", budget=budget) == [("cost.budget", Level.FORBID)]


def test_a_finding_carries_its_evidence() -> None:
    finding = check_change(change("100", "300"), GATE)[0]
    assert finding.evidence["before_usd"] == "100.00"
    assert finding.evidence["delta_usd"] == "200.00"
    assert "50.00" in finding.message


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("size", LADDER)
def test_every_tier_has_a_band_that_holds_its_own_tenants(stage: Stage, size: str) -> None:
    estimate = estimate_tenant(MODEL, LIST, TenantShape(size, stage.value))
    assert check_band(MODEL, f"{stage}-{size}", estimate) is None


def test_the_bands_of_a_stage_meet_without_gap_or_overlap() -> None:
    for stage in Stage:
        bands = [band_of(MODEL, cost_tier(stage, size)) for size in LADDER]
        assert all(low[1] == high[0] for low, high in pairwise(bands))


def test_a_bare_resize_out_of_the_band_is_refused_and_names_the_fitting_tier() -> None:
    after = estimate_tenant(MODEL, LIST, TenantShape("medium", "production"))
    finding = check_band(MODEL, "production-small", after)
    assert finding is not None
    assert (finding.level, finding.evidence["fitting"]) == (Level.FORBID, "production-medium")


def test_storage_alone_can_leave_the_band() -> None:
    after = estimate_tenant(MODEL, LIST, TenantShape("micro", "poc", storage_gb=200))
    finding = check_band(MODEL, "poc-micro", after)
    assert finding is not None
    assert tiers_for(MODEL, "poc", after.known_usd) == ["poc-small"]


def test_a_band_is_floor_included_and_ceiling_not() -> None:
    floor, ceiling = band_of(MODEL, "poc-micro")
    assert check_band(MODEL, "poc-micro", costs(str(floor))) is None
    assert check_band(MODEL, "poc-micro", costs(str(floor - Decimal("0.01")))) is not None
    assert check_band(MODEL, "poc-micro", costs(str(ceiling))) is not None


def test_an_unknown_cost_fits_no_band() -> None:
    finding = check_band(MODEL, "poc-micro", costs(None))
    assert finding is not None
    assert finding.level is Level.FORBID


def test_an_unknown_tier_is_refused() -> None:
    with pytest.raises(Invalid, match="gold-large"):
        check_band(MODEL, "gold-large", costs("1"))


def test_a_change_is_plain_data() -> None:
    data = change("100", None).as_json()
    assert data["delta_monthly_usd"] is None
    assert data["lines"] == [{"component": "rds", "before": "100.00", "after": None, "delta": None}]
