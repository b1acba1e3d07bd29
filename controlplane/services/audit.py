"""The audit, for those who may read it: pages, the whole as JSON lines, and whether it is untouched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict, Unpack

from sqlalchemy.orm import Session

from controlplane.domain.errors import FieldError, Invalid
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Ask, Control, plain
from controlplane.services.page import check_size, decode, encode
from controlplane.store import audit
from controlplane.store.audit import AuditFilter

_FIELDS = (
    "seq",
    "at",
    "actor",
    "action",
    "subject",
    "reason",
    "request_id",
    "origin",
    "before",
    "after",
    "previous",
    "digest",
)


@dataclass(frozen=True)
class Search:
    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: str = ""
    page_size: int = 50
    page_token: str = ""


class What(TypedDict):
    action: str
    subject: str
    after: dict[str, Any]


def record(control: Control, session: Session, actor: Actor, ask: Ask, **what: Unpack[What]) -> None:
    """An entry in the transaction of what it tells of."""
    audit.append(
        session,
        at=control.now(),
        actor=actor.name,
        reason=ask.reason,
        request_id=ask.request_id,
        origin=actor.origin,
        **what,
    )


def page(control: Control, actor: Actor, wanted: Search) -> dict[str, Any]:
    """Newest first."""
    actor.require(Action.READ_AUDIT)
    size = check_size(wanted.page_size)
    before = int(decode(wanted.page_token)["seq"]) if wanted.page_token else None
    asked = AuditFilter(wanted.actor, wanted.action, wanted.subject, _since(wanted.since))
    with control.db.read() as session:
        rows = audit.page(session, asked, before, size + 1)
    token = encode({"seq": rows[size - 1].seq}) if len(rows) > size else None
    items = [{name: plain(getattr(row, name)) for name in _FIELDS} for row in rows[:size]]
    return {"items": items, "next_page_token": token}


def verify(control: Control, actor: Actor, noted_head: str = "") -> dict[str, Any]:
    """`noted_head` is `NUMBER:DIGEST` of an earlier verdict: only with it a cut end shows."""
    actor.require(Action.READ_AUDIT)
    head = _head(noted_head)
    with control.db.read() as session:
        found = audit.verify(session, head)
    if found.broken_seq is None and head and 0 < head[0] <= found.exported:
        message = f"entry {head[0]} left the catalog for a file, with all up to {found.exported}"
        hint = "look for it in the exported files, and give the head of a later verdict"
        raise Invalid(message, hint=hint, errors=[FieldError("head", message)])
    return {
        "good": found.broken_seq is None,
        "entries": found.entries,
        "head": f"{found.head_seq}:{found.head_digest}",
        "broken_seq": found.broken_seq,
        "why": found.why,
        "exported": found.exported,
    }


def _head(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    number, _, digest = text.partition(":")
    if not number.isdigit() or len(number) > 18 or not digest:
        message = "a head is NUMBER:DIGEST, as `audit verify` prints it"
        raise Invalid(message, errors=[FieldError("head", message)])
    return int(number), digest


def export(control: Control, actor: Actor) -> Iterator[dict[str, Any]]:
    """Every entry in order, with what verifies it."""
    actor.require(Action.READ_AUDIT)
    with control.db.read() as session:
        yield from audit.export(session)


def _since(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{text!r} is no time: say 2026-01-31T12:00:00+00:00"
        raise Invalid(message, errors=[FieldError("since", message)]) from error
    if found.tzinfo is None:
        message = "a time without a zone: add +00:00, or the zone's offset"
        raise Invalid(message, errors=[FieldError("since", message)])
    return found
