"""Webhooks as their receiver sees them, and as a log reader sees events."""

from __future__ import annotations

import base64
import json
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from controlplane.adapters.notify import Endpoint, Everywhere, LogNotifier, WebhookNotifier, sign
from controlplane.domain.errors import Invalid, Unavailable

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four!").decode()
OTHER = "whsec_" + base64.b64encode(b"the one that replaces it").decode()
EVENT = {"id": "evt-1", "type": "tenant.ready", "subject": "acme", "data": {"endpoint": "db"}}


@dataclass
class Receiver:
    """Answers from a script of status codes, then 204."""

    script: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)  # of its answers
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def start(self) -> Callable[[], None]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(receiver.script.pop(0) if receiver.script else 204)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}/hook/in-the-path"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

        def stop() -> None:
            server.shutdown()
            server.server_close()

        return stop


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    stop = made.start()
    yield made
    stop()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def notifier(receiver: Receiver, pauses: list[float]) -> WebhookNotifier:
    endpoint = Endpoint(receiver.url, (SECRET,))
    return WebhookNotifier([endpoint], pauses=(1, 5), clock=lambda: 1_700_000_000.9, sleep=pauses.append)


def test_the_signature_is_that_of_the_standards_example() -> None:
    body = b'{"test": 2432232314}'
    signed = sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_can_check_who_sent_what_and_when(notifier: WebhookNotifier, receiver: Receiver) -> None:
    notifier.notify(EVENT)
    [(headers, body)] = receiver.received
    assert json.loads(body) == EVENT
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("evt-1", "1700000000")
    assert headers["webhook-signature"] == sign(SECRET, "evt-1", 1_700_000_000, body)
    assert headers["webhook-signature"] != sign(SECRET, "evt-1", 1_700_000_000, body + b" ")


def test_while_a_secret_is_replaced_both_sign(receiver: Receiver) -> None:
    WebhookNotifier([Endpoint(receiver.url, (SECRET, OTHER))]).notify(EVENT)
    [(headers, body)] = receiver.received
    at = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"].split() == [sign(one, "evt-1", at, body) for one in (SECRET, OTHER)]


def test_a_receiver_that_stumbles_gets_the_same_event_again(
    notifier: WebhookNotifier, receiver: Receiver, pauses: list[float]
) -> None:
    receiver.script = [500, 429]
    [delivery] = notifier.deliver(EVENT)
    assert (delivery.delivered, delivery.attempts, delivery.detail) == (True, 3, "HTTP 204")
    assert {headers["webhook-id"] for headers, _ in receiver.received} == {"evt-1"}
    assert [round(pause) for pause in pauses] in ([1, 4], [1, 5], [1, 6])


def test_attempts_end(notifier: WebhookNotifier, receiver: Receiver, pauses: list[float]) -> None:
    receiver.script = [503] * 9
    with pytest.raises(Unavailable, match="HTTP 503") as raised:
        notifier.notify(EVENT)
    assert (len(receiver.received), len(pauses)) == (3, 2)
    assert "in-the-path" not in str(raised.value.problem())


def test_a_receiver_may_ask_for_a_pause_but_not_for_hours(
    notifier: WebhookNotifier, receiver: Receiver, pauses: list[float]
) -> None:
    receiver.script, receiver.headers = [429, 429], {"Retry-After": "7200"}
    assert notifier.deliver(EVENT)[0].delivered
    assert pauses == [60, 60]


@pytest.mark.parametrize("status", [301, 400, 401, 410])
def test_a_refusal_is_final_and_a_redirect_is_not_followed(
    notifier: WebhookNotifier, receiver: Receiver, status: int
) -> None:
    receiver.script, receiver.headers = [status], {"Location": receiver.url}
    [delivery] = notifier.deliver(EVENT)
    assert (delivery.delivered, delivery.attempts, delivery.detail) == (False, 1, f"HTTP {status}")
    assert len(receiver.received) == 1


def test_a_dead_endpoint_keeps_no_other_from_being_told(receiver: Receiver, pauses: list[float]) -> None:
    dead, living = Endpoint("http://127.0.0.1:1/", (SECRET,)), Endpoint(receiver.url, (SECRET,))
    notifier = WebhookNotifier([dead, living], pauses=(1,), sleep=pauses.append)
    assert [one.delivered for one in notifier.deliver(EVENT)] == [False, True]


def test_one_failing_notifier_keeps_no_other_from_being_told(receiver: Receiver, pauses: list[float]) -> None:
    dead = WebhookNotifier([Endpoint("http://127.0.0.1:1/", (SECRET,))], pauses=(), sleep=pauses.append)
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1"):
        Everywhere(dead, WebhookNotifier([Endpoint(receiver.url, (SECRET,))])).notify(EVENT)
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("url", "secret", "problem"),
    [
        ("ftp://host/", SECRET, "https"),
        ("http://example.com/", SECRET, "this machine only"),
        ("https://example.com/", "whsec_not base64!", "base64"),
    ],
)
def test_an_endpoint_that_cannot_be_right_is_refused(url: str, secret: str, problem: str) -> None:
    with pytest.raises(Invalid, match=problem):
        WebhookNotifier([Endpoint(url, (secret,))])
    with pytest.raises(Invalid, match="no secret"):
        WebhookNotifier([Endpoint("https://example.com/", ())])


def test_an_endpoint_does_not_show_its_url_and_secret() -> None:
    assert repr(Endpoint("https://example.com/secret-path", (SECRET,))) == "Endpoint()"


def test_the_log_says_what_happened_to_whom_and_no_data(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "controlplane.notify"):
        LogNotifier().notify({**EVENT, "data": {"password": "sesame"}})
    assert caplog.messages == ["tenant.ready acme evt-1"]
