"""What AWS billed: asked once a day for the whole fleet, kept, and compared with the estimates."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.cost.estimate import ZERO
from controlplane.domain.cost.fleet import Drift, database_share
from controlplane.domain.cost.report.bill import UNTAGGED, Bill, days_to_ask
from controlplane.domain.cost.report.focus import focus_actual
from controlplane.domain.errors import Conflict, Unavailable
from controlplane.services.actor import Action, Actor
from controlplane.services.asking import Way
from controlplane.services.control import Control, plain
from controlplane.services.costs import asked, book
from controlplane.services.costs.book import usd
from controlplane.services.costs.fleet import priced
from controlplane.store.costs import bills, fleet
from controlplane.store.costs.rows import BillQuery

MONTH_DAYS = 30
OFF_PERCENT = Decimal(20)
PER_REQUEST_USD = Decimal("0.01")  # what Cost Explorer bills a request
_DATABASES = "relational database"


def show(control: Control, actor: Actor, wanted: asked.Actuals) -> dict[str, Any]:
    """By tenant, the largest difference first. What nobody asked for is unknown, not zero."""
    actor.require(Action.READ_FLEET)
    today = book.today(control)
    with control.db.read() as session:
        rows = bills.rows(session, today - timedelta(days=wanted.days))
        query = bills.last_query(session)
        tenants = [t for t in fleet.tenants(session) if actor.sees(t.slug)]
    seen = {t.slug for t in tenants}
    # What carries no tag, or the tag of nobody who is known, is for those who see everything.
    shown = [r for r in rows if actor.sees_everything or r.tenant in seen]
    bill = Bill(tuple(shown), 0)
    drifts = _drifts(control, [t for t in tenants if t.is_there or t.slug in bill.by_tenant()], bill)
    view: dict[str, Any] = {
        "known": bool(rows),
        "asked": None if query is None else _query(query),
        "days": [day.isoformat() for day in bill.days],
        "total_usd": usd(sum((r.usd for r in shown), ZERO)) if rows else None,
        "untagged_usd": usd(bill.by_tenant().get(UNTAGGED)),
        "services": _services(bill),
        "items": [_item(drift) for drift in drifts],
        "next_page_token": None,
    }
    share = database_share([("rds" if _DATABASES in r.service.lower() else "", r.usd) for r in shown])
    view["database_percent"] = None if share is None else str(share)
    if wanted.focus:
        account = control.cells[control.cell].account if control.cell in control.cells else ""
        view["focus"] = [focus_actual(r.tenant, r.service, r.day, r.usd, account or None) for r in shown]
    return view


def kept_bill(session: Session, today: date, days: int = MONTH_DAYS) -> Bill:
    """What is kept of the last days."""
    return Bill(bills.rows(session, today - timedelta(days=days)), 0)


def drift_of(slug: str, estimated: Decimal | None, since: date, bill: Bill) -> Drift | None:
    """Over the billed days on which the tenant was there, known to us or only to its bill; None: no day."""
    first = min([row.day for row in bill.rows if row.tenant == slug], default=since)
    there = [day for day in bill.days if day >= min(since, first)]
    if not there:
        return None
    length = min(len(there), MONTH_DAYS)
    return Drift(slug, estimated, bill.by_tenant().get(slug, ZERO), length, MONTH_DAYS)


def _drifts(control: Control, tenants: list[fleet.CostTenant], bill: Bill) -> list[Drift]:
    estimates = {t.slug: t.monthly_usd for t in priced(book.in_force(control), tenants)}
    found = [drift_of(t.slug, estimates[t.slug], t.created_at.date(), bill) for t in tenants]
    strangers = set(bill.by_tenant()) - {t.slug for t in tenants} - {UNTAGGED}
    found += [drift_of(name, None, date.min, bill) for name in sorted(strangers)]
    return sorted((d for d in found if d), key=lambda d: (-abs(d.delta_usd or ZERO), d.slug))


def _item(drift: Drift) -> dict[str, Any]:
    return {
        "tenant": drift.slug,
        "billed_usd": usd(drift.billed_usd),
        "days": drift.days,
        "estimated_monthly_usd": usd(drift.estimated_usd),
        "expected_usd": usd(drift.expected_usd),
        "drift_usd": usd(drift.delta_usd),
        "drift_percent": None if drift.percent is None else str(drift.percent),
        "off": drift.is_off(OFF_PERCENT),
    }


def _services(bill: Bill) -> list[dict[str, Any]]:
    sums = {name: sum(costs, ZERO) for name, costs in bill.daily_by_service().items()}
    return [
        {"service": name, "usd": usd(amount)}
        for name, amount in sorted(sums.items(), key=lambda s: (-s[1], s[0]))
    ]


def _query(query: BillQuery) -> dict[str, Any]:
    return {
        "on": query.asked_on.isoformat(),
        "from": query.begins.isoformat(),
        "until": query.ends.isoformat(),
        "requests": query.requests,
        "cost_usd": usd(query.cost_usd),
        "by": query.asked_by,
        "at": plain(query.asked_at),
    }


# --- asking -----------------------------------------------------------------------------------------


def ask(control: Control, actor: Actor, way: Way) -> dict[str, Any]:
    """Today's one query. Its row is written first, so that of two who ask only one pays."""
    actor.require(Action.CHANGE_FLEET)
    if control.bill_source is None:
        raise Unavailable("this control plane has no source of bills")
    today = book.today(control)
    with control.db.read() as session:
        last = bills.last_query(session)
        period = days_to_ask(bills.known_until(session), last.asked_on if last else None, today)
    if period is None:
        raise _asked_already(today)
    query = BillQuery(
        asked_on=today, begins=period[0], ends=period[1], asked_by=actor.name, asked_at=control.now()
    )
    if way.dry_run:
        return {**_query(query), "dry_run": True}
    with control.db.write() as session:
        if not bills.claim(session, query):
            raise _asked_already(today)
    return _answered(control, query)


def _answered(control: Control, query: BillQuery) -> dict[str, Any]:
    """A query that fails leaves the day free for another."""
    assert control.bill_source is not None  # noqa: S101 - looked at by the only caller
    try:
        found = control.bill_source().billed(query.begins, query.ends)
        cost = found.cost_usd(PER_REQUEST_USD)
        with control.db.write() as session:
            bills.keep(session, query, found.rows, found.requests, cost)
    except BaseException:
        with control.db.write() as session:
            bills.release(session, query.asked_on)
        raise
    with control.db.read() as session:
        kept = bills.last_query(session)
    return {**_query(kept or query), "rows": len(found.rows)}


def _asked_already(today: date) -> Conflict:
    return Conflict(
        f"Cost Explorer was asked today ({today}) already: each query is paid, one a day is enough",
        hint="controlplane cost actuals shows what it answered; ask again tomorrow",
    )
