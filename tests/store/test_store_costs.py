"""Budgets, days and bills: set anew, recorded again, asked for once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from controlplane.catalog.costing import pricer
from controlplane.domain.cost.report.bill import BillRow
from controlplane.domain.errors import Missing
from controlplane.domain.tenant import Size
from controlplane.domain.workspace import SlotSpec
from controlplane.store import operations, slots
from controlplane.store.costs import bills, budgets, days, fleet
from controlplane.store.costs.rows import FLEET, BillQuery, CostDay
from controlplane.store.database import Database
from controlplane.store.tables import Operation, Plan
from tests.store.store_rows import NOW, add_tenant

DAY, NEXT = date(2025, 3, 1), date(2025, 3, 2)
MICRO = Decimal("16.58")


def query(asked_on: date = NEXT, begins: date = DAY, ends: date = NEXT) -> BillQuery:
    return BillQuery(asked_on=asked_on, begins=begins, ends=ends, asked_by="ann", asked_at=NOW)


def row(day: date, usd: str, tenant: str = "acme") -> BillRow:
    return BillRow(day, tenant, "rds", Decimal(usd))


def test_a_budget_is_one_a_scope_and_keeps_every_cent(db: Database) -> None:
    for usd in ("10.01", "99.999999"):
        with db.write() as session:
            budgets.save(session, "fleet", Decimal(usd), actor="ann", reason="", now=NOW)
    with db.read() as session:
        assert [(b.scope, b.monthly_usd) for b in budgets.every(session)] == [("fleet", Decimal("99.999999"))]


def test_what_is_no_budget_cannot_be_taken_away(db: Database) -> None:
    with db.write() as session, pytest.raises(Missing):
        budgets.remove(session, "poc")


def test_a_day_recorded_again_is_what_was_seen_last(db: Database) -> None:
    for usd in (Decimal(1), None):
        with db.write() as session:
            days.record(session, DAY, [CostDay(day=DAY, tenant_uid=FLEET, monthly_usd=usd)])
    with db.read() as session:
        assert [r.monthly_usd for r in days.fleet(session, DAY)] == [None]
        assert days.fleet(session, NEXT) == []


def test_databases_of_a_day_are_counted_by_size_and_standby(db: Database) -> None:
    rows = [CostDay(day=DAY, tenant_uid=f"u{n}", size="small", multi_az=n > 1, databases=1) for n in range(5)]
    whole = CostDay(day=DAY, tenant_uid=FLEET, databases=5)
    with db.write() as session:
        days.record(session, DAY, [whole, *rows])
    with db.read() as session:
        assert days.databases(session, DAY) == {DAY: {("small", False): 2, ("small", True): 3}}


def test_of_two_who_ask_for_today_s_bill_one_may(db: Database) -> None:
    with db.write() as session:
        assert bills.claim(session, query())
    with db.write() as session:
        assert not bills.claim(session, query())


def test_a_query_that_was_answered_is_not_given_back(db: Database) -> None:
    with db.write() as session:
        bills.claim(session, query())
        bills.keep(session, query(), (row(DAY, "1"),), 2, Decimal("0.02"))
    with db.write() as session:
        bills.release(session, NEXT)
        assert not bills.claim(session, query())


def test_days_that_are_asked_again_are_replaced_and_others_stay(db: Database) -> None:
    with db.write() as session:
        bills.keep(session, query(ends=date(2025, 3, 3)), (row(DAY, "1"), row(NEXT, "2")), 1, None)
        bills.keep(session, query(begins=NEXT, ends=date(2025, 3, 3)), (row(NEXT, "5"),), 1, None)
    with db.read() as session:
        assert [(r.day, r.usd) for r in bills.rows(session, DAY)] == [(DAY, 1), (NEXT, 5)]
        assert bills.known_until(session) == NEXT


def test_rows_of_one_day_tenant_and_service_are_added(db: Database) -> None:
    with db.write() as session:
        bills.keep(session, query(), (row(DAY, "0.1"), row(DAY, "0.2")), 1, None)
    with db.read() as session:
        assert [r.usd for r in bills.rows(session, DAY)] == [Decimal("0.3")]


# --- what of a budget is taken ------------------------------------------------------------------------


def add(
    db: Database, number: int, phase: str, cost_after: Decimal | None = None, **columns: str
) -> Operation:
    """A tenant with one small database, and an operation of it whose plan is open."""
    slot = SlotSpec(1, f"db-{number}", Size.MICRO, 20, multi_az=False, backup_days=1)
    with db.write() as session:
        tenant = add_tenant(session, number, phase=phase, **columns)
        slots.save(session, tenant.uid, slot, status="present")
        operation = Operation(
            id=f"op-{number}",
            kind="create",
            workspace_id=f"tenant-{tenant.uid}",
            tenant_uid=tenant.uid,
            requested_by="ann",
            created_at=NOW,
            plan_id=None if cost_after is None else f"plan-{number}",
            cost_after=cost_after,
        )
        return operations.insert(session, operation)


def taken(db: Database, operation: Operation, scope: str = "fleet") -> Decimal | None:
    with db.write() as session:
        budgets.save(session, scope, Decimal(100), actor="ann", reason="", now=NOW)
        found = budgets.for_plan(session, operation, pricer(None, DAY))
    return found[0].others_usd


def test_others_take_what_they_cost_and_oneself_takes_nothing(db: Database) -> None:
    mine = add(db, 1, "ready")
    add(db, 2, "ready")
    add(db, 3, "torn_down")
    add(db, 4, "requested")  # asked for later: it has to see us
    assert taken(db, mine) == MICRO


def test_an_older_plan_counts_before_a_newer_one_does(db: Database) -> None:
    first = add(db, 1, "requested", Decimal(30))
    second = add(db, 2, "requested", Decimal(40))
    assert (taken(db, first), taken(db, second)) == (0, 30)


def test_one_that_is_not_planned_yet_counts_with_what_it_wants(db: Database) -> None:
    first, second = add(db, 1, "requested"), add(db, 2, "requested")
    assert (taken(db, first), taken(db, second)) == (0, MICRO)


def test_one_that_is_being_made_counts_whoever_asked_first(db: Database) -> None:
    mine = add(db, 1, "requested", Decimal(30))
    add(db, 2, "provisioning", Decimal(40))
    assert taken(db, mine) == 40


def test_a_stage_s_budget_counts_that_stage(db: Database) -> None:
    mine = add(db, 1, "ready")
    add(db, 2, "ready", stage="production")
    assert taken(db, mine, "poc") == 0


def test_what_has_no_price_makes_what_is_taken_unknown(db: Database) -> None:
    mine = add(db, 1, "ready")
    add(db, 2, "ready", region="eu-central-1")
    assert taken(db, mine) is None


def test_what_failed_before_anything_was_applied_costs_nothing(db: Database) -> None:
    refused, broken = add(db, 1, "failed"), add(db, 2, "failed")
    plan = Plan(
        id="plan-2",
        operation_id=broken.id,
        run_id="run-2",
        meaning="",
        binding="",
        render_digest="",
        consumed_by="run-3",
        created_at=NOW,
    )
    with db.write() as session:
        operations.save_plan(session, plan)
    with db.read() as session:
        found = {t.uid: t.is_there for t in fleet.tenants(session)}
    assert found == {refused.tenant_uid: False, broken.tenant_uid: True}


def test_the_fleet_is_read_with_its_present_slots_and_labels(db: Database) -> None:
    add(db, 1, "suspended")
    with db.write() as session:
        add_tenant(session, 2, {"team": "a"})
    with db.read() as session:
        one, two = fleet.tenants(session)
        assert [slot.identifier for slot in one.slots] == ["db-1"]
        assert (one.is_there, one.is_running, two.is_there, two.labels) == (True, False, False, {"team": "a"})
        assert [t.slug for t in fleet.tenants(session, two.slug)] == [two.slug]
