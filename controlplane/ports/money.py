"""Prices and bills."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # most of what speaks to the outside never speaks of money
    from controlplane.domain.cost.book import PriceBook, Refresh
    from controlplane.domain.cost.report.bill import Bill


class PriceSource(Protocol):
    def refresh(self, book: PriceBook, today: date, regions: Sequence[str] = ()) -> Refresh:
        """A new dated book and what it would change; nothing is taken."""
        ...


class BillSource(Protocol):
    def billed(self, start: date, end: date) -> Bill:
        """The whole fleet's days from `start` until the day before `end`. Every page of it is paid."""
        ...
