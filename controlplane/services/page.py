"""Page tokens: opaque outside, a small JSON object inside; what somebody made up is refused."""

from __future__ import annotations

import base64
import json
from typing import Any

from controlplane.domain.errors import FieldError, Invalid

LARGEST = 200


def encode(cursor: dict[str, Any]) -> str:
    text = json.dumps(cursor, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(token: str) -> dict[str, Any]:
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        cursor = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _refused() from error
    if not isinstance(cursor, dict) or type(cursor.get("seq")) is not int or abs(cursor["seq"]) >= 2**62:
        raise _refused()
    return cursor


def check_size(size: int) -> int:
    if not 1 <= size <= LARGEST:
        message = f"a page has 1 to {LARGEST} items"
        raise Invalid(message, errors=[FieldError("page_size", message)])
    return size


def _refused() -> Invalid:
    message = "this page token is not one of ours: begin again without one"
    return Invalid(message, errors=[FieldError("page_token", message)])
