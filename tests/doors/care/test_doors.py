"""The fleet's care through both doors: what a person types, and what the API answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from controlplane.services.asking import Way
from controlplane.services.control import Ask
from controlplane.terminal.local import care
from tests.doors.api.test_problems import assert_problem
from tests.doors.care.neighbourhood import ADMIN, Neighbourhood
from tests.doors.cli.terminal import Terminal
from tests.fakes.metrics import FakeQuotas
from tests.unit.rightsizing.traces import Load, flat

IDLE = Load(flat(3), 300)


@pytest.fixture
def api(here: Neighbourhood) -> httpx.Client:
    quotas = FakeQuotas({"rds_instances": (80, 5)})
    here.premises.control = here.control = replace(here.control, quota_source=lambda: quotas)
    return here.premises.client()


@pytest.fixture
def terminal(here: Neighbourhood, api: httpx.Client, capsys: pytest.CaptureFixture[str]) -> Terminal:
    token = here.premises.token(name="person")
    return Terminal(capsys, ("--server", str(api.base_url), "--token", token))


def only(api: httpx.Client, path: str) -> dict[str, Any]:
    (found,) = api.get(path).json()["items"]
    return dict(found)


# --- HTTP -------------------------------------------------------------------------------------------


def test_a_scan_a_list_and_a_decision_over_http(here: Neighbourhood, api: httpx.Client) -> None:
    here.tenant("idle", load=IDLE)
    scanned = api.post("/v1/recommendations/scans", json={"selector": "stage=poc"})
    assert (scanned.status_code, scanned.json()["inbox"]) == (200, {"new": 1})
    found = only(api, "/v1/recommendations")
    whole = api.get(f"/v1/recommendations/{found['id']}").json()
    assert whole["evidence"]["metrics"]["cpu"]["coverage_percent"] == 100
    done = api.post(f"/v1/recommendations/{found['id']}/propose", headers={"Idempotency-Key": "k"})
    assert (done.status_code, done.json()["kind"]) == (202, "resize")
    assert done.headers["Location"] == f"/v1/operations/{done.json()['id']}"
    again = api.post(f"/v1/recommendations/{found['id']}/propose", headers={"Idempotency-Key": "k"})
    assert again.json() == done.json()
    third = api.post(f"/v1/recommendations/{found['id']}/propose")
    assert_problem(third, 409, "conflict")


def test_a_dry_run_of_a_decision_changes_nothing(here: Neighbourhood, api: httpx.Client) -> None:
    here.tenant("idle", load=IDLE)
    api.post("/v1/recommendations/scans")
    found = only(api, "/v1/recommendations")
    done = api.post(f"/v1/recommendations/{found['id']}/apply", params={"dry_run": True})
    assert (done.status_code, done.json()["dry_run"]) == (200, True)
    assert only(api, "/v1/recommendations")["status"] == "open"
    dismissed = api.post(f"/v1/recommendations/{found['id']}/dismiss", json={"days": 3})
    assert (dismissed.status_code, dismissed.json()["status"]) == (200, "dismissed")


def test_drift_over_http(here: Neighbourhood, api: httpx.Client) -> None:
    here.cloud.change_database(here.tenant("acme"), multi_az=True, public=True)
    here.cloud.add_database("left", {"managed-by": "controlplane"})
    assert api.post("/v1/drift/scans").json()["differences"] == {"dangerous": 1, "real": 2}
    rows = {d["attribute"]: d for d in api.get("/v1/drift").json()["items"]}
    assert api.get(f"/v1/drift/{rows['public']['id']}").json() == rows["public"]
    accepted = api.post(f"/v1/drift/{rows['multi_az']['id']}/accept")
    assert (accepted.status_code, accepted.json()["status"]) == (200, "accepted")
    taken_back = api.post(f"/v1/drift/{rows['public']['id']}/reconcile")
    assert (taken_back.status_code, taken_back.json()["kind"]) == (202, "reconcile")


def test_metrics_stand_beside_the_alarms_and_the_finding(here: Neighbourhood, api: httpx.Client) -> None:
    here.tenant("idle", load=IDLE)
    found = api.get("/v1/tenants/idle/metrics").json()
    assert (found["finding"], found["target_size"]) == ("Overprovisioned", "micro")
    assert found["metrics"]["cpu_recent"]["points"] == 30
    assert {"metric": "CPUUtilization", "threshold": 80}.items() <= found["thresholds"][1].items()
    here.premises.tenant("asked")
    assert_problem(api.get("/v1/tenants/asked/metrics"), 404, "not_found")
    assert_problem(api.get("/v1/tenants/nobody/metrics"), 404, "not_found")


def test_quotas_and_schedules_over_http(here: Neighbourhood, api: httpx.Client) -> None:
    here.tenant("acme")
    assert api.post("/v1/quotas/refresh").json()["answered"] == ["rds_instances"]
    items = api.get("/v1/quotas").json()["items"]
    assert next(q for q in items if q["name"] == "rds_instances")["limit"] == 80
    assert api.patch("/v1/schedules/drift", json={"enabled": False}).json()["enabled"] is False
    assert api.post("/v1/schedules/drift/run").json()["last_status"] == "done"
    names = [s["name"] for s in api.get("/v1/schedules").json()["items"]]
    assert {"rightsizing", "rightsizing-hot", "drift", "quotas"} <= set(names)
    assert_problem(api.post("/v1/schedules/nothing/run"), 404, "not_found")
    assert_problem(api.patch("/v1/schedules/drift", json={"cron": "whenever it fits"}), 422, "invalid")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/recommendations?status=unheard", None, 422),
        ("GET", "/v1/recommendations?page_token=made-up", None, 422),
        ("GET", "/v1/drift?severity=bad", None, 422),
        ("POST", "/v1/recommendations/scans", {"look_back_days": 0}, 422),
        ("POST", "/v1/recommendations/scans", {"surprise": 1}, 422),
        ("POST", "/v1/recommendations/rec-none/propose", None, 404),
        ("POST", "/v1/recommendations/rec-none/dismiss", {"days": 1000}, 422),
        ("POST", "/v1/drift/drift-none/accept", None, 404),
        ("PATCH", "/v1/schedules/drift", {"jitter_seconds": -1}, 422),
    ],
)
def test_what_cannot_be_is_a_problem(
    api: httpx.Client, method: str, path: str, body: Any, status: int
) -> None:
    answer = api.request(method, path, json=body)
    assert_problem(answer, status, "invalid" if status == 422 else "not_found")


# --- the command line -------------------------------------------------------------------------------


def test_right_sizing_at_the_terminal(here: Neighbourhood, terminal: Terminal) -> None:
    here.tenant("idle", load=IDLE)
    broken = here.tenant("broken", load=IDLE)
    here.metrics.problems[broken] = "CloudWatch: InternalError"
    said = terminal("rightsize", "scan")
    assert said.code == 0
    assert "CloudWatch: InternalError" in said.out
    listed = terminal("rightsize", "list", "-o", "json", "--tenant", "idle").json()
    id_ = listed["items"][0]["id"]
    table = terminal("rightsize", "list").out
    assert "small → micro" in table
    shown = terminal("rightsize", "show", id_).out
    assert "controlplane tenant resize idle --size small" in shown
    assert "COVERAGE_PERCENT" in shown
    assert "finding:" in terminal("rightsize", "metrics", "idle").out
    done = terminal("rightsize", "propose", id_, "--no-wait")
    assert done.code == 0
    assert "resize idle" in done.out
    assert terminal("rightsize", "dismiss", id_).code == 4


def test_drift_at_the_terminal(here: Neighbourhood, terminal: Terminal) -> None:
    identifier = here.tenant("acme")
    assert terminal("drift", "scan", "--detailed-exitcode").code == 0
    here.cloud.change_database(identifier, multi_az=True)
    said = terminal("drift", "scan", "--detailed-exitcode")
    assert said.code == 2
    assert "multi_az" in said.out
    (id_,) = terminal("drift", "list", "-o", "name").out.split()
    assert "nobody asked for" in terminal("drift", "show", id_).out
    assert terminal("drift", "accept", id_, "--reason", "wanted").code == 0
    assert terminal("drift", "scan", "--detailed-exitcode").code == 0


def test_quotas_and_schedules_at_the_terminal(here: Neighbourhood, terminal: Terminal) -> None:
    here.tenant("acme")
    assert "aws" in terminal("quota", "show", "--refresh").out
    assert terminal("schedule", "run", "drift").code == 0
    assert terminal("schedule", "run", "price-refresh").code == 1
    assert terminal("schedule", "run", "nothing").code == 5
    assert terminal("schedule", "set", "drift", "--off", "--cron", "0 6 * * *").code == 0
    listed = {s["name"]: s for s in terminal("schedule", "list", "-o", "json").json()["items"]}
    assert (listed["drift"]["enabled"], listed["drift"]["last_status"]) == (False, "done")


# --- both alike -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["recommendations", "drift", "quotas", "schedules", "tenants/idle/metrics"])
def test_the_local_catalog_answers_what_the_api_answers(
    here: Neighbourhood, api: httpx.Client, path: str
) -> None:
    here.cloud.change_database(here.tenant("idle", load=IDLE), public=True)
    way = Way(Ask())
    for scan in ("recommendations/scans", "drift/scans"):
        care.send(here.control, ADMIN, scan, {}, way)
    there = api.get(f"/v1/{path}").json()
    assert care.read(here.control, ADMIN, path, {}) == there
    for item in there.get("items", []) if path in ("recommendations", "drift") else []:
        one = f"{path}/{item['id']}"
        assert care.read(here.control, ADMIN, one, {}) == api.get(f"/v1/{one}").json()


def test_local_decisions_are_the_same_decisions(here: Neighbourhood, api: httpx.Client) -> None:
    here.tenant("idle", load=IDLE)
    way = Way(Ask())
    care.send(here.control, ADMIN, "recommendations/scans", {}, way)
    id_ = only(api, "/v1/recommendations")["id"]
    found = care.send(here.control, ADMIN, f"recommendations/{id_}/dismiss", {"days": 2}, way)
    assert found["status"] == "dismissed"
    assert care.send(here.control, ADMIN, "quotas/refresh", {}, way)["answered"] == ["rds_instances"]
    assert care.send(here.control, ADMIN, "schedules/drift/run", {}, way)["last_status"] == "done"
    changed = care.send(here.control, ADMIN, "schedules/drift", {"enabled": False}, way)
    assert changed["enabled"] is False
