"""Terraform's http backend: the state that we see, with the lock that Terraform knows."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.doors.api.test_problems import assert_problem
from tests.doors.premises import FREE, PATIENCE, Premises

LOCK = {"ID": "lock-1", "Operation": "OperationTypePlan", "Who": "ann@laptop", "Version": "1.11.4"}


def state(serial: int, lineage: str = "aaaa") -> bytes:
    outputs = {"change": {"value": serial, "type": "number"}}
    whole = {"version": 4, "serial": serial, "lineage": lineage, "outputs": outputs, "resources": []}
    return json.dumps(whole).encode()


@pytest.fixture
def place(premises: Premises) -> str:
    premises.tenant()
    with premises.control.db.engine.connect() as connection:
        uid = connection.exec_driver_sql("SELECT uid FROM tenant").scalar()
    return f"/v1/workspaces/tenant-{uid}/state"


def put(http: httpx.Client, place: str, content: bytes, lock: str = "") -> httpx.Response:
    params = {"ID": lock} if lock else {}
    return http.post(place, content=content, params=params, headers={"content-type": "application/json"})


def test_a_state_that_was_written_is_read(premises: Premises, place: str) -> None:
    http = premises.client()
    assert http.get(place).status_code == 204
    assert put(http, place, state(1)).status_code == 200
    assert http.get(place).content == state(1)


def test_an_older_or_foreign_state_never_replaces_a_newer_one(premises: Premises, place: str) -> None:
    http = premises.client()
    put(http, place, state(5))
    assert_problem(put(http, place, state(4)), 412, "stale")
    assert_problem(put(http, place, state(6, "bbbb")), 412, "stale")
    assert_problem(put(http, place, b"{}"), 422, "invalid")
    assert http.get(place).content == state(5)


def test_a_lock_keeps_others_out_and_names_its_holder(premises: Premises, place: str) -> None:
    server = premises.serve(FREE)
    ann, bob = server.client(premises.token(name="ann")), server.client(premises.token(name="bob"))
    assert ann.request("LOCK", place, json=LOCK).status_code == 200
    held = bob.request("LOCK", place, json={**LOCK, "ID": "lock-2"})
    assert held.status_code == 423
    assert (held.json()["ID"], held.json()["Who"], held.json()["code"]) == ("lock-1", "ann@laptop", "locked")
    assert_problem(put(bob, place, state(1), "lock-2"), 423, "locked")
    assert put(ann, place, state(1), "lock-1").status_code == 200
    assert ann.request("UNLOCK", place, json=LOCK).status_code == 200
    assert bob.request("LOCK", place, json={**LOCK, "ID": "lock-2"}).status_code == 200


def test_force_unlock_without_an_id_frees_nothing(premises: Premises, place: str) -> None:
    http = premises.client()
    http.request("LOCK", place, json=LOCK)
    assert_problem(http.request("UNLOCK", place), 409, "conflict")
    assert http.request("LOCK", place, json={**LOCK, "ID": "lock-2"}).status_code == 423


def test_a_lock_of_our_own_run_is_freed_by_nobody_here_and_anothers_stands_in_the_audit(
    premises: Premises, place: str
) -> None:
    workspace, ours = place.split("/")[3], {"ID": "run:r1"}
    states = premises.states()
    states.lock(workspace, "run:r1", "run:r1", ours)
    server = premises.serve(FREE)
    ann, bob = server.client(premises.token(name="ann")), server.client(premises.token(name="bob"))
    refused = ann.request("UNLOCK", place, json=ours)
    assert_problem(refused, 409, "conflict")
    assert "operation settle" in refused.json()["hint"]
    assert states.release_of_run("r1", "the test frees it")
    assert ann.request("LOCK", place, json=LOCK).status_code == 200
    assert bob.request("UNLOCK", place, json=LOCK).status_code == 200
    [entry, _] = bob.get("/v1/audit", params={"action": "lock.released"}).json()["items"]
    assert (entry["actor"], entry["after"]) == (
        "token:bob",
        {"held_by": "person:token:ann", "lock": "lock-1"},
    )


def test_terraform_comes_in_with_basic_auth(premises: Premises, place: str) -> None:
    url, token = premises.serve(FREE).url, premises.token()
    assert httpx.get(url + place, auth=("terraform", token), timeout=PATIENCE).status_code == 204
    assert httpx.get(url + place, auth=("terraform", "wrong"), timeout=PATIENCE).status_code == 401


def test_a_workspace_that_is_not_there_is_missing(premises: Premises) -> None:
    http = premises.client()
    for workspace in ("tenant-nothing0", "platform-none", "tenant-", "..%2f..%2fetc"):
        assert http.get(f"/v1/workspaces/{workspace}/state").status_code == 404, workspace


def test_a_lock_that_is_no_json_is_refused(premises: Premises, place: str) -> None:
    http = premises.client()
    for body in (b"nonsense", b"[]", b"", b"{}"):
        assert_problem(http.request("LOCK", place, content=body), 422, "invalid")


def test_every_serial_is_listed_read_and_put_back_under_a_new_one(premises: Premises, place: str) -> None:
    http = premises.client()
    for serial in (1, 2):
        put(http, place, state(serial))
    listed = http.get(f"{place}/versions").json()["items"]
    assert [one["serial"] for one in listed] == [2, 1]
    assert http.get(place, params={"serial": 1}).content == state(1)
    assert_problem(http.get(place, params={"serial": 9}), 404, "not_found")
    answer = http.post(f"{place}/versions/1/restore")
    assert (answer.status_code, answer.json()["serial"], answer.json()["of"]) == (200, 3, 1)
    assert http.get(place).json()["serial"] == 3
    assert http.post(f"{place}/versions/1/restore").json() == answer.json(), "asked twice, done once"
    assert http.post(f"{place}/versions/2/restore", params={"dry_run": True}).json()["serial"] == 4
    assert http.get(place).json()["serial"] == 3
    assert_problem(http.post(f"{place}/versions/3/restore"), 409, "conflict")
    [entry] = http.get("/v1/audit", params={"action": "state.restored"}).json()["items"]
    assert (entry["after"]["serial"], entry["after"]["of"]) == (3, 1)


def test_a_state_that_somebody_works_on_is_not_put_back(premises: Premises, place: str) -> None:
    http = premises.client()
    for serial in (1, 2):
        put(http, place, state(serial))
    assert http.request("LOCK", place, json=LOCK).status_code == 200
    assert_problem(http.post(f"{place}/versions/1/restore"), 423, "locked")
    assert http.get(place).content == state(2)
