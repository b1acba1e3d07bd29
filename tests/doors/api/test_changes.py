"""Changes over HTTP: accepted as operations, done once, rehearsed, and refused when the picture is old."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from controlplane.domain.operation import Status
from controlplane.store import operations
from controlplane.store.tables import Run, StateLock
from tests.doors.api.test_problems import assert_problem
from tests.doors.premises import FREE, PATIENCE, Premises


def test_a_change_answers_its_operation_and_where_it_is(http: httpx.Client) -> None:
    answer = http.post("/v1/tenants", json={"slug": "acme", "labels": {"team": "a"}})
    body = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/operations/{body['id']}"
    assert (body["kind"], body["tenant"], body["status"], body["done"]) == (
        "create",
        "acme",
        "pending",
        False,
    )
    assert body["metadata"]["queue_position"] == 1
    assert http.get(answer.headers["location"]).json()["id"] == body["id"]


def test_who_asks_and_why_stand_in_the_operation_and_the_audit(http: httpx.Client) -> None:
    made = http.post("/v1/tenants", params={"reason": "a pilot"}, json={"slug": "acme"}).json()
    assert (made["requested_by"], made["reason"]) == ("token:admin-0", "a pilot")
    entry = http.get("/v1/audit").json()["items"][0]
    assert (entry["actor"], entry["reason"], entry["subject"]) == ("token:admin-0", "a pilot", "tenant/acme")
    assert entry["origin"] == "127.0.0.1"


def test_a_dry_run_checks_everything_and_changes_nothing(http: httpx.Client) -> None:
    answer = http.post("/v1/tenants", params={"dry_run": True}, json={"slug": "acme"})
    assert (answer.status_code, answer.json()["dry_run"]) == (200, True)
    assert http.get("/v1/tenants").json()["items"] == []
    assert http.get("/v1/operations").json()["items"] == []
    assert {e["action"] for e in http.get("/v1/audit").json()["items"]} == {"token.created"}
    refused = http.post("/v1/tenants", params={"dry_run": True}, json={"slug": "-a"})
    assert_problem(refused, 422, "invalid")


# --- idempotency ------------------------------------------------------------------------------------


def test_the_same_request_twice_is_done_once(http: httpx.Client) -> None:
    key = {"Idempotency-Key": "k1"}
    first = http.post("/v1/tenants", json={"slug": "acme"}, headers=key)
    again = http.post("/v1/tenants", json={"slug": "acme"}, headers=key)
    assert again.status_code == first.status_code == 202
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert len(http.get("/v1/operations").json()["items"]) == 1


def test_a_key_for_another_request_is_refused(http: httpx.Client) -> None:
    key = {"Idempotency-Key": "k1"}
    http.post("/v1/tenants", json={"slug": "acme"}, headers=key)
    answer = http.post("/v1/tenants", json={"slug": "other"}, headers=key)
    assert_problem(answer, 422, "invalid")


def test_a_key_belongs_to_who_sent_it(premises: Premises) -> None:
    server = premises.serve(FREE)
    one, two = server.client(premises.token(name="one")), server.client(premises.token(name="two"))
    key = {"Idempotency-Key": "k1"}
    assert one.post("/v1/tenants", json={"slug": "acme"}, headers=key).status_code == 202
    assert two.post("/v1/tenants", json={"slug": "other"}, headers=key).status_code == 202


def test_a_request_that_failed_may_be_sent_again_with_its_key(http: httpx.Client) -> None:
    key, bad = {"Idempotency-Key": "k1"}, {"slug": "acme", "region": "mars-1"}
    assert http.post("/v1/tenants", json=bad, headers=key).status_code == 422
    assert http.post("/v1/tenants", json={"slug": "acme"}, headers=key).status_code == 202


def test_a_hundred_at_once_with_one_key_are_one_operation(premises: Premises) -> None:
    url, token = premises.serve(FREE).url, premises.token()
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k1"}

    def send(_: int) -> httpx.Response:
        return httpx.post(f"{url}/v1/tenants", json={"slug": "acme"}, headers=headers, timeout=PATIENCE)

    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(send, range(100)))
    assert {a.status_code for a in answers} == {202}
    assert len({a.json()["id"] for a in answers}) == 1
    assert sum("idempotency-replayed" not in a.headers for a in answers) == 1
    rows = httpx.get(f"{url}/v1/operations", headers=headers, timeout=PATIENCE).json()["items"]
    assert len(rows) == 1


def test_the_secret_of_a_token_is_not_given_twice(http: httpx.Client) -> None:
    key = {"Idempotency-Key": "k1"}
    first = http.post("/v1/tokens", json={"name": "ci"}, headers=key)
    assert (first.status_code, first.json()["secret"][:3]) == (201, "cp_")
    again = http.post("/v1/tokens", json={"name": "ci"}, headers=key)
    assert_problem(again, 409, "already_issued")
    secret = first.json()["secret"]
    assert secret not in http.get("/v1/tokens").text + http.get("/v1/audit").text


# --- entity tags ------------------------------------------------------------------------------------


def test_a_tenant_is_described_only_by_who_has_seen_it(premises: Premises) -> None:
    premises.tenant()
    http = premises.client()
    assert_problem(http.patch("/v1/tenants/acme", json={"users": 7}), 428, "precondition_required")
    tag = http.get("/v1/tenants/acme").headers["etag"]
    changed = http.patch("/v1/tenants/acme", json={"users": 7}, headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["users"]) == (200, 7)
    stale = http.patch("/v1/tenants/acme", json={"users": 8}, headers={"If-Match": tag})
    assert_problem(stale, 412, "stale")
    assert http.get("/v1/tenants/acme").json()["users"] == 7


def test_what_was_seen_is_not_sent_again(premises: Premises) -> None:
    premises.tenant()
    http = premises.client()
    tag = http.get("/v1/tenants/acme").headers["etag"]
    answer = http.get("/v1/tenants/acme", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (304, b"")


def test_a_change_of_an_old_picture_is_refused(premises: Premises) -> None:
    premises.finish(premises.tenant())
    http = premises.client()
    answer = http.post("/v1/tenants/acme/destroy", json={"confirm": "acme"}, headers={"If-Match": '"999"'})
    assert_problem(answer, 412, "stale")
    bad = http.post("/v1/tenants/acme/destroy", json={"confirm": "acme"}, headers={"If-Match": "nonsense"})
    assert_problem(bad, 422, "invalid")


# --- many at once -----------------------------------------------------------------------------------


def test_a_batch_answers_every_row_by_itself(http: httpx.Client) -> None:
    rows = [
        {"slug": "one"},
        {"slug": "-bad"},
        {"slug": "two", "size": "huge"},
        {"slug": "three"},
        {"slug": "one"},
    ]
    answer = http.post("/v1/tenants/batch", json={"items": rows}).json()
    assert [item["accepted"] for item in answer["items"]] == [True, False, False, True, False]
    assert (answer["accepted"], answer["refused"]) == (2, 3)
    assert answer["items"][4]["problem"]["code"] == "already_exists"
    assert {t["slug"] for t in http.get("/v1/tenants").json()["items"]} == {"one", "three"}


def test_a_batch_with_a_key_keeps_its_good_rows_and_is_done_once(http: httpx.Client) -> None:
    rows = {"items": [{"slug": "one"}, {"slug": "one"}, {"slug": "two"}]}
    key = {"Idempotency-Key": "k1"}
    first = http.post("/v1/tenants/batch", json=rows, headers=key)
    again = http.post("/v1/tenants/batch", json=rows, headers=key)
    assert first.json() == again.json()
    assert [item["accepted"] for item in first.json()["items"]] == [True, False, True]
    assert {t["slug"] for t in http.get("/v1/tenants").json()["items"]} == {"one", "two"}


def test_a_batch_can_be_rehearsed(http: httpx.Client) -> None:
    rows = {"items": [{"slug": "one"}, {"slug": "-bad"}]}
    answer = http.post("/v1/tenants/batch", json=rows, params={"dry_run": True}).json()
    assert [item["accepted"] for item in answer["items"]] == [True, False]
    assert http.get("/v1/tenants").json()["items"] == []


# --- what a person tells an operation ---------------------------------------------------------------


def test_only_the_plan_that_was_seen_is_approved(premises: Premises) -> None:
    operation = premises.tenant()
    meaning = premises.await_approval(operation)
    http = premises.client()
    wrong = http.post(f"/v1/operations/{operation}/approve", json={"digest": "0000"})
    assert_problem(wrong, 412, "stale")
    right = http.post(f"/v1/operations/{operation}/approve", json={"digest": meaning[:12]})
    assert right.status_code == 202
    assert right.json()["metadata"]["blocked"] is False


def test_of_many_that_approve_a_plan_at_once_or_afterwards_one_does(premises: Premises) -> None:
    operation = premises.tenant()
    premises.await_approval(operation)
    url, headers = premises.serve(FREE).url, {"Authorization": f"Bearer {premises.token()}"}

    def approve(_: int) -> httpx.Response:
        return httpx.post(f"{url}/v1/operations/{operation}/approve", headers=headers, timeout=PATIENCE)

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(approve, range(20)))
    assert sorted(a.status_code for a in answers) == [202, *[409] * 19]
    assert_problem(approve(0), 409, "conflict")
    told = httpx.get(f"{url}/v1/audit", headers=headers, timeout=PATIENCE).json()["items"]
    assert [one["action"] for one in told].count("operation.approved") == 1


def test_who_asked_may_not_approve_where_two_are_wanted(premises: Premises) -> None:
    operation = premises.tenant()
    premises.await_approval(operation, requested_by="token:admin-0")
    server = premises.serve(FREE)
    asked = server.client(premises.token())
    assert_problem(asked.post(f"/v1/operations/{operation}/approve"), 403, "denied")
    other = server.client(premises.token(name="somebody-else"))
    assert other.post(f"/v1/operations/{operation}/approve").status_code == 202


def test_a_plan_can_be_rejected(premises: Premises) -> None:
    operation = premises.tenant()
    premises.await_approval(operation)
    answer = (
        premises.client().post(f"/v1/operations/{operation}/reject", params={"reason": "too dear"}).json()
    )
    assert (answer["status"], answer["done"]) == ("rejected", True)
    assert "too dear" in answer["error"]["detail"]


def test_what_waits_for_its_turn_can_be_cancelled_and_tried_again(premises: Premises) -> None:
    operation = premises.tenant()
    http = premises.client()
    assert http.post(f"/v1/operations/{operation}/cancel").json()["status"] == "cancelled"
    assert_problem(http.post(f"/v1/operations/{operation}/cancel"), 409, "conflict")
    again = http.post(f"/v1/operations/{operation}/retry").json()
    assert again["id"] != operation
    assert (again["kind"], again["status"]) == ("create", "pending")


def test_a_person_settles_what_needs_one(premises: Premises) -> None:
    operation = premises.tenant()
    with premises.control.db.write() as session:
        operations.move(session, operation, Status.NEEDS_OPERATOR, premises.control.now(), "look")
    http = premises.client()
    assert http.get(f"/v1/operations/{operation}").json()["metadata"]["next_command"].endswith(operation)
    wrong = http.post(f"/v1/operations/{operation}/settle", json={"outcome": "magic"})
    assert_problem(wrong, 422, "invalid")
    settled = http.post(f"/v1/operations/{operation}/settle", json={"outcome": "failed"}).json()
    assert settled["status"] == "failed"


def test_a_person_says_that_the_terraform_of_an_operation_is_lost(premises: Premises) -> None:
    operation, http = premises.tenant(), premises.client()
    say = partial(http.post, f"/v1/operations/{operation}/settle", json={"outcome": "lost"})
    assert_problem(say(), 409, "conflict")  # it waits for none
    lives = {"status": "running", "host": "gone:1", "supervisor": "x", "lease_until": time.time() + 600}
    with premises.control.db.write() as session:
        run = Run(id="r1", operation_id=operation, workspace_id="w", verb="apply", **lives)
        session.add(run)
        session.add(StateLock(workspace_id="w", lock_id="run:r1", holder="run:r1", taken_at=1.0))
    alive = say()
    assert_problem(alive, 409, "conflict")
    assert "keeps its lease" in alive.json()["detail"]
    with premises.control.db.write() as session:
        session.get_one(Run, "r1").lease_until = time.time() - 1
    assert say().status_code == 202
    with premises.control.db.read() as session:
        assert session.get_one(Run, "r1").status == "lost"
        assert session.get(StateLock, "w") is None
    by = {one["action"]: one["actor"] for one in http.get("/v1/audit").json()["items"]}
    assert by["lock.released"] == by["operation.settled.lost"] != "controlplane"


@pytest.mark.parametrize("verb", ["approve", "reject", "settle", "retry"])
def test_what_makes_no_sense_now_is_a_conflict(premises: Premises, verb: str) -> None:
    operation = premises.tenant()
    assert_problem(premises.client().post(f"/v1/operations/{operation}/{verb}"), 409, "conflict")


def test_windows_come_and_go(http: httpx.Client) -> None:
    body = {"name": "nights", "effect": "allow", "cron": "0 2 * * *", "minutes": 60, "zone": "Europe/Berlin"}
    made = http.post("/v1/windows", json=body)
    assert made.status_code == 201
    assert [w["name"] for w in http.get("/v1/windows").json()["items"]] == ["nights"]
    assert http.delete(f"/v1/windows/{made.json()['id']}").status_code == 200
    assert http.get("/v1/windows").json()["items"] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cron", "whenever it is"),
        ("zone", "../../etc/passwd"),
        ("effect", "maybe"),
        ("minutes", 0),
        ("selector", "("),
    ],
)
def test_a_window_that_cannot_be_read_is_refused(http: httpx.Client, field: str, value: object) -> None:
    body = {"name": "w", "effect": "allow", "cron": "0 2 * * *", "minutes": 60, field: value}
    problem = assert_problem(http.post("/v1/windows", json=body), 422, "invalid")
    assert problem["errors"][0]["field"] == field
