"""Alarms at our address: from a signed message to a finding, once; strangers get nowhere."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from controlplane.adapters.topics import SnsTopics
from controlplane.services.rightsizing import alarms
from controlplane.services.schedules import listing
from controlplane.services.schedules.jobs import JOBS
from controlplane.services.schedules.running import Clockwork
from controlplane.store.fleet import deliveries
from tests.doors.api.test_problems import assert_problem
from tests.doors.care.neighbourhood import ADMIN, WAY, Neighbourhood, open_neighbourhood
from tests.doors.premises import Premises
from tests.topic import ARN, NOW, Sns, alarm, confirmation, notification
from tests.unit.rightsizing.traces import Load, flat


@pytest.fixture
def sns() -> Sns:
    return Sns()


@pytest.fixture
def here(premises: Premises, sns: Sns) -> Neighbourhood:
    made = open_neighbourhood(premises)
    topics = SnsTopics(sns, lambda: NOW)
    made.control = premises.control = replace(
        made.control, alarm_topics=frozenset({ARN}), topic_source=lambda: topics
    )
    return made


@pytest.fixture
def http(here: Neighbourhood) -> httpx.Client:
    """Nobody shows a token here."""
    return here.premises.serve().client()


def send(http: httpx.Client, found: Any) -> httpx.Response:
    """As SNS does, which calls its JSON a text."""
    body = found if isinstance(found, bytes) else json.dumps(found).encode()
    return http.post("/v1/hooks/sns", content=body, headers={"content-type": "text/plain; charset=UTF-8"})


def due_at(here: Neighbourhood) -> str:
    items = listing.page(here.control, ADMIN)["items"]
    return str(next(one for one in items if one["name"] == "alarms")["due_at"])


def test_an_alarm_is_taken_once_and_its_tenant_looked_at(http: httpx.Client, here: Neighbourhood) -> None:
    database = here.tenant("hot", load=Load(flat(95), 300))
    for accepted in (True, False):
        answer = send(http, notification(alarm(database)))
        assert (answer.status_code, answer.json()) == (200, {"accepted": accepted, "event": "Notification"})
    found = alarms.take(here.control, ADMIN, WAY)
    assert (found["alarms"], found["looked_at"], found["inbox"]) == ({"ALARM": 1}, ["hot"], {"new": 1})
    assert alarms.take(here.control, ADMIN, WAY)["alarms"] == {}
    assert not send(http, notification(alarm(database))).json()["accepted"]


def test_the_worker_s_schedule_is_due_at_once(http: httpx.Client, here: Neighbourhood) -> None:
    Clockwork(here.control, "one", JOBS).begin(alone=False)
    later = due_at(here)
    send(http, notification(alarm("nobody")))
    assert due_at(here) < later
    assert due_at(here) <= NOW.isoformat()


def test_a_subscription_is_confirmed_for_a_named_topic_only(
    http: httpx.Client, here: Neighbourhood, sns: Sns
) -> None:
    assert send(http, confirmation()).json() == {"accepted": True, "event": "SubscriptionConfirmation"}
    assert sns.asked[-1].endswith("Token=2336412f37")
    asked = len(sns.asked)
    answer = send(http, confirmation(TopicArn=ARN.replace("platform", "mallory")))
    assert_problem(answer, 403, "denied")
    bye = send(http, confirmation("UnsubscribeConfirmation"))
    assert bye.json() == {"accepted": False, "event": "UnsubscribeConfirmation"}
    assert len(sns.asked) == asked


def test_nothing_is_fetched_for_a_stranger(http: httpx.Client, here: Neighbourhood, sns: Sns) -> None:
    elsewhere = "https://evil.example/SimpleNotificationService.pem"
    assert_problem(send(http, notification() | {"SigningCertURL": elsewhere}), 403, "denied")
    assert_problem(send(http, notification(Timestamp="2026-03-02T09:00:00.000Z")), 422, "invalid")
    assert_problem(send(http, b"{"), 422, "invalid")
    assert sns.asked == []
    assert_problem(send(http, notification(signer="mallory")), 401, "unauthenticated")
    with here.control.db.read() as session:
        assert deliveries.waiting(session, 10) == []


def test_without_a_named_topic_there_is_no_such_address(premises: Premises) -> None:
    assert_problem(send(premises.serve().client(), notification()), 404, "not_found")


def test_what_was_taken_is_forgotten_after_a_day(http: httpx.Client, here: Neighbourhood) -> None:
    send(http, notification(alarm("nobody")))
    alarms.take(here.control, ADMIN, WAY)
    later = here.clock.forward(days=2)
    with here.control.db.write() as session:
        assert deliveries.take(session, "another-one", "", later)
        assert deliveries.take(session, "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "", later)
