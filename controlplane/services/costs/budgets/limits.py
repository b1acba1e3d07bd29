"""Budgets with their alarms, where the month is going, spikes with their likely causes, and worries."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from controlplane.catalog.costing import Pricer
from controlplane.domain.cost.advice.budgets import alerts, burn, phase_for
from controlplane.domain.cost.advice.spikes import FIRST_LOOK, GUARDED_CUTS, find_spikes, new_services
from controlplane.domain.cost.advice.worry import Signs, worries
from controlplane.domain.cost.estimate import ZERO, add
from controlplane.domain.cost.report.bill import MOST_DAYS, Bill
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Ask, Control, plain
from controlplane.services.costs import asked, book
from controlplane.services.costs.actuals import kept_bill
from controlplane.services.costs.book import usd
from controlplane.services.costs.fleet import priced, shared_costs
from controlplane.store import audit
from controlplane.store.costs import budgets, fleet
from controlplane.store.costs.rows import Budget

Sums = Mapping[str, Decimal | None]  # by scope


def show(control: Control, actor: Actor) -> dict[str, Any]:
    """Budgets and their alarms; where money goes is told to who sees everything."""
    actor.require(Action.READ_FLEET)
    by, today = book.in_force(control), book.today(control)
    with control.db.read() as session:
        rows = budgets.every(session)
        if not actor.sees_everything:
            return _answer([_view(by, row, {}, Bill((), 0), today) for row in rows])
        tenants = [t for t in fleet.tenants(session) if t.is_there]
        estimated = _estimated(control, session, by, tenants)
        bill = kept_bill(session, today, MOST_DAYS)
    users = sum(t.users for t in tenants)
    phase = phase_for(by.model, users)
    spikes = bill.daily_by_service()
    return _answer(
        [_view(by, row, estimated, bill, today) for row in rows],
        suggested={
            "monthly_usd": usd(by.model.budget_usd),
            "phase": {
                "name": phase.name,
                "users": users,
                "low_usd": usd(phase.low),
                "high_usd": usd(phase.high),
            },
        },
        spikes=[
            {
                "service": s.service,
                "usual_usd": usd(s.usual_usd),
                "today_usd": usd(s.today_usd),
                "times": None if s.times is None else str(s.times),
                "culprits": list(s.culprits),
                "fixes": list(s.fixes),
            }
            for s in find_spikes(by.model, spikes)
        ],
        new_services=new_services(spikes),
        worries=[
            {"rule": w.rule, "message": w.message}
            for w in worries(Signs(monthly_usd=_worrying(estimated, bill, today), users=users))
        ],
    )


def _answer(items: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    advice: dict[str, Any] = {"suggested": None, "spikes": [], "new_services": [], "worries": []}
    guarded = [{"cut": cut, "only": only} for cut, only in GUARDED_CUTS]
    steps = {"first": FIRST_LOOK, "guarded_cuts": guarded}
    return {"items": items, "next_page_token": None, **advice, **more, "on_a_spike": steps}


def _estimated(
    control: Control, session: Session, by: Pricer, tenants: list[fleet.CostTenant]
) -> dict[str, Decimal | None]:
    """A month by scope; the fleet with what its tenants share."""
    members = priced(by, tenants)
    shared = add(e.total for e in shared_costs(control, session, by).values())
    by_stage = {s: add(m.monthly_usd for m in members if m.stage == s) for s in ("poc", "production")}
    return {**by_stage, budgets.FLEET: add([*by_stage.values(), shared])}


def _view(by: Pricer, row: Budget, estimated: Sums, bill: Bill, today: date) -> dict[str, Any]:
    spent, end = _month(bill, today) if row.scope == budgets.FLEET else (None, None)
    expected = estimated.get(row.scope)
    reached = [amount for amount in (expected, end) if amount is not None]
    worst = max(reached, default=None)
    left = None if expected is None else row.monthly_usd - expected
    return {
        "scope": row.scope,
        "monthly_usd": usd(row.monthly_usd),
        "set_by": row.set_by,
        "set_at": plain(row.set_at),
        "reason": row.reason,
        "estimated_usd": usd(expected),
        "left_usd": usd(left),
        "billed_this_month_usd": usd(spent),
        "month_end_usd": usd(end),
        "alerts": [
            {
                "percent": alert.percent,
                "at_usd": usd(alert.at_usd),
                "reached": None if worst is None else worst >= alert.at_usd,
            }
            for alert in alerts(by.model, row.monthly_usd)
        ],
    }


def _month(bill: Bill, today: date) -> tuple[Decimal | None, Decimal | None]:
    """Billed since the first of the month, and where that leads by its end; unknown without a bill."""
    first = today.replace(day=1)
    days = [day for day in bill.days if day >= first]
    if not days:
        return None, None
    daily = [
        sum((r.usd for r in bill.rows if r.day == first + timedelta(days=n)), ZERO)
        for n in range((max(days) - first).days + 1)
    ]
    found = burn(daily, monthrange(first.year, first.month)[1])
    return found.spent_usd, found.month_end_usd


def _worrying(estimated: Sums, bill: Bill, today: date) -> Decimal | None:
    """The bill where there is one, else the estimate."""
    end = _month(bill, today)[1]
    return estimated.get(budgets.FLEET) if end is None else end


# --- setting ----------------------------------------------------------------------------------------


def save(control: Control, actor: Actor, body: asked.NewBudget, ask: Ask) -> dict[str, Any]:
    """Set a budget, or take it away. From now on plans have to keep it."""
    actor.require(Action.CHANGE_FLEET)
    asked.check_currency(body.currency)
    now = control.now()
    with control.db.write() as session:
        before = next((b.monthly_usd for b in budgets.every(session) if b.scope == body.scope), None)
        if body.monthly_usd is None:
            budgets.remove(session, body.scope)
        else:
            budgets.save(session, body.scope, body.monthly_usd, actor=actor.name, reason=ask.reason, now=now)
        audit.append(
            session,
            at=now,
            actor=actor.name,
            action="budget.removed" if body.monthly_usd is None else "budget.set",
            subject=f"budget/{body.scope}",
            reason=ask.reason,
            request_id=ask.request_id,
            origin=actor.origin,
            before={"monthly_usd": usd(before)},
            after={"monthly_usd": usd(body.monthly_usd)},
        )
    return {"id": body.scope, "scope": body.scope, "monthly_usd": usd(body.monthly_usd)}
