"""What SNS sends to an address of ours: read as data, and judged before anything of it is believed.

Whoever may reach the address may send what they like. So the topic has to be one that was named, the
certificate and the confirmation may only lie with SNS in that topic's region, and nothing old is taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from controlplane.domain.errors import Denied, Invalid

NOTIFICATION, CONFIRMATION, FAREWELL = (
    "Notification",
    "SubscriptionConfirmation",
    "UnsubscribeConfirmation",
)
OLDEST, NEWEST = timedelta(hours=1), timedelta(minutes=5)
LONGEST_BYTES = 256 * 1024 + 16 * 1024  # what SNS carries, and what it wraps it in
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    FAREWELL: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_OPTIONAL = frozenset({"Subject"})
_ARN = re.compile(r"arn:aws[a-z-]*:sns:(?P<region>[a-z0-9-]{4,30}):\d{12}:[A-Za-z0-9_-]{1,256}(?:\.fifo)?")
_ID = re.compile(r"[A-Za-z0-9-]{8,100}")


@dataclass(frozen=True)
class TopicMessage:
    """One delivery, with what its signature is about."""

    kind: str
    id: str
    topic: str
    at: datetime
    text: str
    signature: str
    version: str  # 1: SHA-1, 2: SHA-256
    certificate_url: str
    confirm_url: str
    signed: str

    @property
    def region(self) -> str:
        found = _ARN.fullmatch(self.topic)
        return found["region"] if found else ""


def read_message(body: bytes) -> TopicMessage:
    if len(body) > LONGEST_BYTES:
        raise Invalid("this is longer than SNS sends")
    try:
        found = json.loads(body)
        return _message(found)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Invalid("this is no message of SNS") from error


def _message(found: Mapping[str, str]) -> TopicMessage:
    kind, names = found["Type"], _SIGNED[found["Type"]]
    at = datetime.fromisoformat(found["Timestamp"])
    if not _ID.fullmatch(found["MessageId"]) or not _ARN.fullmatch(found["TopicArn"]):
        raise ValueError("neither an id nor a topic of SNS")
    values = {name: found[name] for name in names if name not in _OPTIONAL or name in found}
    if not all(isinstance(value, str) for value in values.values()):
        raise TypeError("every field of it is a text")
    return TopicMessage(
        kind=kind,
        id=found["MessageId"],
        topic=found["TopicArn"],
        at=at if at.tzinfo else at.replace(tzinfo=UTC),
        text=found["Message"],
        signature=str(found["Signature"]),
        version=str(found["SignatureVersion"]),
        certificate_url=str(found["SigningCertURL"]),
        confirm_url=str(values.get("SubscribeURL", "")),
        signed="".join(f"{name}\n{value}\n" for name, value in values.items()),
    )


def check(message: TopicMessage, topics: Collection[str], now: datetime) -> None:
    """Everything that can be said without its signature; nothing is fetched for a stranger."""
    if message.topic not in topics:
        raise Denied(
            f"nothing of the topic {message.topic} is taken here",
            hint="CONTROLPLANE_ALARM_TOPICS names topics",
        )
    if not now - OLDEST <= message.at <= now + NEWEST:
        raise Invalid(
            f"this message is not from the last {OLDEST}", hint="nothing is lost by it: scans go on"
        )
    require_of_sns(message.certificate_url, message.region)
    if not urlsplit(message.certificate_url).path.endswith(".pem"):
        raise Denied("the certificate of this message is no .pem of SNS")
    if message.kind != NOTIFICATION:
        require_of_sns(message.confirm_url, message.region)


def require_of_sns(url: str, region: str) -> None:
    """https, SNS's own host in that region, and nothing that would make another host of it."""
    try:
        parts = urlsplit(url)
        is_plain = parts.port is None and "@" not in parts.netloc and "\\" not in url
    except ValueError:
        parts, is_plain = urlsplit(""), False
    hosts = {f"sns.{region}.amazonaws.com", f"sns.{region}.amazonaws.com.cn"}
    if parts.scheme != "https" or parts.netloc not in hosts or not is_plain or not region:
        raise Denied(f"this message names an address that is not SNS's in {region or 'its region'}")
