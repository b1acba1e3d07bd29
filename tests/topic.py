"""A topic of SNS as it signs: a key and a certificate of its own, and messages of the documented shapes."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509.oid import NameOID

from controlplane.domain.errors import Missing

ARN = "arn:aws:sns:us-east-1:123456789012:platform-alarms"
HOST = "https://sns.us-east-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0123456789abcdef.pem"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@cache
def _key(name: str) -> rsa.RSAPrivateKey:
    del name  # one for each who signs
    return rsa.generate_private_key(65_537, 2048)


def certificate(signer: str = "sns", since: datetime = NOW - timedelta(days=30), days: int = 400) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(_key(signer).public_key())
        .serial_number(1)
        .not_valid_before(since)
        .not_valid_after(since + timedelta(days=days))
        .sign(_key(signer), hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


@dataclass
class Sns:
    """SNS's end: what lies at its addresses, and what was asked there."""

    pages: dict[str, bytes] = field(default_factory=lambda: {CERTIFICATE: certificate()})
    asked: list[str] = field(default_factory=list)

    def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.pages and "Action=ConfirmSubscription" not in url:
            raise Missing(f"{url} is not there")
        return self.pages.get(url, b"<ConfirmSubscriptionResponse/>")


def notification(text: str = "{}", version: str = "2", signer: str = "sns", **fields: Any) -> dict[str, Any]:
    found = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": ARN,
        "Subject": "ALARM: acme",
        "Message": text,
        "Timestamp": "2026-03-02T11:59:30.123Z",
        **fields,
    }
    names = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    return signed({k: v for k, v in found.items() if v is not None}, names, version, signer)


def confirmation(kind: str = "SubscriptionConfirmation", **fields: Any) -> dict[str, Any]:
    found = {
        "Type": kind,
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "Token": "2336412f37",
        "TopicArn": ARN,
        "Message": "You have chosen to subscribe to the topic.",
        "SubscribeURL": f"{HOST}/?Action=ConfirmSubscription&TopicArn={ARN}&Token=2336412f37",
        "Timestamp": "2026-03-02T11:59:30.123Z",
        **fields,
    }
    names = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
    return signed(found, names, "2", "sns")


def signed(found: dict[str, Any], names: tuple[str, ...], version: str, signer: str) -> dict[str, Any]:
    """As the documentation says: names and values, a line each, in the order of their names."""
    text = "".join(f"{name}\n{found[name]}\n" for name in names if name in found)
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    signature = _key(signer).sign(text.encode(), PKCS1v15(), algorithm)
    return {
        "SignatureVersion": version,
        "Signature": base64.b64encode(signature).decode(),
        "SigningCertURL": CERTIFICATE,
        **found,
    }


def alarm(database: str, state: str = "ALARM") -> str:
    return json.dumps(
        {
            "AlarmName": f"{database}-cpu-critical",
            "NewStateValue": state,
            "StateChangeTime": "2026-03-02T11:59:00.000+0000",
            "Trigger": {"Dimensions": [{"name": "DBInstanceIdentifier", "value": database}]},
        }
    )
