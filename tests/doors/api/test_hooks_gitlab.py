"""Webhooks of GitLab: with its secret token, with its signing token, wrongly, too old, and sent again.

The payloads have the form that GitLab's public documentation shows, cut to what matters here.
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from controlplane.domain.events.signing import sign
from controlplane.domain.review.verbs import HostRules
from controlplane.store.reviews import host
from tests.doors.api.test_problems import assert_problem
from tests.doors.premises import Premises

TOKEN = "agreed-on"
SIGNING = "whsec_" + base64.b64encode(b"a secret of twenty-four!").decode()
HAPPENED = datetime(2026, 1, 31, 12, 1, tzinfo=UTC)
PAYLOADS = json.loads((Path(__file__).parents[2] / "contract/gitlab/webhooks.json").read_text())


def door(premises: Premises, secret: str) -> httpx.Client:
    rules = HostRules("gitlab", webhook_secret=lambda: secret)
    premises.control = replace(premises.control, host=rules, now=lambda: HAPPENED)
    return premises.serve().client()


@pytest.fixture
def http(premises: Premises) -> httpx.Client:
    """Nobody shows a token of ours here."""
    return door(premises, TOKEN)


@pytest.fixture
def signed(premises: Premises) -> httpx.Client:
    return door(premises, SIGNING)


def send(http: httpx.Client, payload: Any, **more: str) -> httpx.Response:
    headers = {
        "content-type": "application/json",
        "x-gitlab-event": "Note Hook",
        "x-gitlab-event-uuid": "13792a34-cac6-4fda-95a8-c58e00a3954e",
        "idempotency-key": "f5e57ce9-5dbd-4b5c-a3b1-22b8a3f1d9f9",
        "x-gitlab-token": TOKEN,
        **more,
    }
    return http.post("/v1/hooks/gitlab", content=json.dumps(payload), headers=headers)


def send_signed(http: httpx.Client, at: datetime = HAPPENED, **more: str) -> httpx.Response:
    body, seconds = json.dumps(PAYLOADS["note"]), int(at.timestamp())
    headers = {
        "content-type": "application/json",
        "x-gitlab-event": "Note Hook",
        "webhook-id": "msg-f5e57ce9-5dbd",
        "webhook-timestamp": str(seconds),
        "webhook-signature": sign(SIGNING, "msg-f5e57ce9-5dbd", seconds, body.encode()),
        **more,
    }
    return http.post("/v1/hooks/gitlab", content=body, headers=headers)


def news(premises: Premises) -> bool:
    with premises.control.db.write() as session:
        return host.news(session, HAPPENED)


@pytest.mark.parametrize("kind", PAYLOADS)
def test_a_delivery_is_news_once(http: httpx.Client, premises: Premises, kind: str) -> None:
    for accepted in (True, False):
        answer = send(http, PAYLOADS[kind])
        assert (answer.status_code, answer.json()) == (200, {"accepted": accepted, "event": "Note Hook"})
        assert news(premises) is accepted


def test_a_second_try_of_a_delivery_is_known_by_its_key(http: httpx.Client) -> None:
    assert send(http, PAYLOADS["push"]).json()["accepted"]
    again = send(http, PAYLOADS["push"], **{"x-gitlab-event-uuid": "another-0001"})
    assert not again.json()["accepted"]
    assert send(http, PAYLOADS["push"], **{"idempotency-key": "another-0002"}).json()["accepted"]


@pytest.mark.parametrize("token", ["", "agreed-o", "agreed-on2", "whsec_"])
def test_a_wrong_token_is_no_news(http: httpx.Client, premises: Premises, token: str) -> None:
    answer = send(http, PAYLOADS["note"], **{"x-gitlab-token": token})
    assert_problem(answer, 401, "unauthenticated")
    assert TOKEN not in answer.text
    assert not news(premises)


def test_an_old_one_is_refused_though_it_shows_the_token(http: httpx.Client, premises: Premises) -> None:
    for kind in ("note", "merge_request"):
        old = json.loads(json.dumps(PAYLOADS[kind]).replace("2026-01-31", "2026-01-29"))
        assert_problem(send(http, old), 422, "invalid")
    assert not news(premises)


def test_a_signature_says_who_and_when(signed: httpx.Client, premises: Premises) -> None:
    for accepted in (True, False):
        assert send_signed(signed).json()["accepted"] is accepted
    assert_problem(send_signed(signed, HAPPENED - timedelta(hours=2)), 422, "invalid")
    assert_problem(send_signed(signed, HAPPENED + timedelta(hours=2)), 422, "invalid")
    assert news(premises)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": ""},
        {"webhook-timestamp": "1769860861"},
        {"webhook-timestamp": "soon"},
        {"webhook-id": "msg-another-0001"},
    ],
)
def test_what_was_not_signed_is_no_news(
    signed: httpx.Client, premises: Premises, changed: dict[str, str]
) -> None:
    assert_problem(send_signed(signed, **changed), 401, "unauthenticated")
    assert not news(premises)


def test_a_signature_is_worth_nothing_where_a_token_was_agreed_on(http: httpx.Client) -> None:
    assert_problem(send_signed(http), 401, "unauthenticated")


def test_a_delivery_without_an_id_is_refused(http: httpx.Client) -> None:
    nameless = {"idempotency-key": "", "x-gitlab-event-uuid": ""}
    assert_problem(send(http, PAYLOADS["push"], **nameless), 422, "invalid")
