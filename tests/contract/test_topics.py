"""Signatures of SNS: both versions, with the certificate that SNS shows, and nobody else's."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from controlplane.adapters.topics import SnsTopics, fetch
from controlplane.domain.errors import Unauthenticated, Unavailable
from controlplane.domain.rightsizing.topics import TopicMessage, read_message
from tests.topic import CERTIFICATE, NOW, Sns, certificate, confirmation, notification


def message(found: dict[str, Any]) -> TopicMessage:
    return read_message(json.dumps(found).encode())


@pytest.fixture
def sns() -> Sns:
    return Sns()


@pytest.fixture
def topics(sns: Sns) -> SnsTopics:
    return SnsTopics(sns, lambda: NOW)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", ["ALARM", None])
def test_what_sns_signed_is_believed_and_its_certificate_asked_for_once(
    topics: SnsTopics, sns: Sns, version: str, subject: str | None
) -> None:
    for _ in range(2):
        topics.verify(message(notification("text\nof\nlines", version, Subject=subject)))
    assert sns.asked == [CERTIFICATE]


@pytest.mark.parametrize(
    "changed",
    [
        {"Message": "another"},
        {"MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf325"},
        {"Subject": "another"},
        {"Timestamp": "2026-03-02T11:59:31.123Z"},
        {"Signature": "AAAA"},
        {"Signature": "no base64!"},
        {"SignatureVersion": "1"},
        {"SignatureVersion": "3"},
        {"SignatureVersion": ""},
    ],
)
def test_what_was_changed_on_the_way_is_not(topics: SnsTopics, changed: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        topics.verify(message(notification() | changed))


def test_a_confirmation_is_signed_over_its_address_and_confirmed_there(topics: SnsTopics, sns: Sns) -> None:
    asked = message(confirmation())
    topics.verify(asked)
    topics.confirm(asked)
    assert sns.asked == [CERTIFICATE, asked.confirm_url]
    with pytest.raises(Unauthenticated):
        topics.verify(message(confirmation() | {"SubscribeURL": "https://sns.us-east-1.amazonaws.com/?x"}))


@pytest.mark.parametrize(
    "shown",
    [certificate("mallory"), certificate(since=NOW - timedelta(days=30), days=10), b"no certificate"],
    ids=["another's", "an old one", "none"],
)
def test_with_another_certificate_nothing_is_believed(shown: bytes) -> None:
    with pytest.raises(Unauthenticated):
        SnsTopics(Sns({CERTIFICATE: shown}), lambda: NOW).verify(message(notification()))


# --- asking -----------------------------------------------------------------------------------------


class _Pages(BaseHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        content = b"x" * (100_000 if self.path == "/large" else 10)
        self.send_response({"/moved": 302, "/gone": 404}.get(self.path, 200))
        self.send_header("location", "/small")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def pages() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_a_small_answer_is_read_and_no_redirect_followed(pages: str) -> None:
    assert fetch(f"{pages}/small") == b"x" * 10
    for path in ("moved", "gone", "large"):
        with pytest.raises(Unavailable, match="asking SNS"):
            fetch(f"{pages}/{path}")
    with pytest.raises(Unavailable):
        fetch("http://127.0.0.1:1/")
