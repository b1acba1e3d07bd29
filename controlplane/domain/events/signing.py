"""Signatures as Standard Webhooks says.

The receiver checks `webhook-signature` over `<webhook-id>.<webhook-timestamp>.<body>` with the secret that it
was given once. The id stays the same over all attempts, so that it can drop what it has seen.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence

from controlplane.domain.errors import Invalid

SECRET_PREFIX = "whsec_"  # noqa: S105 - of every secret, not one


def headers(secrets: Sequence[str], identifier: str, at: int, body: bytes) -> dict[str, str]:
    signed = " ".join(sign(one, identifier, at, body) for one in secrets)
    named = {"webhook-id": identifier, "webhook-timestamp": str(at)}
    return named | ({"webhook-signature": signed} if signed else {})


def sign(secret: str, identifier: str, at: int, body: bytes) -> str:
    signed = f"{identifier}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode()


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise Invalid(f"reading a webhook's secret: it is not {SECRET_PREFIX} and base64") from error
