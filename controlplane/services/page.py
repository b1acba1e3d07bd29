"""Page tokens: opaque outside, a small JSON object inside; what somebody made up is refused."""

from __future__ import annotations

import base64
import json
from typing import Any

from controlplane.domain.errors import FieldError, Invalid


def encode(cursor: dict[str, Any]) -> str:
    text = json.dumps(cursor, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(token: str) -> dict[str, Any]:
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        cursor = json.loads(raw)
    except ValueError as error:
        raise _refused() from error
    if not isinstance(cursor, dict) or not isinstance(cursor.get("seq"), int):
        raise _refused()
    return cursor


def _refused() -> Invalid:
    message = "this page token is not one of ours: begin again without one"
    return Invalid(message, errors=[FieldError("page_token", message)])
