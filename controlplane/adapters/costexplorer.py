"""Cost Explorer: what the fleet was billed, by day, tenant and service, in one query.

Every request is paid, so the whole fleet is asked at once, grouped by the tenants' cost-allocation tag;
the tag has to be activated in the billing console, and counts from then on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from controlplane.adapters.aws.errors import calling
from controlplane.domain.cost.book import CURRENCY
from controlplane.domain.cost.report.bill import Bill, BillRow
from controlplane.domain.errors import FieldError, Invalid, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_ce import CostExplorerClient

REGION = "us-east-1"  # where Cost Explorer answers
TAG = "tenant"
METRIC = "UnblendedCost"
MOST_PAGES = 200


class CostExplorer:
    """`BillSource` on boto3's `ce` client."""

    def __init__(self, client: CostExplorerClient, tag: str = TAG) -> None:
        self._client = client
        self._tag = tag

    def billed(self, start: date, end: date) -> Bill:
        """Daily cost from `start` until the day before `end`."""
        if start >= end:
            message = f"{start} to {end} is no period: the end is the day after the last"
            raise Invalid(message, errors=[FieldError("end", message)])
        rows: list[BillRow] = []
        requests = 0
        for page in self._pages(start, end):
            requests += 1
            rows += [row for day in page["ResultsByTime"] for row in self._rows(day)]
        return Bill(tuple(rows), requests)

    def _pages(self, start: date, end: date) -> Iterator[Mapping[str, Any]]:
        request: dict[str, Any] = {
            "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()},
            "Granularity": "DAILY",
            "Metrics": [METRIC],
            "GroupBy": [{"Type": "TAG", "Key": self._tag}, {"Type": "DIMENSION", "Key": "SERVICE"}],
        }
        for _ in range(MOST_PAGES):
            with calling(f"asking Cost Explorer for {start} to {end}", "ce"):
                answer = self._client.get_cost_and_usage(**request)
            yield answer
            if not answer.get("NextPageToken"):
                return
            request["NextPageToken"] = answer["NextPageToken"]
        raise Unavailable(f"asking Cost Explorer for {start} to {end}: more than {MOST_PAGES} pages")

    def _rows(self, result: Mapping[str, Any]) -> Iterator[BillRow]:
        day = date.fromisoformat(result["TimePeriod"]["Start"])
        for group in result.get("Groups", ()):
            tag, service = group["Keys"]
            cost = group["Metrics"][METRIC]
            if cost["Unit"] != CURRENCY:
                message = f"Cost Explorer answered in {cost['Unit']}, and only USD is understood"
                raise Invalid(message, errors=[FieldError("currency", message)])
            tenant = tag.removeprefix(f"{self._tag}$")  # `tenant$acme`; `tenant$` carries no tag
            yield BillRow(day, tenant, service, Decimal(cost["Amount"]), bool(result.get("Estimated")))
