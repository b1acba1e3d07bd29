"""What holds for any tenant, fleet and amount."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.catalog.pricebook import REFERENCE, load_book
from controlplane.catalog.prices.model import load_model
from controlplane.domain.cost.book import Rates
from controlplane.domain.cost.estimate import Estimate
from controlplane.domain.cost.fleet import FleetTenant, split_shared, total, totals_by
from controlplane.domain.cost.forecast import what_if
from controlplane.domain.cost.gate import CostChange
from controlplane.domain.cost.platform import spread
from controlplane.domain.cost.tenant import TenantShape, estimate_tenant
from controlplane.domain.money import cents, from_micro, to_micro

MODEL = load_model()
BOOKS = [load_book().rates("us-east-1"), load_book(REFERENCE).rates("us-east-1")]
SIZES = ["micro", "small", "medium", "large"]

shapes = st.builds(
    TenantShape,
    size=st.sampled_from(SIZES),
    stage=st.sampled_from(["poc", "production"]),
    storage_gb=st.integers(20, 16_384),
    multi_az=st.sampled_from([None, True, False]),
    running=st.booleans(),
    backup_gb=st.none() | st.decimals(0, 9999, places=3),
    snapshot_gb=st.decimals(0, 9999, places=3),
    log_gb=st.decimals(0, 999, places=3),
    log_months=st.decimals(0, 12, places=2),
    insights_days=st.integers(0, 731),
    alarms=st.none() | st.integers(0, 50),
    secrets=st.none() | st.integers(0, 50),
    proxy=st.booleans(),
    replicas=st.integers(0, 5),
)
rates = st.sampled_from(BOOKS)
money = st.decimals(0, 10_000_000, places=2)
quick = settings(deadline=None, max_examples=60)


def without(book: Rates, key: str) -> Rates:
    return replace(book, usd={k: (None if k == key else v) for k, v in book.usd.items()})


@quick
@given(rates, shapes)
def test_a_total_is_the_sum_of_its_printed_lines(book: Rates, shape: TenantShape) -> None:
    estimate = estimate_tenant(MODEL, book, shape)
    printed = [Decimal(line["monthly_usd"]) for line in estimate.as_json()["lines"]]
    assert estimate.total == sum(printed)
    assert sum(printed) >= 0
    assert all(usd >= 0 for usd in printed) or book.book == "reference"  # its rounding can take cents away


@quick
@given(rates, shapes, st.data())
def test_one_unknown_price_makes_exactly_the_totals_unknown_that_it_touches(
    book: Rates, shape: TenantShape, data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(sorted(book.usd)))
    known, dark = estimate_tenant(MODEL, book, shape), estimate_tenant(MODEL, without(book, key), shape)
    touched = any(line.monthly_usd is None for line in dark.lines)
    assert dark.total == (None if touched else known.total)
    assert dark.known_usd <= known.known_usd


@quick
@given(rates, shapes, st.integers(0, 1000))
def test_more_storage_never_costs_less(book: Rates, shape: TenantShape, more: int) -> None:
    planned = replace(shape, backup_gb=None)
    larger = replace(planned, storage_gb=planned.storage_gb + more)
    small, large = (estimate_tenant(MODEL, book, s).known_usd for s in (planned, larger))
    assert small <= large


@quick
@given(rates, shapes)
def test_a_step_up_the_ladder_and_a_second_zone_never_cost_less(book: Rates, shape: TenantShape) -> None:
    costs = [estimate_tenant(MODEL, book, replace(shape, size=size)).known_usd for size in SIZES]
    assert costs == sorted(costs)
    single, multi = (
        estimate_tenant(MODEL, book, replace(shape, multi_az=z)).known_usd for z in (False, True)
    )
    assert single <= multi


@quick
@given(rates, st.integers(0, 9999))
def test_another_tenant_never_makes_the_platform_cheaper(book: Rates, tenants: int) -> None:
    assert what_if(MODEL, book, tenants).known_usd <= what_if(MODEL, book, tenants + 1).known_usd


@quick
@given(
    money,
    st.dictionaries(st.text(min_size=1, max_size=4), st.integers(0, 1000), min_size=1, max_size=40),
    st.sampled_from(["even", "weight", "usage"]),
)
def test_shares_add_up_to_the_cent_and_are_fair_to_a_cent(
    usd: Decimal, weights: dict[str, int], rule: str
) -> None:
    if rule == "weight" and not any(weights.values()):
        weights = {**weights, "one": 1}
    shares = {name: share or Decimal(0) for name, share in split_shared(usd, weights, rule).items()}
    assert sum(shares.values()) == usd
    parts = dict.fromkeys(weights, 1) if rule == "even" or not any(weights.values()) else weights
    whole = sum(parts.values())
    assert all(abs(shares[n] - usd * parts[n] / whole) < Decimal("0.01") for n in weights)


@quick
@given(st.integers(0, 10_000), st.integers(0, 100), st.integers(0, 100))
def test_a_mix_counts_every_tenant_once(tenants: int, first: int, second: int) -> None:
    a, b = min(first, second), abs(first - second)
    counts = spread(tenants, {"micro": a, "small": b, "medium": 100 - a - b})
    assert sum(counts.values()) == tenants
    assert all(count >= 0 for count in counts.values())


fleets = st.lists(
    st.builds(
        FleetTenant,
        slug=st.text(min_size=1, max_size=5),
        stage=st.sampled_from(["poc", "production"]),
        size=st.sampled_from(SIZES),
        region=st.sampled_from(["us-east-1", "eu-west-1"]),
        monthly_usd=st.none() | money,
    ),
    max_size=30,
)


@quick
@given(fleets, st.sampled_from(["stage", "size", "region", "tier"]))
def test_groups_partition_the_fleet(fleet: list[FleetTenant], by: str) -> None:
    groups = totals_by(fleet, by)
    assert sum(g.tenants for g in groups) == len(fleet)
    assert sum((g.known_usd for g in groups), Decimal(0)) == total(fleet).known_usd
    assert (total(fleet).monthly_usd is None) == any(g.monthly_usd is None for g in groups)


@quick
@given(rates, shapes, shapes)
def test_the_lines_of_a_change_add_up_to_its_difference(
    book: Rates, before: TenantShape, after: TenantShape
) -> None:
    change = CostChange(estimate_tenant(MODEL, book, before), estimate_tenant(MODEL, book, after))
    assert sum((x.delta or Decimal(0) for x in change.lines()), Decimal(0)) == change.delta
    assert change.delta_yearly == (change.delta or 0) * 12
    assert CostChange(Estimate(()), change.after).delta == change.after.total


@quick
@given(rates, shapes)
def test_an_estimate_survives_the_store_in_micro_dollars(book: Rates, shape: TenantShape) -> None:
    usd = estimate_tenant(MODEL, book, shape).known_usd
    assert cents(from_micro(to_micro(usd))) == usd
