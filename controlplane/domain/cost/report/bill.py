"""What AWS billed: rows by day, tenant and service, and which days to ask for next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from controlplane.domain.cost.estimate import ZERO

UNTAGGED = ""  # what carries no tenant's tag: the platform, and what everybody shares
REVISED_DAYS = 3  # AWS goes on correcting the last days
MOST_DAYS = 35


@dataclass(frozen=True, slots=True)
class BillRow:
    day: date
    tenant: str
    service: str
    usd: Decimal
    estimated: bool = False  # AWS may still change it


@dataclass(frozen=True, slots=True)
class Bill:
    rows: tuple[BillRow, ...]
    requests: int  # pages asked for; each is paid

    def cost_usd(self, per_request: Decimal | None) -> Decimal | None:
        """What asking cost."""
        return None if per_request is None else self.requests * per_request

    def by_tenant(self) -> dict[str, Decimal]:
        """Sums of tenants; what carries no tag is under the empty name."""
        sums: dict[str, Decimal] = {}
        for row in self.rows:
            sums[row.tenant] = sums.get(row.tenant, ZERO) + row.usd
        return sums

    def daily_by_service(self) -> dict[str, list[Decimal]]:
        """For spikes: a figure for every day of the bill, the oldest first; zero where nothing was billed."""
        return _daily(self.rows, [row.service for row in self.rows])

    def daily_by_tenant(self) -> dict[str, list[Decimal]]:
        return _daily(self.rows, [row.tenant for row in self.rows])

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(sorted({row.day for row in self.rows}))


def _daily(rows: Sequence[BillRow], names: Sequence[str]) -> dict[str, list[Decimal]]:
    if not rows:
        return {}
    first = min(row.day for row in rows)
    length = (max(row.day for row in rows) - first).days + 1
    sums = {name: [ZERO] * length for name in names}
    for row, name in zip(rows, names, strict=True):
        sums[name][(row.day - first).days] += row.usd
    return sums


def days_to_ask(known_until: date | None, asked_on: date | None, today: date) -> tuple[date, date] | None:
    """The period of today's one query, its end exclusive; None when today was asked already.

    Days that AWS may still revise are asked again; nobody asks for more than a month at once.
    """
    if asked_on is not None and asked_on >= today:
        return None
    oldest = today - timedelta(days=MOST_DAYS)
    start = oldest if known_until is None else known_until - timedelta(days=REVISED_DAYS - 1)
    return max(start, oldest), today
