"""Idempotency keys: one request, one effect, one answer, however often it is sent.

Claim the key and record its answer in the transaction of the change itself: then whoever comes second
waits for the first to commit, and a change that fails leaves no claim behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import Conflict, FieldError, Invalid
from controlplane.store.database import changed_rows, insert_if_absent
from controlplane.store.tables import IdempotencyKey

LONGEST_KEY = 255
_OPEN = 0  # the status of a key whose request has no answer yet


@dataclass(frozen=True)
class Answer:
    """What the first request was answered."""

    status_code: int
    body: Mapping[str, Any]
    headers: Mapping[str, Any] = field(default_factory=dict)


def fingerprint(method: str, path: str, body: bytes) -> str:
    return hashlib.sha256(b"\n".join((method.upper().encode(), path.encode(), body))).hexdigest()


def claim(session: Session, actor: str, key: str, fingerprint: str, now: datetime) -> Answer | None:
    """None: the request is yours to do, then `record`. Else the answer that it had before."""
    if not 1 <= len(key) <= LONGEST_KEY:
        message = f"an Idempotency-Key has 1 to {LONGEST_KEY} characters"
        raise Invalid(message, errors=[FieldError("Idempotency-Key", message)])
    row = IdempotencyKey(actor=actor, key=key, fingerprint=fingerprint, status_code=_OPEN, created_at=now)
    if insert_if_absent(session, IdempotencyKey, row.model_dump()):
        return None
    first = session.get(IdempotencyKey, (actor, key), populate_existing=True)
    if first is None or first.status_code == _OPEN:
        raise Conflict(f"the request with the key {key!r} is being done", hint="ask again in a moment")
    if first.fingerprint != fingerprint:
        message = f"the key {key!r} was used for another request"
        raise Invalid(
            message, hint="a new request needs a new key", errors=[FieldError("Idempotency-Key", message)]
        )
    return Answer(first.status_code, first.answer, first.headers)


def record(session: Session, actor: str, key: str, answer: Answer) -> None:
    """Keep the answer of a claimed key, once."""
    claimed = (
        col(IdempotencyKey.actor) == actor,
        col(IdempotencyKey.key) == key,
        col(IdempotencyKey.status_code) == _OPEN,
    )
    values = {"answer": dict(answer.body), "headers": dict(answer.headers)}
    statement = update(IdempotencyKey).where(*claimed).values(status_code=answer.status_code, **values)
    if not changed_rows(session, statement):
        raise Conflict(f"the key {key!r} is not claimed, or it is answered already")


def forget(session: Session, before: datetime) -> int:
    """Drop old keys; a request that is sent again after that is a new one."""
    return changed_rows(session, delete(IdempotencyKey).where(col(IdempotencyKey.created_at) < before))
