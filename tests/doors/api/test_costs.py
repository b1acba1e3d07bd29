"""Cost over HTTP: what it says of a small fleet, what it refuses, and that unknown is never zero."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from controlplane.domain.cost.advice import worry
from tests.doors.costs import POC_USD, RDS, SMALL_USD, Purse, with_purse
from tests.doors.premises import Premises


@pytest.fixture
def purse(premises: Premises) -> Purse:
    return with_purse(premises)


@pytest.fixture
def http(purse: Purse) -> httpx.Client:
    return purse.premises.client()


def got(http: httpx.Client, path: str, **query: Any) -> dict[str, Any]:
    answer = http.get(f"/v1/{path}", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def sent(
    http: httpx.Client, path: str, body: dict[str, Any] | None = None, status: int = 200
) -> dict[str, Any]:
    answer = http.post(f"/v1/costs/{path}", json=body)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def fields_of(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["field"] for error in answer.json()["errors"]]


# --- one tenant -------------------------------------------------------------------------------------


def test_the_lines_of_a_tenant_add_up_to_its_total(http: httpx.Client) -> None:
    now = got(http, "tenants/acme/cost")["now"]
    assert now["monthly_usd"] == str(POC_USD)
    assert sum(Decimal(line["monthly_usd"]) for line in now["lines"]) == POC_USD
    assert now["yearly_usd"] == str(POC_USD * 12)


def test_an_open_plan_says_what_the_tenant_costs_afterwards(purse: Purse, http: httpx.Client) -> None:
    assert got(http, "tenants/acme/cost")["after_plan"] is None
    purse.plan_open(purse.premises.tenant("next-1"), "43.21")
    after = got(http, "tenants/next-1/cost")["after_plan"]
    assert (after["before_usd"], after["monthly_usd"]) == (str(POC_USD), "43.21")
    assert after["status"] == "awaiting_approval"


def test_what_a_platform_costs_is_split_by_the_rule_that_is_named(purse: Purse, http: httpx.Client) -> None:
    purse.premises.finish(purse.premises.tenant("heavy", labels={"cost-weight": "3"}))
    even = got(http, "tenants/acme/cost")
    weighed = got(http, "tenants/acme/cost", split="weight")
    heavy = got(http, "tenants/heavy/cost", split="weight")
    half, quarter, rest = (Decimal(found["shared_usd"]) for found in (even, weighed, heavy))
    assert half > 0
    assert abs(half - 2 * quarter) <= Decimal("0.02") and abs(quarter + rest - 2 * half) <= Decimal("0.02")
    assert even["with_shared_usd"] == str(POC_USD + half)
    assert "same" in even["shared_rule"]["rule"]


def test_a_weight_that_is_no_number_is_named(purse: Purse, http: httpx.Client) -> None:
    purse.premises.finish(purse.premises.tenant("heavy", labels={"cost-weight": "much"}))
    answer = http.get("/v1/tenants/acme/cost", params={"split": "weight"})
    assert fields_of(answer) == ["labels.cost-weight"]


def test_a_tenant_that_is_suspended_pays_its_storage(purse: Purse, http: httpx.Client) -> None:
    purse.premises.finish(purse.premises.tenant("rests"), phase="suspended")
    lines = got(http, "tenants/rests/cost")["now"]["lines"]
    assert [line["monthly_usd"] for line in lines if line["component"] == "rds"] == ["0.00", "2.30"]


def test_an_unknown_tenant_is_not_found(http: httpx.Client) -> None:
    assert http.get("/v1/tenants/nobody/cost").status_code == 404


# --- the fleet --------------------------------------------------------------------------------------


def test_the_fleet_is_the_sum_of_its_groups(http: httpx.Client) -> None:
    found = got(http, "costs/fleet", by="label:team")
    assert [(g["name"], g["monthly_usd"]) for g in found["groups"]] == [
        ("b", str(SMALL_USD)),
        ("a", str(POC_USD)),
    ]
    assert found["total"]["monthly_usd"] == str(POC_USD + SMALL_USD)
    assert {name: len(groups) for name, groups in found["breakdown"].items()} == {
        "stage": 2, "size": 2, "region": 1,
    }  # fmt: skip


def test_a_region_without_prices_makes_its_sums_unknown_and_no_others(
    purse: Purse, http: httpx.Client
) -> None:
    purse.premises.finish(purse.premises.tenant("far-away", region="eu-central-1"))
    found = got(http, "costs/fleet", by="region")
    assert found["total"]["monthly_usd"] is None
    assert found["total"]["known_usd"] == str(POC_USD + SMALL_USD)
    assert found["total"]["unknown"] == ["far-away"]
    assert {g["name"]: g["monthly_usd"] for g in found["groups"]} == {
        "us-east-1": str(POC_USD + SMALL_USD),
        "eu-central-1": None,
    }
    assert "no prices for eu-central-1" in got(http, "tenants/far-away/cost")["note"]


def test_history_has_a_row_for_each_day_that_was_recorded(purse: Purse) -> None:
    for days in (0, 1):
        purse.days_pass(days)
        sent(purse.premises.client(), "fleet/record")
        sent(purse.premises.client(), "fleet/record")  # the same day again replaces it
    http = purse.premises.client()
    rows = got(http, "costs/fleet")["history"]
    assert [row["monthly_usd"] for row in rows] == [str(POC_USD + SMALL_USD)] * 2
    assert len({row["day"] for row in rows}) == 2
    assert [row["monthly_usd"] for row in got(http, "tenants/acme/cost")["history"]] == [str(POC_USD)] * 2


def test_who_sees_one_tenant_is_told_the_cost_of_one(purse: Purse) -> None:
    sent(purse.premises.client(), "fleet/record")
    http = purse.premises.client(purse.premises.token("viewer", "acme"))
    found = got(http, "costs/fleet")
    assert (found["total"]["tenants"], found["total"]["monthly_usd"]) == (1, str(POC_USD))
    assert [row["monthly_usd"] for row in found["history"]] == [str(POC_USD)]
    assert found["shared"]["platforms"] == []


def test_a_grouping_that_does_not_exist_is_refused(http: httpx.Client) -> None:
    assert fields_of(http.get("/v1/costs/fleet", params={"by": "colour"})) == ["by"]


def picture(view: dict[str, Any]) -> ElementTree.Element:
    return ElementTree.fromstring(view["chart"])


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("costs/fleet", {"by": "size"}),
        ("costs/forecast", {"tenants": 40, "mix": "60/30/10"}),
        ("costs/forecast", {"tenants": 40, "start": 5, "growth": "10%"}),
    ],
)
def test_a_picture_is_drawn_when_it_is_wanted(http: httpx.Client, path: str, query: dict[str, Any]) -> None:
    assert "chart" not in got(http, path, **query)
    drawn = picture(got(http, path, **query, chart="true"))
    words = "".join(drawn.itertext())
    assert "USD a month" in words
    assert ("RDS Proxy" in words or "rds instances" in words) == path.endswith("forecast")


# --- forecasts --------------------------------------------------------------------------------------


def test_a_forecast_ends_at_the_number_that_was_asked_for(http: httpx.Client) -> None:
    months = got(http, "costs/forecast", tenants=30, start=10, growth="8+10%")["months"]
    assert [m["tenants"] for m in months] == [10, 19, 29, 30]
    assert months[-1]["monthly_usd"] == got(http, "costs/forecast", tenants=30)["estimate"]["monthly_usd"]


def test_points_where_something_must_change_lie_below_the_end(http: httpx.Client) -> None:
    points = got(http, "costs/forecast", tenants=40)["turning_points"]
    assert {"quota", "milestone", "transfer"} <= {p["kind"] for p in points}
    assert max(p["tenants"] for p in points) <= 40
    more = got(http, "costs/forecast", tenants=400)["turning_points"]
    assert {"cell", "proxy"} <= {p["kind"] for p in more}


def test_a_mix_is_compared_with_one_size_for_all(http: httpx.Client) -> None:
    found = got(http, "costs/forecast", tenants=100, mix="60/30/10")["against_one_size"]
    assert found["counts"] == {"micro": 60, "small": 30, "medium": 10}
    assert Decimal(found["saving_monthly_usd"]) == Decimal(found["uniform_usd"]) - Decimal(found["mixed_usd"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"tenants": 0}, "tenants"),
        ({"tenants": 10_001}, "tenants"),
        ({}, "tenants"),
        ({"tenants": 5, "mix": "60/30"}, "mix"),
        ({"tenants": 5, "mix": "huge=100"}, "mix"),
        ({"tenants": 5, "growth": "fast"}, "growth"),
        ({"tenants": 5, "start": 9, "growth": "1"}, "start"),
        ({"tenants": 5, "option": "gold"}, "options"),
        ({"tenants": 5, "blueprint": "nothing"}, "blueprint"),
        ({"tenants": 5, "region": "mars-1"}, "region"),
    ],
)
def test_a_forecast_of_nonsense_names_the_field(
    http: httpx.Client, query: dict[str, Any], field: str
) -> None:
    assert fields_of(http.get("/v1/costs/forecast", params=query)) == [field]


# --- estimates --------------------------------------------------------------------------------------


def test_a_described_tenant_costs_what_one_that_is_there_does(http: httpx.Client) -> None:
    described = sent(http, "estimate", {"stage": "production", "users": 12})
    assert (described["size"], described["monthly_usd"]) == ("small", str(SMALL_USD))
    assert sent(http, "estimate", {"tenant": "shop"})["monthly_usd"] == str(SMALL_USD)
    assert described["tier"]["name"] == "production-small"


def test_options_stand_behind_the_tenant_they_belong_to(http: httpx.Client) -> None:
    plain = sent(http, "estimate", {})
    more = sent(http, "estimate", {"options": ["waf"]})
    assert more["lines"][:-1] == plain["lines"]
    assert Decimal(more["monthly_usd"]) > Decimal(plain["monthly_usd"])


def test_a_blueprint_at_a_scale_is_estimated_with_the_share_of_databases(http: httpx.Client) -> None:
    body = {"blueprint": "fargate_db_per_tenant", "environment": "production", "tenants": 100}
    found = sent(http, "estimate", body)
    assert (found["monthly_usd"], found["database_percent"]) == ("5814.67", "84.3")


def test_a_plan_is_estimated_before_and_after(http: httpx.Client) -> None:
    values = {"instance_class": "db.t4g.micro", "allocated_storage": 20}
    after = {**values, "instance_class": "db.t4g.small"}
    change = {"actions": ["update"], "before": values, "after": after}
    plan = {"resource_changes": [{"type": "aws_db_instance", "address": "a.b", "change": change}]}
    found = sent(http, "estimate", {"plan": plan})["change"]
    assert (found["before"]["monthly_usd"], found["after"]["monthly_usd"]) == ("13.98", "25.66")
    assert (found["delta_monthly_usd"], found["delta_yearly_usd"]) == ("11.68", "140.16")


def test_what_has_no_price_is_unknown_and_named(http: httpx.Client) -> None:
    found = sent(http, "estimate", {"region": "eu-west-1", "size": "large"})
    assert (found["monthly_usd"], found["yearly_usd"], found["unknown"]) == (None, None, ["rds"])
    assert Decimal(found["known_usd"]) > 0


def test_rows_in_the_shape_of_focus_add_up_too(http: httpx.Client) -> None:
    rows = sent(http, "estimate", {"tenant": "acme", "focus": True})["focus"]
    assert sum(Decimal(row["ListCost"]) for row in rows) == POC_USD
    assert {row["BilledCost"] for row in rows} == {None}
    assert {row["Tags"]["tenant"] for row in rows} == {"acme"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"storage_gb": -1}, "storage_gb"),
        ({"replicas": -1}, "replicas"),
        ({"backup_gb": "-0.5"}, "backup_gb"),
        ({"tenants": -3, "blueprint": "fargate_db_per_tenant"}, "tenants"),
        ({"size": "gigantic"}, "size"),
        ({"instance_class": "db.r9.huge"}, "instance_class"),
        ({"region": "mars-1"}, "region"),
        ({"currency": "EUR"}, "currency"),
        ({"plan": {"no": "plan"}}, "plan"),
        ({"plan": {"resource_changes": [{"type": 3}]}}, "plan"),
        ({"plan": {"resource_changes": 7}}, "plan"),
        ({"options": ["nat_gateway", "nat_instance"]}, "options"),
        ({"tenant": "acme", "size": "small"}, "size"),
        ({"blueprint": "fargate_db_per_tenant", "storage_gb": 50}, "storage_gb"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_an_estimate_of_nonsense_names_the_field(
    http: httpx.Client, body: dict[str, Any], field: str
) -> None:
    assert fields_of(http.post("/v1/costs/estimate", json=body)) == [field]


def test_every_reference_table_is_computed_and_every_difference_has_a_reason(http: httpx.Client) -> None:
    found = got(http, "costs/tables")
    assert found["summary"]["tables"] == 58
    assert found["summary"]["unexplained"] == 0
    rows = [row for table in found["items"] for row in table["rows"]]
    assert all(row["reason"] for row in rows if Decimal(row["difference"] or 0))
    assert len(got(http, "costs/tables", table="004-poc-1")["items"]) == 1
    assert http.get("/v1/costs/tables", params={"table": "nothing"}).status_code == 404


# --- the price book ---------------------------------------------------------------------------------


def test_a_refreshed_book_counts_only_once_it_is_taken(purse: Purse, http: httpx.Client) -> None:
    shown = sent(http, "prices/refresh", {})
    change = shown["changes"][0]
    assert (change["key"], change["percent"], shown["taken"]) == (
        "rds.instance.db.t4g.micro.single", "100.0", False,
    )  # fmt: skip
    assert sent(http, "estimate", {})["monthly_usd"] == str(POC_USD)
    taken = sent(http, "prices/refresh", {"accept": True, "digest": shown["digest"]})
    assert (taken["taken"], taken["digest"], purse.prices.asked) == (True, shown["digest"], 1)
    assert sent(http, "estimate", {})["monthly_usd"] == str(POC_USD + Decimal("11.68"))
    assert got(http, "costs/prices")["taken"] == f"list-{shown['after']['dated']}.csv"


def test_what_was_not_shown_cannot_be_taken(http: httpx.Client) -> None:
    answer = http.post("/v1/costs/prices/refresh", json={"accept": True, "digest": "abcdef123456"})
    assert answer.status_code == 404


def test_a_rehearsed_refresh_asks_nobody_and_keeps_nothing(purse: Purse, http: httpx.Client) -> None:
    http.post("/v1/costs/prices/refresh", params={"dry_run": "true"}, json={"accept": True})
    assert purse.prices.asked == 0
    assert got(http, "costs/prices")["taken"] is None


def test_taking_a_book_stands_in_the_audit(http: httpx.Client) -> None:
    http.post("/v1/costs/prices/refresh", params={"reason": "new year"}, json={"accept": True})
    entry = got(http, "audit")["items"][0]
    assert (entry["action"], entry["reason"], entry["after"]["changes"]) == ("prices.taken", "new year", 1)


def test_the_book_in_force_says_where_each_price_is_from(http: httpx.Client) -> None:
    rows = got(http, "costs/prices", region="eu-west-1", q="rds.instance.db.m6g")["items"]
    assert {(row["usd"], row["kind"]) for row in rows} == {(None, "unknown")}
    assert all(row["source"] and row["valid_from"] for row in got(http, "costs/prices")["items"])


# --- bills and budgets ------------------------------------------------------------------------------


def test_what_nobody_asked_for_is_unknown(http: httpx.Client) -> None:
    found = got(http, "costs/actuals")
    assert (found["known"], found["total_usd"], found["items"]) == (False, None, [])
    tenant = got(http, "tenants/acme/cost")
    assert (tenant["billed_usd"], tenant["drift_usd"], tenant["billed_shared_usd"]) == (None, None, None)


def test_a_bill_is_asked_for_once_a_day(purse: Purse, http: httpx.Client) -> None:
    asked = sent(http, "actuals/refresh")
    assert (asked["requests"], asked["cost_usd"]) == (2, "0.02")
    sent(http, "actuals/refresh", status=409)
    assert len(purse.bills.asked) == 1
    purse.days_pass(1)
    sent(purse.premises.client(), "actuals/refresh")
    (_, first_end), (second_start, _) = purse.bills.asked
    assert (first_end - second_start).days == 3  # AWS revises its last days


def test_a_question_that_failed_may_be_asked_again(purse: Purse, http: httpx.Client) -> None:
    purse.bills.failures = 1
    sent(http, "actuals/refresh", status=503)
    assert sent(http, "actuals/refresh")["rows"] > 0


def test_a_bill_is_compared_over_the_days_of_each_tenant(purse: Purse) -> None:
    purse.bills.since = purse.premises.control.now().date()
    purse.days_pass(10)
    http = purse.premises.client()
    sent(http, "actuals/refresh")
    found = got(http, "tenants/acme/cost")
    assert (found["billed_days"], found["expected_usd"]) == (10, "5.53")  # 16.58 × 10 / 30
    rows = {row["tenant"]: row for row in got(http, "costs/actuals", days=10)["items"]}
    assert (rows["acme"]["billed_usd"], rows["acme"]["drift_usd"]) == ("5.00", "-0.53")
    assert (rows["shop"]["billed_usd"], rows["shop"]["off"]) == ("0.00", True)


def test_days_before_we_knew_a_tenant_count_when_they_were_billed(purse: Purse, http: httpx.Client) -> None:
    sent(http, "actuals/refresh")  # all of it from before today
    rows = {row["tenant"]: row for row in got(http, "costs/actuals")["items"]}
    assert (rows["acme"]["days"], rows["acme"]["billed_usd"]) == (30, "15.00")
    assert "shop" not in rows


def test_what_carries_no_tag_is_shared(purse: Purse) -> None:
    purse.days_pass(10)
    http = purse.premises.client()
    sent(http, "actuals/refresh")
    assert got(http, "costs/actuals", days=10)["untagged_usd"] == "20.00"
    scoped = purse.premises.client(purse.premises.token("viewer", "acme"))
    assert got(scoped, "costs/actuals", days=10)["untagged_usd"] is None


def test_a_budget_tells_which_of_its_alarms_are_reached(http: httpx.Client) -> None:
    sent(http, "budget", {"scope": "fleet", "monthly_usd": "350"})
    row = got(http, "costs/budget")["items"][0]
    alarms = [(a["percent"], a["at_usd"], a["reached"]) for a in row["alerts"]]
    assert alarms == [(80, "280.00", True), (100, "350.00", False)]
    assert Decimal(row["left_usd"]) == Decimal(350) - Decimal(row["estimated_usd"])
    sent(http, "budget", {"scope": "fleet", "monthly_usd": None})
    assert got(http, "costs/budget")["items"] == []


def test_a_budget_of_which_something_is_unknown_has_no_alarm_to_tell(
    purse: Purse, http: httpx.Client
) -> None:
    purse.premises.finish(purse.premises.tenant("far-away", region="eu-central-1"))
    sent(http, "budget", {"monthly_usd": "80"})
    row = got(http, "costs/budget")["items"][0]
    assert (row["estimated_usd"], row["left_usd"]) == (None, None)
    assert [alarm["reached"] for alarm in row["alerts"]] == [None, None]


def test_a_service_that_jumps_is_named_with_what_may_be_behind_it(purse: Purse) -> None:
    sent(purse.premises.client(), "actuals/refresh")
    purse.bills.daily[("", RDS)] = Decimal(40)
    purse.days_pass(1)
    http = purse.premises.client()
    sent(http, "actuals/refresh")
    spike = got(http, "costs/budget")["spikes"][0]
    assert (spike["service"], spike["usual_usd"], spike["today_usd"]) == (RDS, "2.50", "40.50")
    assert "storage" in spike["culprits"][0]


def test_a_large_bill_of_few_users_is_a_worry(http: httpx.Client) -> None:
    """Two platforms for one tenant each."""
    assert Decimal(got(http, "costs/fleet")["with_shared_usd"]) > worry.BILL_USD
    assert [w["rule"] for w in got(http, "costs/budget")["worries"]] == ["bill"]


@pytest.mark.parametrize("body", [{"monthly_usd": "-1"}, {"monthly_usd": "much"}, {}])
def test_a_budget_that_is_no_amount_is_refused(http: httpx.Client, body: dict[str, Any]) -> None:
    assert fields_of(http.post("/v1/costs/budget", json=body)) == ["monthly_usd"]


def test_who_only_reads_sets_no_budget(purse: Purse) -> None:
    http = purse.premises.client(purse.premises.token("operator"))
    sent(http, "budget", {"monthly_usd": "80"}, status=403)
    sent(http, "prices/refresh", {}, status=403)
    sent(http, "actuals/refresh", status=403)


def test_commitments_rest_on_what_ran_on_every_recorded_day(purse: Purse) -> None:
    assert got(purse.premises.client(), "costs/commitments")["steady_base"] == []
    sent(purse.premises.client(), "fleet/record")
    purse.premises.finish(purse.premises.tenant("late", stage="production", size="small"))
    purse.days_pass(1)
    http = purse.premises.client()
    sent(http, "fleet/record")
    base = {(b["instance_class"], b["count"]) for b in got(http, "costs/commitments")["steady_base"]}
    assert base == {("db.t4g.micro", 1), ("db.t4g.small", 1)}


def test_no_commitment_is_proposed_while_a_resize_is_undecided(purse: Purse, http: httpx.Client) -> None:
    sent(http, "fleet/record")
    assert got(http, "costs/commitments")["open_resizes"] == 0
    purse.resize_proposed("acme")
    found = got(http, "costs/commitments")
    assert (found["open_resizes"], found["level"], found["proposed"]) == (1, "wait", [])
