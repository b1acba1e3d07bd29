"""From a scan to a decision and the look afterwards, on a catalog with fakes outside."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from controlplane.domain.errors import Conflict, Denied, Missing, Throttled, Unavailable
from controlplane.domain.operation import Kind
from controlplane.operations import Resize
from controlplane.services import tenants, windows
from controlplane.services.actor import Actor, Role
from controlplane.services.asking import Way
from controlplane.services.bodies import NewWindow
from controlplane.services.control import Ask
from controlplane.services.rightsizing import deciding, inbox, scanning
from controlplane.services.rightsizing.asked import Dismissal, Inbox, Scanning
from controlplane.store import tenants as tenant_rows
from tests.doors.care.neighbourhood import ADMIN, WAY, Neighbourhood
from tests.unit.rightsizing.traces import Load, flat

IDLE, BUSY, CALM = Load(flat(3), 300), Load(flat(40), 600), Load(flat(10), 900)
ASK = Ask(reason="it is idle")


def scan(here: Neighbourhood, **body: Any) -> dict[str, Any]:
    return scanning.scan(here.control, ADMIN, Scanning(**body), WAY)


def listed(here: Neighbourhood, **query: Any) -> list[dict[str, Any]]:
    return list(inbox.page(here.control, ADMIN, Inbox(**query))["items"])


def only(here: Neighbourhood, **query: Any) -> dict[str, Any]:
    (found,) = listed(here, **query)
    return found


# --- scanning ---------------------------------------------------------------------------------------


def test_a_scan_fills_the_inbox_with_what_is_worth_a_decision(here: Neighbourhood) -> None:
    here.tenant("idle", load=IDLE)
    here.tenant("busy", load=BUSY)
    here.tenant("calm", load=CALM)
    found = scan(here)
    assert found["findings"] == {"Optimized": 1, "Overprovisioned": 1, "Underprovisioned": 1}
    assert (found["looked_at"], found["inbox"], found["problems"]) == (3, {"new": 2}, [])
    proposals = {r["tenant"]: (r["current_size"], r["target_size"], r["finding"]) for r in listed(here)}
    assert proposals == {
        "idle": ("small", "micro", "Overprovisioned"),
        "busy": ("small", "medium", "Underprovisioned"),
    }


def test_what_is_seen_again_is_updated_and_not_doubled(here: Neighbourhood) -> None:
    here.tenant("idle", load=IDLE)
    first = (scan(here), only(here))[1]
    here.clock.forward(days=1)
    here.run("idle", IDLE)
    assert scan(here)["inbox"] == {"updated": 1}
    again = only(here)
    assert (again["id"], again["seen_count"]) == (first["id"], 2)
    assert again["last_seen_at"] > first["last_seen_at"]


def test_what_is_no_longer_found_is_ended(here: Neighbourhood) -> None:
    here.tenant("idle", load=IDLE)
    scan(here)
    here.run("idle", CALM)
    assert scan(here)["inbox"] == {"ended": 1}
    assert listed(here) == []
    assert only(here, status="ended")["decision_reason"] == "no longer found"


def test_a_dry_run_looks_and_writes_nothing(here: Neighbourhood) -> None:
    here.tenant("idle", load=IDLE)
    found = scanning.scan(here.control, ADMIN, Scanning(), Way(Ask(), dry_run=True))
    assert (found["dry_run"], found["inbox"]) == (True, {"would_propose": 1})
    assert listed(here) == []


def test_a_recommendation_shows_its_money_outage_evidence_and_way_back(here: Neighbourhood) -> None:
    here.tenant("idle", load=IDLE)
    scan(here)
    found = inbox.show(here.control, ADMIN, only(here)["id"])
    before, after, delta = (Decimal(found[n]) for n in ("monthly_usd", "monthly_usd_after", "delta_usd"))
    assert delta == after - before < 0
    assert "outage" in found["outage"]
    assert found["revert"] == "controlplane tenant resize idle --size small"
    assert found["evidence"]["metrics"]["cpu"]["p99"] == 3
    assert found["next_command"] == f"controlplane rightsize propose {found['id']}"


def test_an_urgent_look_asks_for_one_metric_only(here: Neighbourhood) -> None:
    here.tenant("hot", load=Load(flat(95), 600))
    here.tenant("calm", load=CALM)
    found = scan(here, urgent_only=True)
    assert (found["kind"], found["findings"]) == ("rightsizing-hot", {"Underprovisioned": 1, "unknown": 1})
    assert {(q.metric, q.period) for q in here.metrics.asked} == {("CPUUtilization", 60)}
    assert only(here)["urgent"] is True


def test_everything_that_decides_is_measured_and_the_fleet_is_listed_once(here: Neighbourhood) -> None:
    bursts, steady = here.tenant("bursts", size="small"), here.tenant("steady", size="large")
    scan(here)
    asked = {
        name: {q.metric for q in here.metrics.asked if q.identifier == name} for name in (bursts, steady)
    }
    work = {"CPUUtilization", "FreeableMemory", "SwapUsage", "DatabaseConnections", "FreeStorageSpace"}
    disk = {f"{way}{what}" for way in ("Read", "Write") for what in ("IOPS", "Latency")}
    credits = {"CPUCreditBalance", "CPUSurplusCreditBalance", "CPUSurplusCreditsCharged"}
    assert asked == {bursts: work | disk | credits, steady: work | disk}
    assert here.cloud.world.calls() == ["databases"]


def test_a_selector_narrows_the_scan(here: Neighbourhood) -> None:
    here.tenant("one", load=IDLE, labels={"team": "a"})
    here.tenant("two", load=IDLE, labels={"team": "b"})
    assert scan(here, selector="team=b")["looked_at"] == 1
    assert only(here)["tenant"] == "two"


def test_production_is_not_proposed_below_what_its_customers_need(here: Neighbourhood) -> None:
    here.tenant("shop", size="medium", load=IDLE, stage="production", locations=12)
    here.tenant("kiosk", size="small", load=IDLE, stage="production")
    assert scan(here)["findings"] == {"Optimized": 2}


def test_another_look_back_is_asked_for(here: Neighbourhood) -> None:
    identifier = here.tenant("young", load=IDLE)
    for key, points in list(here.metrics.points.items()):
        here.metrics.points[key] = [p for p in points if p[0] >= here.clock.now.timestamp() - 7 * 86_400]
    assert scan(here)["findings"] == {"unknown": 1}
    assert scan(here, look_back_days=7)["findings"] == {"Overprovisioned": 1}
    assert identifier in {q.identifier for q in here.metrics.asked}


# --- what is wrong with one tenant ------------------------------------------------------------------


def test_one_that_cannot_be_measured_is_named_and_the_scan_goes_on(here: Neighbourhood) -> None:
    broken = here.tenant("broken", load=IDLE)
    here.tenant("idle", load=IDLE)
    for metric, statistic in [("FreeableMemory", "p1"), ("CPUUtilization", "p95")]:
        del here.metrics.points[broken, metric, statistic, 7200]
    here.metrics.problems[broken] = "CloudWatch: InternalError"
    found = scan(here)
    assert found["problems"] == [{"tenant": "broken", "problem": "CloudWatch: InternalError"}]
    assert found["findings"] == {"Overprovisioned": 1, "unknown": 1}
    assert only(here)["tenant"] == "idle"


def test_points_that_cannot_be_are_reported(here: Neighbourhood) -> None:
    identifier = here.tenant("odd", load=IDLE)
    key = (identifier, "DatabaseConnections", "Maximum", 7200)
    at, _ = here.metrics.points[key][-1]
    here.metrics.points[key] = [*here.metrics.points[key][:-2], (at, -5.0), (at - 7200, float("nan"))]
    words = {p["problem"] for p in scan(here)["problems"]}
    assert words == {"DatabaseConnections: 1 points negative", "DatabaseConnections: 1 points not a number"}


def test_one_that_is_not_what_it_is_recorded_to_be_gets_no_advice(here: Neighbourhood) -> None:
    other, gone, off = (here.tenant(slug, load=IDLE) for slug in ("other", "gone", "off"))
    here.cloud.change_database(other, instance_class="db.m6g.large")
    here.cloud.remove_database(gone)
    here.cloud.change_database(off, status="stopped")
    found = scan(here)
    assert found["looked_at"] == 0
    said = {p["tenant"]: p["problem"] for p in found["problems"]}
    assert "drift scan" in said["other"]
    assert "not there" in said["gone"]
    assert said["off"] == "the database is stopped"


def test_the_fleet_that_cannot_be_listed_is_no_reason_to_stop(here: Neighbourhood) -> None:
    here.tenant("idle", load=IDLE)
    here.cloud.world.inject("databases", "throttled")
    found = scan(here)
    assert found["findings"] == {"Overprovisioned": 1}
    assert "cannot be listed" in found["problems"][0]["problem"]


def test_no_metrics_at_all_is_an_error_that_leaves_the_inbox_alone(here: Neighbourhood) -> None:
    here.tenant("idle", load=IDLE)
    scan(here)
    here.metrics.error = Throttled("reading metrics: throttled")
    with pytest.raises(Throttled):
        scan(here)
    assert only(here)["status"] == "open"
    with pytest.raises(Unavailable):
        scanning.scan(replace(here.control, metric_source=None), ADMIN, Scanning(), WAY)


def test_a_tenant_that_goes_away_meanwhile_is_named(here: Neighbourhood) -> None:
    here.tenant("leaver", load=IDLE)

    def leave() -> Any:
        with here.control.db.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE tenant SET phase = 'torn_down'")
        return here.metrics

    found = scanning.scan(replace(here.control, metric_source=leave), ADMIN, Scanning(), WAY)
    assert found["problems"] == [{"tenant": "leaver", "problem": "it went away during the scan"}]
    assert listed(here) == []


# --- deciding ---------------------------------------------------------------------------------------


def test_to_propose_makes_the_ordinary_operation_once(here: Neighbourhood) -> None:
    here.tenant("idle", load=IDLE)
    scan(here)
    id_ = only(here)["id"]
    operation = deciding.propose(here.control, ADMIN, id_, ASK)
    assert (operation["kind"], operation["tenant"]) == ("resize", "idle")
    assert (only(here)["status"], only(here)["operation"]) == ("proposed", operation["id"])
    with pytest.raises(Conflict, match="proposed already"):
        deciding.propose(here.control, ADMIN, id_, ASK)
    assert scan(here)["inbox"] == {"kept": 1}


def test_a_tenant_that_a_person_changes_keeps_its_recommendation_open(here: Neighbourhood) -> None:
    here.tenant("idle", load=IDLE)
    scan(here)
    tenants.change(here.control, ADMIN, Kind.RESIZE, "idle", Resize(size="large"), ASK)
    with pytest.raises(Conflict, match="held by"):
        deciding.propose(here.control, ADMIN, only(here)["id"], ASK)
    assert only(here)["status"] == "open"


def test_to_apply_asks_for_approval_at_once(here: Neighbourhood) -> None:
    here.tenant("idle", load=IDLE)
    scan(here)
    operation = deciding.apply(here.control, ADMIN, only(here)["id"], Ask())
    with here.control.db.engine.connect() as connection:
        query = "SELECT payload, reason FROM operation WHERE id = ?"
        payload, reason = connection.exec_driver_sql(query, (operation["id"],)).one()
    assert '"size": "micro"' in payload
    assert '"auto_approve": true' in payload
    assert "CPU p99 3 %" in reason


def test_what_was_dismissed_is_silent_for_a_while_and_longer_each_time(here: Neighbourhood) -> None:
    here.tenant("idle", load=IDLE)
    scan(here)
    dismissed = deciding.dismiss(here.control, ADMIN, only(here)["id"], Dismissal(), ASK)
    assert dismissed["status"] == "dismissed"
    assert scan(here)["inbox"] == {"suppressed": 1}
    here.clock.forward(days=30)
    here.run("idle", IDLE)
    assert scan(here)["inbox"] == {"new": 1}
    again = deciding.dismiss(here.control, ADMIN, only(here)["id"], Dismissal(), ASK)
    assert again["silent_until"] == here.clock.forward(days=60).isoformat()


def test_another_proposal_of_a_dismissed_tenant_is_made(here: Neighbourhood) -> None:
    here.tenant("idle", load=IDLE)
    scan(here)
    deciding.dismiss(here.control, ADMIN, only(here)["id"], Dismissal(days=5), ASK)
    here.run("idle", BUSY)
    assert scan(here)["inbox"] == {"new": 1}


def test_who_may_not_is_refused_and_who_does_not_see_finds_nothing(here: Neighbourhood) -> None:
    here.tenant("idle", load=IDLE)
    scan(here)
    id_ = only(here)["id"]
    viewer, stranger = Actor("v", Role.VIEWER), Actor("s", Role.OPERATOR, ("other-*",))
    with pytest.raises(Denied):
        deciding.propose(here.control, viewer, id_, ASK)
    with pytest.raises(Denied):
        scanning.scan(here.control, stranger, Scanning(), WAY)
    with pytest.raises(Missing):
        deciding.dismiss(here.control, stranger, id_, Dismissal(), ASK)
    assert inbox.page(here.control, stranger, Inbox())["items"] == []


def test_pages_follow_each_other(here: Neighbourhood) -> None:
    for number in range(5):
        here.tenant(f"idle-{number}", load=IDLE)
    scan(here)
    first = inbox.page(here.control, ADMIN, Inbox(page_size=3))
    second = inbox.page(here.control, ADMIN, Inbox(page_size=3, page_token=first["next_page_token"]))
    assert (len(first["items"]), len(second["items"]), second["next_page_token"]) == (3, 2, None)
    assert len({r["id"] for r in first["items"] + second["items"]}) == 5


# --- by itself --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selector", "cron", "expected"),
    [
        ("stage=poc", "0 10 * * *", {"new": 1, "applied_alone": 1}),
        ("stage=production", "0 10 * * *", {"new": 1}),
        ("", "0 10 * * *", {"new": 1}),
        ("stage=poc", "0 20 * * *", {"new": 1}),
        ("stage=poc", "", {"new": 1}),
    ],
)
def test_only_what_policy_allows_in_a_window_is_applied_by_itself(
    here: Neighbourhood, selector: str, cron: str, expected: dict[str, int]
) -> None:
    here.tenant("idle", load=IDLE)
    here.control = replace(here.control, rightsizing_alone=selector)
    if cron:
        body = NewWindow(name="changes", effect="allow", cron=cron, minutes=180)
        windows.add(here.control, ADMIN, body, ASK)
    assert scan(here)["inbox"] == expected


def test_a_step_up_is_never_taken_by_itself(here: Neighbourhood) -> None:
    here.tenant("busy", load=BUSY)
    here.control = replace(here.control, rightsizing_alone="stage=poc")
    windows.add(
        here.control,
        ADMIN,
        NewWindow(name="always", effect="allow", cron="0 0 * * *", minutes=1440),
        ASK,
    )
    assert scan(here)["inbox"] == {"new": 1}


# --- afterwards -------------------------------------------------------------------------------------


def applied(here: Neighbourhood) -> str:
    """A step down that was proposed and done; the recommendation's id."""
    here.tenant("idle", load=IDLE)
    scan(here)
    id_ = str(only(here)["id"])
    operation = deciding.apply(here.control, ADMIN, id_, ASK)
    here.premises.finish(operation["id"])
    with here.control.db.write() as session:
        row = tenant_rows.find(session, "idle")
        assert row is not None
        by = {"actor": "a worker", "now": here.clock.now, "operation_id": operation["id"]}
        tenant_rows.change(session, row.uid, {"size": "micro"}, **by)
    with here.control.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE slot SET size = 'micro'")
    here.cloud.change_database(here.slot("idle")["identifier"], instance_class="db.t4g.micro")
    return id_


def test_a_change_that_did_no_harm_is_written_down_as_good(here: Neighbourhood) -> None:
    id_ = applied(here)
    here.clock.forward(days=2)
    here.run("idle", IDLE)
    scan(here)
    found = inbox.show(here.control, ADMIN, id_)
    assert (found["status"], found["outcome"]) == ("applied", "good")
    assert listed(here) == []


def test_where_a_change_made_it_worse_going_back_is_proposed_and_stays(here: Neighbourhood) -> None:
    id_ = applied(here)
    here.clock.forward(days=2)
    here.run("idle", Load(flat(60), 300))
    scan(here)
    assert inbox.show(here.control, ADMIN, id_)["outcome"] == "worse"
    back = only(here)
    assert (back["kind"], back["current_size"], back["target_size"]) == ("revert", "micro", "small")
    here.clock.forward(days=1)
    here.run("idle", Load(flat(60), 300))
    scan(here)
    assert only(here)["id"] == back["id"]
    operation = deciding.propose(here.control, ADMIN, back["id"], ASK)
    assert operation["kind"] == "resize"


def test_a_step_down_that_leaves_it_burning_is_taken_back_before_the_cool_down_is_over(
    here: Neighbourhood,
) -> None:
    applied(here)
    here.clock.forward(hours=3)
    here.run("idle", Load(flat(95), 300))
    scan(here, urgent_only=True)
    back = only(here)
    assert (back["urgent"], back["current_size"], back["target_size"]) == (True, "micro", "small")
    assert deciding.propose(here.control, ADMIN, back["id"], ASK)["kind"] == "resize"


def test_a_change_whose_plan_was_rejected_is_not_proposed_again_at_once(here: Neighbourhood) -> None:
    here.tenant("idle", load=IDLE)
    scan(here)
    id_ = only(here)["id"]
    operation = deciding.propose(here.control, ADMIN, id_, ASK)
    with here.control.db.engine.begin() as connection:
        query = "UPDATE operation SET status = 'rejected' WHERE id = ?"
        connection.exec_driver_sql(query, (operation["id"],))
    assert scan(here)["inbox"] == {"suppressed": 1}
    assert inbox.show(here.control, ADMIN, id_)["status"] == "dismissed"


def test_a_change_that_failed_may_be_proposed_again(here: Neighbourhood) -> None:
    here.tenant("idle", load=IDLE)
    scan(here)
    operation = deciding.propose(here.control, ADMIN, only(here)["id"], ASK)
    with here.control.db.engine.begin() as connection:
        query = "UPDATE operation SET status = 'failed' WHERE id = ?"
        connection.exec_driver_sql(query, (operation["id"],))
    assert scan(here)["inbox"] == {"new": 1}
