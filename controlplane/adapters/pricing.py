"""AWS's Price List Query API: a new dated price book, and what it would change.

Nothing is taken here: the book and its differences go back to whoever asked. A price that AWS does not
answer, or answers twice differently, keeps its old figure and is named.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from controlplane.adapters.aws.errors import calling
from controlplane.catalog.prices.selectors import Selector, selector_for
from controlplane.domain.cost.book import CURRENCY, Price, PriceBook, Refresh, diff_books
from controlplane.domain.errors import FieldError, Invalid, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_pricing import PricingClient

REGION = "us-east-1"  # where the Price List answers, for all regions
PAGE = 100
MOST_PAGES = 50


class AwsPriceList:
    """`PriceSource` on boto3's `pricing` client."""

    def __init__(
        self, client: PricingClient, select: Callable[[str], Selector | None] = selector_for
    ) -> None:
        self._client = client
        self._select = select

    def refresh(self, book: PriceBook, today: date, regions: Sequence[str] = ()) -> Refresh:
        """Ask for every key of the book in its regions, or in these."""
        answered, kept = 0, []
        unanswered: dict[str, str] = {}
        rows: list[Price] = []
        for old in _wanted(book, regions or book.regions, today):
            where = f"{old.key}@{old.region}"
            selector = self._select(old.key)
            if selector is None:
                kept.append(where)
                rows.append(old)
                continue
            usd, why = self._price(selector, old.region)
            if usd is None:
                unanswered[where] = why
                rows.append(old)
                continue
            answered += 1
            rows.append(_seen(old, usd, today))
        if not answered:
            raise Unavailable(
                "refreshing prices: AWS answered none of the keys",
                hint="look at the selectors in the price catalog; nothing was changed",
            )
        entries = {**book.entries, **{(price.key, price.region): price for price in rows}}
        fresh = replace(book, entries=entries, dated=today)
        return Refresh(fresh, tuple(diff_books(book, fresh)), answered, tuple(kept), unanswered)

    def _price(self, selector: Selector, region: str) -> tuple[Decimal | None, str]:
        found = {
            usd
            for product in self._products(selector, region)
            if selector.matches(str(product["product"]["attributes"].get("usagetype", "")))
            for usd in _on_demand(product, selector.begin)
        }
        if not found:
            return None, "AWS lists no such product"
        if len(found) > 1:
            return None, f"AWS lists several prices: {', '.join(str(usd) for usd in sorted(found))}"
        return found.pop() * selector.factor, ""

    def _products(self, selector: Selector, region: str) -> Iterator[Mapping[str, Any]]:
        """Page by page; an entry is JSON as text."""
        filters = {selector.region_field: region, **selector.filters}
        request: dict[str, Any] = {
            "ServiceCode": selector.service,
            "Filters": [{"Type": "TERM_MATCH", "Field": k, "Value": v} for k, v in filters.items()],
            "FormatVersion": "aws_v1",
            "MaxResults": PAGE,
        }
        for _ in range(MOST_PAGES):
            with calling(f"asking for prices of {selector.service} in {region}", "pricing"):
                answer = self._client.get_products(**request)
            for entry in answer["PriceList"]:
                yield json.loads(entry, parse_float=Decimal)
            if not answer.get("NextToken"):
                return
            request["NextToken"] = answer["NextToken"]
        raise Unavailable(f"asking for prices of {selector.service}: more than {MOST_PAGES} pages")


def _wanted(book: PriceBook, regions: Sequence[str], today: date) -> Iterator[Price]:
    """The book's rows for each region; a region that it has not yet begins with every price unknown."""
    template = book.regions[0]
    for region in regions:
        known = region in book.regions
        for price in book.entries.values():
            if known and price.region == region:
                yield price
            elif not known and price.region == template:
                yield replace(
                    price,
                    region=region,
                    usd=None,
                    kind="unknown",
                    valid_from=today,
                    source="not answered yet",
                )


def _seen(old: Price, usd: Decimal, today: date) -> Price:
    source = "AWS Price List Query API"
    return replace(old, usd=usd, kind="list", valid_from=today, valid_until=None, source=source, note="")


def _on_demand(product: Mapping[str, Any], begin: str) -> Iterator[Decimal]:
    """Prices of the wanted tier; another currency is refused, a price that is not there is none."""
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            if str(dimension.get("beginRange", "0")) != begin:
                continue
            prices = dimension["pricePerUnit"]
            if CURRENCY not in prices:
                message = f"AWS answered in {', '.join(prices)}, and only USD is understood"
                raise Invalid(message, errors=[FieldError("currency", message)])
            yield Decimal(str(prices[CURRENCY]))
