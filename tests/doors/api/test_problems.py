"""Whatever goes wrong, the answer is a problem with the same fields, and never a 500 on bad input."""

from __future__ import annotations

import json
import logging
import socket

import httpx
import pytest

from api.limits import Limits
from tests.doors.premises import FREE, PATIENCE, Premises

FIELDS = {"type", "title", "status", "detail", "instance", "code", "request_id", "errors", "retryable"}


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body.keys() >= FIELDS
    assert (body["status"], body["code"]) == (status, code)
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


def test_an_unknown_path_is_a_problem(http: httpx.Client) -> None:
    assert_problem(http.get("/v1/nothing"), 404, "not_found")
    assert_problem(http.get("/"), 404, "not_found")


def test_a_wrong_method_says_which_are_right(http: httpx.Client) -> None:
    answer = http.put("/v1/tenants", json={})
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, POST"


def test_broken_json_is_a_problem(http: httpx.Client) -> None:
    answer = http.post("/v1/tenants", content=b'{"slug":', headers={"content-type": "application/json"})
    assert assert_problem(answer, 422, "invalid")["errors"][0]["field"] == "body"


@pytest.mark.parametrize("body", ["[]", "null", "1", '"acme"', "{}", '{"slug": null}', '{"slug": {"a": 1}}'])
def test_json_of_another_shape_is_a_problem(http: httpx.Client, body: str) -> None:
    answer = http.post("/v1/tenants", content=body, headers={"content-type": "application/json"})
    assert_problem(answer, 422, "invalid")


def test_another_media_type_is_refused(http: httpx.Client) -> None:
    answer = http.post("/v1/tenants", content=b"slug=acme", headers={"content-type": "text/plain"})
    assert_problem(answer, 415, "unsupported_media_type")


def test_a_body_that_is_too_large_is_refused(premises: Premises) -> None:
    http = premises.client(limits=Limits(requests_per_second=0, body_bytes=100))
    assert_problem(http.post("/v1/tenants", json={"slug": "a" * 200}), 413, "too_large")
    chunks = (b"x" * 60 for _ in range(4))  # nobody announced how much comes
    answer = http.post("/v1/tenants", content=chunks, headers={"content-type": "application/json"})
    assert_problem(answer, 413, "too_large")


def _begin(url: str, size: int) -> socket.socket:
    """A request on the wire whose headers have not ended yet."""
    host, _, port = url.removeprefix("http://").partition(":")
    wire = socket.create_connection((host, int(port)), timeout=PATIENCE)
    wire.sendall(b"GET /v1/tenants HTTP/1.1\r\nHost: here\r\nX-Long: " + b"a" * size)
    return wire


def test_headers_that_are_too_large_are_refused_without_waiting_for_their_end(premises: Premises) -> None:
    server = premises.serve()
    with _begin(server.url, 40_000) as wire:
        assert wire.recv(64).startswith(b"HTTP/1.1 400 ")
    with _begin(server.url, 20_000) as wire:
        server.client().get("/healthz")  # once this is answered, the beginning was read
        wire.sendall(b"\r\n\r\n")
        assert wire.recv(64).startswith(b"HTTP/1.1 401 ")


def test_no_other_site_may_read_answers(http: httpx.Client) -> None:
    origin = {"Origin": "https://elsewhere.example.com", "Access-Control-Request-Method": "GET"}
    for answer in (http.get("/v1/tenants", headers=origin), http.options("/v1/tenants", headers=origin)):
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert answer.status_code == 405


def test_fields_that_cannot_be_right_are_named(http: httpx.Client) -> None:
    body = {"slug": "acme", "size": "huge", "surprise": 1, "users": 0}
    problem = assert_problem(http.post("/v1/tenants", json=body), 422, "invalid")
    assert {e["field"] for e in problem["errors"]} == {"size", "surprise", "users"}


@pytest.mark.parametrize(
    "slug",
    ["tenant_1", "-a", "a--b", "a" * 64, "../x", "ab", "Acme", "1acme", "acme-", "", "a\x00b", "ä" * 4],
)
def test_a_bad_slug_is_refused_before_anything_is_written(premises: Premises, slug: str) -> None:
    http = premises.client()
    problem = assert_problem(http.post("/v1/tenants", json={"slug": slug}), 422, "invalid")
    assert problem["errors"][0]["field"] == "slug"
    assert http.get("/v1/operations").json()["items"] == []


def test_a_slug_that_is_taken_is_a_conflict(http: httpx.Client) -> None:
    assert http.post("/v1/tenants", json={"slug": "acme"}).status_code == 202
    assert_problem(http.post("/v1/tenants", json={"slug": "acme"}), 409, "already_exists")


def test_a_conflict_names_the_holder(premises: Premises) -> None:
    holder = premises.tenant()
    premises.finish(holder)
    http = premises.client()
    first = http.post("/v1/tenants/acme/destroy", json={"confirm": "acme"}).json()
    answer = http.post("/v1/tenants/acme/destroy", json={"confirm": "acme"})
    problem = assert_problem(answer, 409, "conflict")
    assert problem["details"]["holder"] == first["id"]


def test_who_has_no_token_is_told_how_to_send_one(premises: Premises) -> None:
    answer = premises.client("").get("/v1/tenants")
    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_that_is_not_ours_is_refused(premises: Premises) -> None:
    assert_problem(premises.client("cp_nonsense").get("/v1/tenants"), 401, "unauthenticated")


def test_failures_to_come_in_are_slowed_down_and_audited(premises: Premises) -> None:
    server = premises.serve(Limits(requests_per_second=0, failures_per_minute=3))
    thief = server.client("cp_guess")
    statuses = [thief.get("/v1/tenants").status_code for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    owner = premises.client()
    entries = owner.get("/v1/audit", params={"action": "access.refused"}).json()["items"]
    assert len(entries) == 3
    (slowed,) = owner.get("/v1/audit", params={"action": "access.slowed"}).json()["items"]
    assert (slowed["origin"], slowed["subject"]) == (entries[0]["origin"], "token")  # once, however it floods


def test_a_token_that_asks_too_fast_is_throttled(premises: Premises) -> None:
    http = premises.client(limits=Limits(requests_per_second=1, burst=3))
    answers = [http.get("/v1/tenants") for _ in range(5)]
    assert answers[0].status_code == 200
    assert_problem(answers[-1], 429, "throttled")
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_one_token_s_haste_slows_no_other_down(premises: Premises) -> None:
    server = premises.serve(Limits(requests_per_second=0.01, burst=2))
    hasty, calm = (server.client(premises.token(name=name)) for name in ("hasty", "calm"))
    assert [hasty.get("/v1/tenants").status_code for _ in range(3)] == [200, 200, 429]
    assert calm.get("/v1/tenants").status_code == 200


def test_changes_are_counted_more_strictly_than_reads(premises: Premises) -> None:
    http = premises.client(limits=Limits(changes_per_second=1, changes_burst=2))
    made = [http.post("/v1/users", json={"name": f"user-{n}"}).status_code for n in range(4)]
    assert made[:2] == [201, 201]
    assert made[-1] == 429
    assert http.get("/v1/users").status_code == 200


def test_a_revoked_token_is_refused_at_once(premises: Premises) -> None:
    server = premises.serve(FREE)
    secret = premises.token("viewer", name="short-lived")
    holder, admin = server.client(secret), server.client(premises.token())
    assert holder.get("/v1/tenants").status_code == 200
    mine = next(t for t in admin.get("/v1/tokens").json()["items"] if t["name"] == "short-lived")
    assert admin.delete(f"/v1/tokens/{mine['id']}").status_code == 200
    assert_problem(holder.get("/v1/tenants"), 401, "unauthenticated")


def test_ids_travel_in_and_out(http: httpx.Client) -> None:
    parent = f"00-{'a' * 32}-{'b' * 16}-01"
    answer = http.get("/v1/tenants", headers={"X-Request-ID": "mine-1", "traceparent": parent})
    assert answer.headers["x-request-id"] == "mine-1"
    assert answer.headers["traceparent"].split("-")[1] == "a" * 32


def test_an_id_that_could_forge_a_log_line_is_replaced(http: httpx.Client) -> None:
    answer = http.get("/v1/tenants", headers={"X-Request-ID": "a b", "traceparent": "nonsense"})
    assert answer.headers["x-request-id"].startswith("req-")


def test_a_request_is_one_line_of_json_in_the_log_and_shows_no_secret(
    premises: Premises, caplog: pytest.LogCaptureFixture
) -> None:
    secret = premises.token()
    http = premises.serve().client(secret)
    with caplog.at_level(logging.INFO, "controlplane.api"):
        answer = http.get("/v1/tenants/nobody", headers={"X-Request-ID": "mine-3"})
        premises.close_servers()  # the line is written after the answer
    (line,) = [
        json.loads(record.getMessage()) for record in caplog.records if "mine-3" in record.getMessage()
    ]
    assert (line["request_id"], line["status"]) == ("mine-3", 404)
    assert (line["method"], line["route"]) == ("GET", "/v1/tenants/{slug}")
    assert line["trace"] == answer.headers["traceparent"].split("-")[1]
    assert secret not in caplog.text


def test_the_request_id_stands_in_the_operation_and_in_the_audit(http: httpx.Client) -> None:
    made = http.post("/v1/tenants", json={"slug": "acme"}, headers={"X-Request-ID": "mine-2"}).json()
    assert made["request_id"] == "mine-2"
    assert http.get("/v1/audit").json()["items"][0]["request_id"] == "mine-2"
