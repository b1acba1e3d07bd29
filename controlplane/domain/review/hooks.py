"""Whether a webhook is from whom it says, and from when. All that it is believed is that there is news."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from controlplane.domain.events import signing

_SECONDS = re.compile(r"[0-9]{1,11}")
OLDEST, NEWEST = timedelta(hours=1), timedelta(minutes=5)
_WHEN = (
    ("comment", "updated_at"),
    ("review", "submitted_at"),
    ("pull_request", "updated_at"),
    ("head_commit", "timestamp"),
    ("object_attributes", "updated_at"),  # GitLab's comments and merge requests
)
Headers = Mapping[str, str]  # by their names in lower case


@dataclass(frozen=True)
class Envelope:
    """What a delivery's headers say; nothing of it counts where it is not genuine."""

    delivery: str
    event: str
    is_genuine: bool
    sent_at: datetime | None = None


def of_github(secret: str, headers: Headers, body: bytes) -> Envelope:
    signed = is_signed(secret, body, headers.get("x-hub-signature-256", ""))
    return Envelope(headers.get("x-github-delivery", ""), headers.get("x-github-event", ""), signed)


def of_gitlab(secret: str, headers: Headers, body: bytes) -> Envelope:
    """Signed with its signing token, as Standard Webhooks says; else it shows its secret token."""
    event = headers.get("x-gitlab-event", "")
    if "webhook-signature" in headers:
        identifier, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not _SECONDS.fullmatch(at) or not secret.startswith(signing.SECRET_PREFIX):
            return Envelope(identifier, event, is_genuine=False)
        made = signing.sign(secret, identifier, int(at), body).encode()
        signed = [hmac.compare_digest(made, one.encode()) for one in headers["webhook-signature"].split()]
        return Envelope(identifier, event, any(signed), datetime.fromtimestamp(int(at), UTC))
    shown = headers.get("x-gitlab-token", "")
    is_shown = bool(secret) and hmac.compare_digest(secret.encode(), shown.encode())
    delivery = headers.get("idempotency-key") or headers.get("x-gitlab-event-uuid", "")
    return Envelope(delivery, event, is_shown)


READERS: Mapping[str, Callable[[str, Headers, bytes], Envelope]] = {
    "github": of_github,
    "gitlab": of_gitlab,
}


def is_signed(secret: str, body: bytes, signature: str) -> bool:
    """GitHub's `X-Hub-Signature-256`, compared in constant time."""
    made = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return bool(secret) and hmac.compare_digest(made.encode(), signature.encode())


def is_timely(payload: Mapping[str, Any], now: datetime, sent_at: datetime | None = None) -> bool:
    """What it tells of happened just now; what names no time tells of nothing (a ping)."""
    if sent_at is not None:
        return now - OLDEST <= sent_at <= now + NEWEST
    told = [when for part, name in _WHEN if (when := _time(payload.get(part), name)) is not None]
    if not told and "ref" in payload:  # a push that took a branch away
        told = [when for when in (_time(payload.get("repository"), "pushed_at"),) if when is not None]
    return not told or now - OLDEST <= max(told) <= now + NEWEST


def _time(part: Any, name: str) -> datetime | None:
    value = part.get(name) if isinstance(part, Mapping) else None
    try:
        if isinstance(value, int):
            return datetime.fromtimestamp(value, UTC)
        found = datetime.fromisoformat(value.removesuffix(" UTC")) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)
