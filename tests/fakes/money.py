"""Prices and bills from nowhere: a price list that raises one price, and bills that were written before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from controlplane.domain.cost.book import PriceBook, Refresh, diff_books
from controlplane.domain.cost.report.bill import Bill, BillRow
from controlplane.domain.errors import Unavailable

RAISED = ("rds.instance.db.t4g.micro.single", "us-east-1")


@dataclass
class DearerPrices:
    """One price doubles; everything else stays. Counts how often it was asked."""

    asked: int = 0

    def refresh(self, book: PriceBook, today: date, regions: Sequence[str] = ()) -> Refresh:
        self.asked += 1
        old = book.entries[RAISED]
        assert old.usd is not None
        new = replace(old, usd=old.usd * 2, valid_from=today, source="a test")
        fresh = replace(book, entries={**book.entries, RAISED: new}, dated=today)
        return Refresh(fresh, tuple(diff_books(book, fresh)), 1, (), {})


@dataclass
class WrittenBills:
    """Answers the same daily rows for every day of the period; may fail first."""

    daily: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    failures: int = 0
    since: date = date.min  # nothing was billed before
    asked: list[tuple[date, date]] = field(default_factory=list)

    def billed(self, start: date, end: date) -> Bill:
        self.asked.append((start, end))
        if len(self.asked) <= self.failures:
            raise Unavailable("asking Cost Explorer: a test says no")
        first = max(start, self.since)
        days = [first + timedelta(days=n) for n in range((end - first).days)]
        rows = [
            BillRow(d, tenant, service, usd) for d in days for (tenant, service), usd in self.daily.items()
        ]
        return Bill(tuple(rows), 2)
