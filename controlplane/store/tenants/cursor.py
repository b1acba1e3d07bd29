"""Page tokens: where a page ended, bound to the question that was asked. Opaque to those who carry them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from controlplane.domain.errors import FieldError, Invalid

LARGEST_PAGE = 200
_SLUG = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True)
class Cursor:
    """The last row of a page: the value it was sorted by, and its slug."""

    value: str | int | None
    slug: str


def encode(cursor: Cursor, question: Any) -> str:
    content = json.dumps([_mark(question), cursor.value, cursor.slug], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).rstrip(b"=").decode()


def decode(token: str, question: Any, kind: type[str | int | datetime]) -> Cursor:
    """Invalid for anything but a token that this very question was answered with."""
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        mark, value, slug = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError, RecursionError) as error:
        raise _garbage() from error
    if mark != _mark(question) or not _is_slug(slug) or not _fits(value, kind):
        raise _garbage()
    return Cursor(value, slug)


def check_page_size(size: int) -> int:
    if not 1 <= size <= LARGEST_PAGE:
        message = f"a page has 1 to {LARGEST_PAGE} items"
        raise Invalid(message, errors=[FieldError("page_size", message)])
    return size


def _is_slug(value: Any) -> bool:
    return isinstance(value, str) and _SLUG.fullmatch(value) is not None


def _fits(value: Any, kind: type[str | int | datetime]) -> bool:
    if kind is int:
        return value is None or (type(value) is int and abs(value) < 2**63)
    if not isinstance(value, str) or kind is str:
        return isinstance(value, str)
    try:
        naive = datetime.fromisoformat(value).tzinfo is None
        datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return not naive


def _mark(question: Any) -> str:
    return hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()[:12]


def _garbage() -> Invalid:
    return Invalid(
        "the page token does not belong to this list",
        hint="ask with the same filters and sort as the page before, or begin without a token",
        errors=[FieldError("page_token", "not a token of this list")],
    )
