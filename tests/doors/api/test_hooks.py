"""Webhooks of a host: recorded payloads, rightly signed, wrongly, too old, and sent again."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from controlplane.domain.review.verbs import HostRules
from controlplane.store.reviews import host
from tests.doors.api.test_problems import assert_problem
from tests.doors.premises import Premises

SECRET = "agreed-on"
HAPPENED = datetime(2019, 5, 15, 15, 21, tzinfo=UTC)
PAYLOADS = json.loads((Path(__file__).parents[2] / "contract/github/webhooks.json").read_text())


@pytest.fixture
def http(premises: Premises) -> httpx.Client:
    """Nobody shows a token here."""
    rules = HostRules("github", webhook_secret=lambda: SECRET)
    premises.control = replace(premises.control, host=rules, now=lambda: HAPPENED)
    return premises.serve().client()


def send(
    http: httpx.Client, payload: Any, delivery: str = "72d3162e-cc78-11e3", **more: str
) -> httpx.Response:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers: Mapping[str, str] = {
        "content-type": "application/json",
        "x-github-event": "issue_comment",
        "x-github-delivery": delivery,
        "x-hub-signature-256": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
        **more,
    }
    return http.post("/v1/hooks/github", content=body, headers=headers)


def news(premises: Premises) -> bool:
    with premises.control.db.write() as session:
        return host.news(session, HAPPENED)


def test_a_delivery_is_news_once(http: httpx.Client, premises: Premises) -> None:
    for accepted in (True, False):
        answer = send(http, PAYLOADS["issue_comment"])
        assert (answer.status_code, answer.json()) == (200, {"accepted": accepted, "event": "issue_comment"})
        assert news(premises) is accepted
    assert send(http, PAYLOADS["push"], "another-delivery").json()["accepted"]


def test_a_wrong_signature_is_no_news(http: httpx.Client, premises: Premises) -> None:
    for signature in ("", "sha256=" + "0" * 64, "sha1=abc"):
        answer = send(http, PAYLOADS["issue_comment"], **{"x-hub-signature-256": signature})
        assert_problem(answer, 401, "unauthenticated")
        assert SECRET not in answer.text
    assert not news(premises)


def test_an_old_one_is_refused_however_well_it_is_signed(http: httpx.Client, premises: Premises) -> None:
    old = json.loads(json.dumps(PAYLOADS["issue_comment"]).replace("2019-05-15", "2019-05-14"))
    assert_problem(send(http, old), 422, "invalid")
    assert not news(premises)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 5_000, b'{"a": 1}' * 2])
def test_what_is_no_payload_breaks_nothing(http: httpx.Client, body: bytes) -> None:
    assert send(http, body).status_code in (200, 422)


def test_a_delivery_without_an_id_is_refused(http: httpx.Client) -> None:
    assert_problem(send(http, PAYLOADS["push"], ""), 422, "invalid")


def test_another_host_s_webhooks_are_not_taken(http: httpx.Client, premises: Premises) -> None:
    assert http.post("/v1/hooks/gitlab", json={}).status_code == 404
    premises.control = replace(premises.control, host=HostRules())
    assert premises.serve().client().post("/v1/hooks/github", json={}).status_code == 404
