"""A request as one transaction of its own: done once however often it is sent, or only rehearsed.

What services write through `control.db` joins that transaction, so that the answer of an idempotency key
and the change that it answers are there both or neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy.orm import Session

from controlplane.services.actor import Actor
from controlplane.services.control import Control
from controlplane.store.database import Database
from controlplane.store.guard import idempotency
from controlplane.store.guard.idempotency import Answer

Call = Callable[[Control], dict[str, Any]]


@dataclass(frozen=True)
class _Joined(Database):
    """The same catalog within a transaction that is open already."""

    session: Session

    @contextmanager
    def read(self) -> Iterator[Session]:
        yield self.session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A savepoint: a part that fails takes back what it wrote, and only that."""
        with self.session.begin_nested():
            yield self.session


def within(control: Control, session: Session) -> Control:
    """The same control, whose writes join the transaction of `session`."""
    same = {f.name: getattr(control.db, f.name) for f in fields(Database)}
    return replace(control, db=_Joined(**same, session=session))


@dataclass(frozen=True)
class Request:
    """What makes a request the same as another one."""

    key: str
    method: str
    path: str
    body: bytes

    @property
    def fingerprint(self) -> str:
        return idempotency.fingerprint(self.method, self.path, self.body)


@dataclass(frozen=True)
class Done:
    status_code: int
    body: Mapping[str, Any]
    repeated: bool = False


def once(control: Control, actor: Actor, request: Request, call: Call, status_code: int = 202) -> Done:
    """Do it, or answer what it was answered before. A request that fails leaves its key unused."""
    with control.db.write() as session:
        before = idempotency.claim(session, actor.name, request.key, request.fingerprint, control.now())
        if before is not None:
            return Done(before.status_code, before.body, repeated=True)
        body = call(within(control, session))
        idempotency.record(session, actor.name, request.key, Answer(status_code, body))
        return Done(status_code, body)


class _Undo(Exception):
    """Carries the answer out of a transaction that shall not be committed."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__("rehearsed")
        self.body = body


def rehearse(control: Control, call: Call) -> dict[str, Any]:
    """Everything that would be checked and written, and then nothing of it."""
    try:
        with control.db.write() as session:
            raise _Undo(call(within(control, session)))
    except _Undo as undone:
        return {**undone.body, "dry_run": True}
