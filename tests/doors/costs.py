"""Premises with a small fleet whose cost is known, and sources of prices and bills that are fakes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from controlplane.store import operations, tenants
from controlplane.store.fleet import recommendations
from controlplane.store.fleet.rows import Recommendation
from tests.doors.premises import Premises
from tests.fakes.money import DearerPrices, WrittenBills

RDS, SECRETS = "Amazon Relational Database Service", "AWS Secrets Manager"
POC_USD, SMALL_USD = Decimal("16.58"), Decimal("53.52")  # micro in a PoC, small in production


@dataclass
class Purse:
    premises: Premises
    prices: DearerPrices
    bills: WrittenBills

    def days_pass(self, days: int) -> None:
        now: datetime = self.premises.control.now() + timedelta(days=days)
        self.premises.control = replace(self.premises.control, now=lambda: now)

    def plan_open(self, operation_id: str, after: str) -> None:
        """The plan of an operation says what its tenant costs afterwards."""
        self.premises.await_approval(operation_id)
        with self.premises.control.db.write() as session:
            operations.note(session, operation_id, cost_before=POC_USD, cost_after=Decimal(after))

    def resize_proposed(self, slug: str) -> None:
        now = self.premises.control.now()
        with self.premises.control.db.write() as session:
            row = Recommendation(
                id="rec-1",
                tenant_uid=tenants.by_slug(session, slug).uid,
                slug=slug,
                identifier="acme-e1",
                status="open",
                finding="Overprovisioned",
                signature="down",
                current_size="small",
                target_size="micro",
                first_seen_at=now,
                last_seen_at=now,
            )
            recommendations.save(session, row)


def with_purse(premises: Premises) -> Purse:
    """`acme` is a PoC, `shop` in production; both run."""
    purse = Purse(
        premises, DearerPrices(), WrittenBills({("acme", RDS): Decimal("0.50"), ("", RDS): Decimal(2)})
    )
    premises.control = replace(
        premises.control,
        prices=premises.folder / "data" / "prices",
        price_source=lambda: purse.prices,
        bill_source=lambda: purse.bills,
    )
    premises.finish(premises.tenant("acme", labels={"team": "a"}))
    premises.finish(premises.tenant("shop", stage="production", size="small", labels={"team": "b"}))
    return purse
