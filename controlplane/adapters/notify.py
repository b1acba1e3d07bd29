"""Telling people and machines: the log, and webhooks signed as Standard Webhooks says.

The receiver checks `webhook-signature` over `<webhook-id>.<webhook-timestamp>.<body>` with the secret that it
was given once. The id stays the same over all attempts, so that it can drop what it has seen.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from controlplane.domain.errors import Invalid, Unavailable
from controlplane.ports import Notifier

SECRET_PREFIX = "whsec_"  # noqa: S105 - of every secret, not one
PAUSES_SECONDS = (1.0, 5.0, 30.0)  # before the second, third and fourth attempt
LONGEST_PAUSE_SECONDS = 60.0
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})

_log = logging.getLogger("controlplane.notify")


class LogNotifier:
    """One line an event: what happened to whom. The data of an event stays out of the log."""

    def notify(self, event: Mapping[str, Any]) -> None:
        _log.info("%s %s %s", event.get("type", "event"), event.get("subject", ""), event.get("id", ""))


@dataclass(frozen=True)
class Endpoint:
    """Where a webhook goes. With two secrets both sign: that is how one is replaced."""

    url: str = field(repr=False)  # its path may be a secret too
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True)
class Delivery:
    """How one event fared at one endpoint."""

    host: str
    delivered: bool
    attempts: int
    detail: str  # the last answer


class WebhookNotifier:
    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        *,
        timeout_seconds: float = 10,
        pauses: Sequence[float] = PAUSES_SECONDS,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        for endpoint in endpoints:
            check(endpoint)
        self._endpoints = tuple(endpoints)
        self._timeout = timeout_seconds
        self._pauses = tuple(pauses)
        self._clock = clock
        self._sleep = sleep

    def notify(self, event: Mapping[str, Any]) -> None:
        """To every endpoint; those that could not be reached are named in one error at the end."""
        failed = [one for one in self.deliver(event) if not one.delivered]
        if failed:
            names = "; ".join(f"{one.host}: {one.detail}" for one in failed)
            raise Unavailable(
                f"sending {event.get('type', 'an event')}: {names}",
                hint="the event can be sent again: it keeps its id",
                details={"hosts": [one.host for one in failed]},
            )

    def deliver(self, event: Mapping[str, Any]) -> list[Delivery]:
        body = json.dumps(event, sort_keys=True, separators=(",", ":"), default=str).encode()
        identifier = str(event.get("id") or hashlib.sha256(body).hexdigest())
        with httpx.Client(timeout=self._timeout, follow_redirects=False) as client:
            return [self._send(client, endpoint, identifier, body) for endpoint in self._endpoints]

    def _send(self, client: httpx.Client, endpoint: Endpoint, identifier: str, body: bytes) -> Delivery:
        detail = ""
        attempts = len(self._pauses) + 1
        for attempt in range(attempts):
            answer, detail = self._attempt(client, endpoint, identifier, body)
            if answer is not None and answer.is_success:
                return Delivery(endpoint.host, True, attempt + 1, detail)
            if answer is not None and answer.status_code not in AGAIN:
                return Delivery(endpoint.host, False, attempt + 1, detail)
            if attempt < len(self._pauses):
                self._sleep(_pause(self._pauses[attempt], answer))
        return Delivery(endpoint.host, False, attempts, detail)

    def _attempt(
        self, client: httpx.Client, endpoint: Endpoint, identifier: str, body: bytes
    ) -> tuple[httpx.Response | None, str]:
        at = int(self._clock())
        headers = {
            "content-type": "application/json",
            "user-agent": "controlplane",
            "webhook-id": identifier,
            "webhook-timestamp": str(at),
            "webhook-signature": " ".join(sign(one, identifier, at, body) for one in endpoint.secrets),
        }
        try:
            answer = client.post(endpoint.url, content=body, headers=headers)
        except httpx.HTTPError as error:
            return None, type(error).__name__
        return answer, f"HTTP {answer.status_code}"


class Everywhere:
    """Several notifiers as one; a failing one keeps none of the others from being told."""

    def __init__(self, *notifiers: Notifier) -> None:
        self._notifiers = notifiers

    def notify(self, event: Mapping[str, Any]) -> None:
        failed: list[Unavailable] = []
        for one in self._notifiers:
            try:
                one.notify(event)
            except Unavailable as error:
                failed.append(error)
        if failed:
            raise failed[0]


def sign(secret: str, identifier: str, at: int, body: bytes) -> str:
    signed = f"{identifier}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode()


def check(endpoint: Endpoint) -> None:
    parts = urlsplit(endpoint.url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise Invalid("adding a webhook: its URL is not https://HOST/…")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise Invalid("adding a webhook: http is for this machine only", hint="use https")
    if not endpoint.secrets:
        raise Invalid("adding a webhook: it has no secret to sign with")
    for secret in endpoint.secrets:
        _key(secret)


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise Invalid(f"reading a webhook's secret: it is not {SECRET_PREFIX} and base64") from error


def _pause(planned: float, answer: httpx.Response | None) -> float:
    """What the receiver asks for, within bounds; else ours, spread so that many do not come at once."""
    asked = answer.headers.get("retry-after", "") if answer is not None else ""
    if asked.isdecimal():
        return min(float(asked), LONGEST_PAUSE_SECONDS)
    return planned * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
