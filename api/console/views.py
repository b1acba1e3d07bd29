"""Templates, filled: everything is escaped, nothing runs in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.console.visitors import Visitor
from controlplane.services.actor import PERMISSIONS, Action

_FOLDER = Path(__file__).parent
STYLE = (_FOLDER / "static" / "console.css").read_text(encoding="utf-8")
ICON = (_FOLDER / "static" / "icon.svg").read_text(encoding="utf-8")
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_GOOD = frozenset({"ready", "succeeded", "no_changes", "complete", "merged"})
_BAD = frozenset({"failed", "rejected", "partially_applied", "needs_operator", "cancelled"})
_WAITING = frozenset({"awaiting_approval", "awaiting_window", "pending", "requested", "open", "planned"})


def mood(word: str) -> str:
    """The class that colours a state; its word always stands beside the colour."""
    if word in _GOOD:
        return "good"
    if word in _BAD:
        return "bad"
    return "waiting" if word in _WAITING else "busy"


def moment(text: str | None) -> str:
    return text[:19].replace("T", " ") if text else "–"


def told(value: Any) -> str:
    """A fact in words: claims as yes and no, labels as they are typed, and a dash for what there is not."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        value = " ".join(f"{key}={one}" for key, one in value.items())
    return "–" if value in (None, "") else str(value)


def dollars(amount: Any) -> str:
    """Unknown is not zero."""
    return "unknown" if amount is None else f"${amount}"


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"mood": mood, "moment": moment, "dollars": dollars, "query": query, "told": told}
    return made


def query(given: Mapping[str, Any], **more: Any) -> str:
    """A question mark and what was asked, with more or other words; empty ones are left out."""
    return "?" + urlencode({k: v for k, v in {**given, **more}.items() if v not in (None, "")})


_TEMPLATES = _environment()


def page(template: str, visitor: Visitor | None, status_code: int = 200, **values: Any) -> HTMLResponse:
    may = PERMISSIONS[visitor.actor.role] if visitor else frozenset[Action]()
    text = _TEMPLATES.get_template(template).render(
        visitor=visitor,
        form_key=visitor.session.form_key if visitor else "",
        may={action.name.lower() for action in may},
        **{"refresh": 0, **values},
    )
    return HTMLResponse(text, status_code, dict(HEADERS))
