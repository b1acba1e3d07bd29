"""Takes one event to one receiver: over HTTPS, or through AWS."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from controlplane.adapters.aws.errors import calling
from controlplane.adapters.web import BadUrl, Guard
from controlplane.domain.errors import ControlPlaneError, FieldError, Invalid
from controlplane.domain.events import signing
from controlplane.domain.events.courier import Parcel, Receipt
from controlplane.domain.events.shapes import SOURCE, Form

TIMEOUT_SECONDS = 10.0
_GONE = 410
_ARNS: Mapping[Form, re.Pattern[str]] = {
    Form.SNS: re.compile(r"arn:aws[a-z-]*:sns:([a-z0-9-]+):\d{12}:[\w-]{1,256}"),
    Form.EVENTBRIDGE: re.compile(r"arn:aws[a-z-]*:events:([a-z0-9-]+):\d{12}:event-bus/[\w./-]{1,256}"),
}
Clients = Callable[[str, str], Any]  # a client by service and region


class Couriers:
    """`clients` makes those of AWS when the first event goes there."""

    def __init__(
        self,
        clients: Clients,
        guard: Guard,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clients, self._guard, self._clock = clients, guard, clock
        self._timeout = timeout_seconds

    def check(self, form: Form, url: str) -> str:
        if form in _ARNS:
            return _check_arn(form, url)
        try:
            return str(self._guard.check(url).hostname)
        except BadUrl as error:
            raise _wrong(str(error), error.hint) from error

    def send(self, parcel: Parcel) -> Receipt:
        try:
            if parcel.form in _ARNS:
                return self._publish(parcel)
            return self._post(parcel)
        except ControlPlaneError as error:
            return Receipt(False, error.message)
        except (httpx.HTTPError, OSError) as error:
            return Receipt(False, type(error).__name__)

    def _post(self, parcel: Parcel) -> Receipt:
        self.check(parcel.form, parcel.url)
        way = self._guard.way(parcel.url)
        headers = {
            "host": way.named,
            "content-type": "application/json",
            "user-agent": "controlplane",
            **signing.headers(parcel.secrets, parcel.identifier, int(self._clock()), parcel.body),
        }
        # Its answer's body is of no interest, and may be endless: only the head is read.
        with (
            httpx.Client(timeout=self._timeout, follow_redirects=False, trust_env=False) as client,
            client.stream(
                "POST", way.url, content=parcel.body, headers=headers, extensions={"sni_hostname": way.host}
            ) as answer,
        ):
            return _receipt(answer)

    def _publish(self, parcel: Parcel) -> Receipt:
        _check_arn(parcel.form, parcel.url)
        text = parcel.body.decode()
        service, region = parcel.url.split(":")[2:4]
        with calling(f"sending to {service}", service):
            client = self._clients(service, region)
            if parcel.form is Form.SNS:
                named = {"DataType": "String", "StringValue": parcel.type}
                client.publish(TopicArn=parcel.url, Message=text, MessageAttributes={"type": named})
                return Receipt(True, "published")
            entry = {"Source": SOURCE.strip("/"), "DetailType": parcel.type, "Detail": text}
            answer = client.put_events(Entries=[{**entry, "EventBusName": parcel.url}])
        failed = [e.get("ErrorCode", "refused") for e in answer["Entries"] if "EventId" not in e]
        return Receipt(not failed, failed[0] if failed else "published")


def _receipt(answer: httpx.Response) -> Receipt:
    asked = answer.headers.get("retry-after", "")
    return Receipt(
        delivered=answer.is_success,
        detail=f"HTTP {answer.status_code}",
        gone=answer.status_code == _GONE,
        wait_seconds=float(asked) if asked.isdecimal() and len(asked) < 10 else None,
    )


def _check_arn(form: Form, url: str) -> str:
    if _ARNS[form].fullmatch(url) is None:
        what = "a topic's ARN, arn:aws:sns:…" if form is Form.SNS else "a bus's ARN, arn:aws:events:…"
        raise _wrong(f"{form} goes to {what}")
    return ":".join(url.split(":")[2:4])


def _wrong(why: str, hint: str = "") -> Invalid:
    return Invalid(f"adding a webhook: {why}", hint=hint, errors=[FieldError("url", why)])
