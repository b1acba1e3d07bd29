"""Whether a webhook is from whom it says, and from when. All that it is believed is that there is news."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

OLDEST, NEWEST = timedelta(hours=1), timedelta(minutes=5)
_WHEN = (
    ("comment", "updated_at"),
    ("review", "submitted_at"),
    ("pull_request", "updated_at"),
    ("head_commit", "timestamp"),
)


def is_signed(secret: str, body: bytes, signature: str) -> bool:
    """GitHub's `X-Hub-Signature-256`, compared in constant time."""
    made = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return bool(secret) and hmac.compare_digest(made.encode(), signature.encode())


def is_timely(payload: Mapping[str, Any], now: datetime) -> bool:
    """What it tells of happened just now; what names no time tells of nothing (a ping)."""
    told = [when for part, name in _WHEN if (when := _time(payload.get(part), name)) is not None]
    if not told and "ref" in payload:  # a push that took a branch away
        told = [when for when in (_time(payload.get("repository"), "pushed_at"),) if when is not None]
    return not told or now - OLDEST <= max(told) <= now + NEWEST


def _time(part: Any, name: str) -> datetime | None:
    value = part.get(name) if isinstance(part, Mapping) else None
    try:
        if isinstance(value, int):
            return datetime.fromtimestamp(value, UTC)
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)
