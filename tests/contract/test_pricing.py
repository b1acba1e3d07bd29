"""Prices and bills as AWS answers them: JSON as text, tiers, pages, errors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from controlplane.adapters.costexplorer import CostExplorer
from controlplane.adapters.pricing import AwsPriceList
from controlplane.catalog.pricebook import dump_book, load_book, parse_book
from controlplane.catalog.prices.selectors import Selector
from controlplane.domain.cost.book import Price, PriceBook, make_book
from controlplane.domain.errors import Denied, Invalid, Throttled, Unavailable

TODAY = date(2026, 5, 1)
ALB = Selector("AWSELB", "LoadBalancerUsage", {"operation": "LoadBalancing:Application"})
SELECTORS = {"alb": ALB, "nat.gateway": Selector("AmazonEC2", "NatGateway-Hours", factor=Decimal(730))}


def stubbed(service: str) -> tuple[Any, Stubber]:
    client = boto3.client(
        service,  # type: ignore[call-overload]
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    return client, Stubber(client)


@pytest.fixture
def pricing() -> Iterator[tuple[AwsPriceList, Stubber]]:
    client, stub = stubbed("pricing")
    with stub:
        yield AwsPriceList(client, SELECTORS.get), stub
        stub.assert_no_pending_responses()


@pytest.fixture
def explorer() -> Iterator[tuple[CostExplorer, Stubber]]:
    client, stub = stubbed("ce")
    with stub:
        yield CostExplorer(client), stub
        stub.assert_no_pending_responses()


def product(usage: str, usd: str, *, begin: str = "0", currency: str = "USD") -> str:
    """One entry of a price list, as text."""
    dimension = {"unit": "Hrs", "beginRange": begin, "endRange": "Inf", "pricePerUnit": {currency: usd}}
    term = {"priceDimensions": {"R.6YS": dimension}, "effectiveDate": "2026-04-01T00:00:00Z"}
    return json.dumps(
        {
            "product": {"sku": "S", "productFamily": "X", "attributes": {"usagetype": usage}},
            "terms": {"OnDemand": {"T": term}, "Reserved": {}},
        }
    )


def book(*keys: str, region: str = "us-east-1") -> PriceBook:
    day = date(2025, 1, 1)
    rows = [Price(k, region, "hour", Decimal("0.0225"), "list", day, None, "hand") for k in keys]
    return make_book("list", rows)


def answers(stub: Stubber, *pages: list[str]) -> None:
    for number, entries in enumerate(pages):
        more = {"NextToken": f"page-{number + 1}"} if number + 1 < len(pages) else {}
        stub.add_response("get_products", {"FormatVersion": "aws_v1", "PriceList": entries, **more})


def test_a_refresh_reads_prices_as_decimals_from_text(pricing: tuple[AwsPriceList, Stubber]) -> None:
    prices, stub = pricing
    answers(stub, [product("LoadBalancerUsage", "0.0252000000")])
    refresh = prices.refresh(book("alb"), TODAY)
    entry = refresh.book.entry("alb", "us-east-1")
    assert entry is not None
    assert entry.usd == Decimal("0.0252")
    assert (entry.valid_from, refresh.book.dated, refresh.answered) == (TODAY, TODAY, 1)


def test_a_refresh_says_what_taking_it_would_change_and_leaves_the_old_book(
    pricing: tuple[AwsPriceList, Stubber],
) -> None:
    prices, stub = pricing
    old = book("alb")
    answers(stub, [product("LoadBalancerUsage", "0.0250")])
    refresh = prices.refresh(old, TODAY)
    assert [(c.key, c.before, c.after, c.what) for c in refresh.changes] == [
        ("alb", Decimal("0.0225"), Decimal("0.0250"), "changed")
    ]
    assert old.price("alb", "us-east-1") == Decimal("0.0225")


def test_the_question_names_service_region_and_attributes(pricing: tuple[AwsPriceList, Stubber]) -> None:
    prices, stub = pricing
    asked = {
        "ServiceCode": "AWSELB",
        "Filters": [
            {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "us-east-1"},
            {"Type": "TERM_MATCH", "Field": "operation", "Value": "LoadBalancing:Application"},
        ],
        "FormatVersion": "aws_v1",
        "MaxResults": 100,
    }
    entries = [product("LoadBalancerUsage", "0.0225")]
    stub.add_response("get_products", {"PriceList": entries, "NextToken": "n"}, asked)
    stub.add_response("get_products", {"PriceList": []}, {**asked, "NextToken": "n"})
    assert prices.refresh(book("alb"), TODAY).changes == ()


def test_products_are_found_on_later_pages_and_under_a_region_prefix(
    pricing: tuple[AwsPriceList, Stubber],
) -> None:
    prices, stub = pricing
    answers(stub, [product("EU-LCUUsage", "9")], [product("EU-LoadBalancerUsage", "0.0252")])
    refresh = prices.refresh(book("alb", region="eu-west-1"), TODAY)
    assert refresh.book.price("alb", "eu-west-1") == Decimal("0.0252")


def test_units_are_turned_into_ours(pricing: tuple[AwsPriceList, Stubber]) -> None:
    prices, stub = pricing
    answers(stub, [product("NatGateway-Hours", "0.045")])
    assert prices.refresh(book("nat.gateway"), TODAY).book.price("nat.gateway", "us-east-1") == Decimal(
        "32.85"
    )


def test_only_the_wanted_tier_counts() -> None:
    client, stub = stubbed("pricing")
    select = {"alb": Selector("X", "U", begin="10240")}.get
    answers(stub, [product("U", "0.09"), product("U", "0.085", begin="10240")])
    with stub:
        refresh = AwsPriceList(client, select).refresh(book("alb"), TODAY)
    assert refresh.book.price("alb", "us-east-1") == Decimal("0.085")


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([], "no such product"),
        ([product("SomethingElse", "1")], "no such product"),
        ([product("NatGateway-Hours", "1"), product("NatGateway-Hours", "2")], "several prices: 1, 2"),
    ],
)
def test_a_price_that_is_not_answered_clearly_keeps_its_figure_and_is_named(
    pricing: tuple[AwsPriceList, Stubber], entries: list[str], why: str
) -> None:
    prices, stub = pricing
    answers(stub, [product("LoadBalancerUsage", "0.03")])
    answers(stub, entries)
    refresh = prices.refresh(book("alb", "nat.gateway"), TODAY)
    assert why in refresh.unanswered["nat.gateway@us-east-1"]
    assert refresh.book.price("nat.gateway", "us-east-1") == Decimal("0.0225")


def test_flat_estimates_are_kept_and_named(pricing: tuple[AwsPriceList, Stubber]) -> None:
    prices, stub = pricing
    answers(stub, [product("LoadBalancerUsage", "0.03")])
    refresh = prices.refresh(book("alb", "waf"), TODAY)
    assert refresh.kept == ("waf@us-east-1",)


def test_a_new_region_begins_unknown_and_not_at_another_regions_price(
    pricing: tuple[AwsPriceList, Stubber],
) -> None:
    prices, stub = pricing
    answers(stub, [product("APS1-LoadBalancerUsage", "0.0239")])
    refresh = prices.refresh(book("alb", "waf"), TODAY, ["ap-south-1"])
    assert refresh.book.price("alb", "ap-south-1") == Decimal("0.0239")
    assert refresh.book.price("waf", "ap-south-1") is None
    assert refresh.book.price("alb", "us-east-1") == Decimal("0.0225")


def test_an_answer_in_another_currency_is_refused(pricing: tuple[AwsPriceList, Stubber]) -> None:
    prices, stub = pricing
    answers(stub, [product("LoadBalancerUsage", "0.2", currency="CNY")])
    with pytest.raises(Invalid, match="CNY"):
        prices.refresh(book("alb"), TODAY)


def test_a_refresh_without_any_answer_is_no_book(pricing: tuple[AwsPriceList, Stubber]) -> None:
    prices, stub = pricing
    answers(stub, [])
    with pytest.raises(Unavailable, match="none of the keys"):
        prices.refresh(book("alb"), TODAY)


@pytest.mark.parametrize(
    ("code", "error"), [("AccessDeniedException", Denied), ("ThrottlingException", Throttled)]
)
def test_refusals_are_told_in_our_words(
    pricing: tuple[AwsPriceList, Stubber], code: str, error: type[Exception]
) -> None:
    prices, stub = pricing
    stub.add_client_error("get_products", code, "no")
    with pytest.raises(error, match="asking for prices of AWSELB"):
        prices.refresh(book("alb"), TODAY)


def test_the_shipped_book_can_be_refreshed_written_and_read() -> None:
    """Every selector is asked in the shape that the service accepts."""
    client, stub = stubbed("pricing")
    shipped = load_book()
    asked: list[str] = []

    def echo(key: str) -> Selector | None:
        asked.append(key)
        return SELECTORS.get(key)

    for _ in range(2 * len(shipped.regions)):
        stub.add_response("get_products", {"PriceList": [product("LoadBalancerUsage", "0.03")]})
    with stub:
        refresh = AwsPriceList(client, echo).refresh(shipped, TODAY)
    name, text = dump_book(refresh.book)
    assert name == "list-2026-05-01.csv"
    assert parse_book("list", text).price("alb", "eu-west-1") == Decimal("0.03")
    assert len(asked) == len(shipped.entries)


# --- Cost Explorer ----------------------------------------------------------------------------------

START, END = date(2026, 4, 28), date(2026, 5, 1)


def group(tag: str, service: str, amount: str, unit: str = "USD") -> dict[str, Any]:
    return {
        "Keys": [f"tenant${tag}", service],
        "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": unit}},
    }


def day(start: str, *groups: Mapping[str, Any], estimated: bool = False) -> dict[str, Any]:
    return {"TimePeriod": {"Start": start, "End": start}, "Groups": list(groups), "Estimated": estimated}


def test_one_query_brings_days_tenants_and_services(explorer: tuple[CostExplorer, Stubber]) -> None:
    bills, stub = explorer
    asked = {
        "TimePeriod": {"Start": "2026-04-28", "End": "2026-05-01"},
        "Granularity": "DAILY",
        "Metrics": ["UnblendedCost"],
        "GroupBy": [{"Type": "TAG", "Key": "tenant"}, {"Type": "DIMENSION", "Key": "SERVICE"}],
    }
    results = [
        day("2026-04-28", group("acme", "Amazon RDS", "1.6000000001"), group("", "AmazonEC2", "0.5")),
        day("2026-04-29", group("acme", "Amazon RDS", "1.7"), estimated=True),
    ]
    stub.add_response("get_cost_and_usage", {"ResultsByTime": results}, asked)
    bill = bills.billed(START, END)
    assert bill.by_tenant() == {"acme": Decimal("3.3000000001"), "": Decimal("0.5")}
    assert [row.estimated for row in bill.rows] == [False, False, True]
    assert bill.cost_usd(load_book().price("billing.query", "us-east-1")) == Decimal("0.01")


def test_pages_are_followed_and_counted_for_their_price(explorer: tuple[CostExplorer, Stubber]) -> None:
    bills, stub = explorer
    first = {"ResultsByTime": [day("2026-04-28", group("a", "RDS", "1"))], "NextPageToken": "more"}
    base = {"TimePeriod": ANY, "Granularity": ANY, "Metrics": ANY, "GroupBy": ANY}
    stub.add_response("get_cost_and_usage", first, base)
    last = {"ResultsByTime": [day("2026-04-28", group("b", "RDS", "2"))]}
    stub.add_response("get_cost_and_usage", last, {**base, "NextPageToken": "more"})
    bill = bills.billed(START, END)
    assert (bill.requests, bill.by_tenant()) == (2, {"a": Decimal(1), "b": Decimal(2)})


def test_a_tenant_named_like_the_tag_keeps_its_name(explorer: tuple[CostExplorer, Stubber]) -> None:
    bills, stub = explorer
    results = [day("2026-04-28", group("tenant-1", "RDS", "1"), group("tenant-10", "RDS", "2"))]
    stub.add_response("get_cost_and_usage", {"ResultsByTime": results})
    assert bills.billed(START, END).by_tenant() == {"tenant-1": Decimal(1), "tenant-10": Decimal(2)}


def test_a_bill_in_another_currency_is_refused(explorer: tuple[CostExplorer, Stubber]) -> None:
    bills, stub = explorer
    results = [day("2026-04-28", group("a", "RDS", "1", unit="EUR"))]
    stub.add_response("get_cost_and_usage", {"ResultsByTime": results})
    with pytest.raises(Invalid, match="EUR"):
        bills.billed(START, END)


def test_a_period_must_have_a_day(explorer: tuple[CostExplorer, Stubber]) -> None:
    with pytest.raises(Invalid, match="no period"):
        explorer[0].billed(END, END)


def test_a_denied_bill_says_which_permission_is_missing(explorer: tuple[CostExplorer, Stubber]) -> None:
    bills, stub = explorer
    stub.add_client_error("get_cost_and_usage", "AccessDeniedException", "no")
    with pytest.raises(Denied, match="ce:GetCostAndUsage"):
        bills.billed(START, END)
