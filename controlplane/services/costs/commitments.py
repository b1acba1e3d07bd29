"""Reserved instances from what ran all the time. Advice only: nothing here can buy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from controlplane.catalog.costing import Pricer
from controlplane.domain.cost.advice.commitments import Offer, advise, steady_base
from controlplane.domain.cost.estimate import MONTHS
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Control
from controlplane.services.costs import book
from controlplane.services.costs.book import usd
from controlplane.store.costs import days, fleet
from controlplane.store.fleet import recommendations

LOOK_BACK_DAYS = 30
_UNDECIDED, _MOST = ("open", "proposed"), 10_000  # proposals of right-sizing
_SEPARATOR = "/"


def show(control: Control, actor: Actor) -> dict[str, Any]:
    """From the lowest count of every recorded day; without history there is no base."""
    actor.require(Action.READ_FLEET)
    by, today = book.in_force(control), book.today(control)
    with control.db.read() as session:
        tenants = [t for t in fleet.tenants(session) if t.is_there]
        history = days.databases(session, today - timedelta(days=LOOK_BACK_DAYS))
        undecided = recommendations.page(session, _UNDECIDED, _MOST)
    base = _base(by, list(history.values()))
    oldest = min((t.created_at.date() for t in tenants), default=today)
    months = (today - oldest).days * MONTHS // 365
    resizes = sum(bool(row.target_size) for row in undecided)
    rates = by.rates(control.region)
    advice = advise(by.model, rates, base, open_resizes=resizes, months_in_use=months)
    return {
        "price_book": book.about(by.book),
        "region": control.region,
        "days_of_history": len(history),
        "look_back_days": LOOK_BACK_DAYS,
        "steady_base": [
            {"instance_class": cls, "multi_az": multi, "count": n} for (cls, multi), n in base.items()
        ],
        "open_resizes": resizes,
        "level": advice.level,
        "reason": advice.reason if history else "no day was recorded yet: there is no steady base",
        "proposed": [_offer(offer) for offer in advice.proposed],
        "items": [_offer(offer) for offer in advice.offers],
        "next_page_token": None,
        "bought_by": "a person, in AWS: the control plane never buys a commitment",
    }


def _base(by: Pricer, history: list[dict[tuple[str, bool], int]]) -> dict[tuple[str, bool], int]:
    """By class and standby."""
    named = [
        {f"{size}{_SEPARATOR}{int(multi)}": n for (size, multi), n in day.items() if size in by.model.sizes}
        for day in history
    ]
    found = {}
    for name, count in steady_base(named).items():
        size, _, multi = name.partition(_SEPARATOR)
        found[by.model.sizes[size].instance_class, multi == "1"] = count
    return found


def _offer(offer: Offer) -> dict[str, Any]:
    return {
        "product": offer.product,
        "what": offer.what,
        "count": offer.count,
        "years": offer.years,
        "upfront": offer.upfront,
        "discount_percent": str(offer.discount),
        "on_demand_usd": usd(offer.on_demand_usd),
        "committed_usd": usd(offer.committed_usd),
        "saving_usd": usd(offer.saving_usd),
        "saving_yearly_usd": usd(offer.saving_yearly_usd),
        "break_even_months": offer.break_even_months,
        "bound_usd": usd(offer.bound_usd),
        "risk": offer.risk,
    }
