"""Who may come in: tokens, people, and the first token of an installation that has neither."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from controlplane.domain.errors import AlreadyExists, Conflict, Unauthenticated
from controlplane.services.actor import Action, Actor, Role
from controlplane.services.audit import record
from controlplane.services.bodies import NewToken, NewUser
from controlplane.services.control import Ask, Control, new_id, plain
from controlplane.store import audit
from controlplane.store.guard import access
from controlplane.store.tables import Token, User

_PREFIX = "cp_"  # so that scanners of repositories know one when they see it
_FIRST_TOKEN, _FIRST_DAYS = "tok-first", 30
_FOUNDER, _FIRST = Actor("controlplane", Role.ADMIN, origin="first-start"), Ask("there was nobody yet")


class AlreadyIssued(Conflict):
    """A token's secret is shown once and not kept: the same request cannot be answered the same."""

    code = "already_issued"


class Identities(Protocol):
    """Where people and programs are known: our own tokens, and whoever vouches for others, as OIDC does."""

    def actor(self, secret: str, origin: str) -> Actor | None:
        """Who shows this; None: it is not for us to judge. Raises `Unauthenticated` when it is, and bad."""
        ...


@dataclass(frozen=True)
class Tokens:
    """Our own."""

    control: Control

    def actor(self, secret: str, origin: str) -> Actor | None:
        if not secret.startswith(_PREFIX):
            return None
        now = self.control.now()
        with self.control.db.read() as session:
            token = access.authenticate(session, secret, now)
            due = access.is_use_due(token, now)
        if due:
            with self.control.db.write() as session:
                access.note_use(session, token.id, now)
        return Actor(f"token:{token.name}", Role(token.role), tuple(token.tenants), origin)


def identify(sources: Sequence[Identities], secret: str, origin: str) -> Actor:
    """By the first source whose business it is."""
    for source in sources:
        found = source.actor(secret, origin)
        if found is not None:
            return found
    raise Unauthenticated("this token is not known here", hint="controlplane token create")


def record_refusal(control: Control, origin: str, request_id: str, *, slowed: bool = False) -> None:
    """A failed attempt to come in stands in the audit, and that its address is no longer heard."""
    with control.db.write() as session:
        audit.append(
            session,
            at=control.now(),
            actor="unknown",
            action="access.slowed" if slowed else "access.refused",
            subject="token",
            request_id=request_id,
            origin=origin,
        )


# --- tokens -----------------------------------------------------------------------------------------


def tokens(control: Control, actor: Actor) -> dict[str, Any]:
    actor.require(Action.ADMINISTER)
    with control.db.read() as session:
        items = [_token(control, row) for row in access.tokens(session)]
    return {"items": items, "next_page_token": None}


def create_token(control: Control, actor: Actor, body: NewToken, ask: Ask) -> dict[str, Any]:
    """Its secret stands in this answer and nowhere else."""
    actor.require(Action.ADMINISTER)
    secret = _PREFIX + secrets.token_urlsafe(32)
    row = Token(
        id=new_id("tok"),
        name=body.name,
        digest="",
        role=body.role.value,
        tenants=list(body.tenants),
        created_by=actor.name,
        created_at=control.now(),
        expires_at=control.now() + timedelta(days=body.days),
    )
    with control.db.write() as session:
        kept = access.issue(session, row, secret)
        view = _token(control, kept)
        record(control, session, actor, ask, action="token.created", subject=f"token/{row.id}", after=view)
    return {**view, "secret": secret}


def revoke_token(control: Control, actor: Actor, token_id: str, ask: Ask) -> dict[str, Any]:
    actor.require(Action.ADMINISTER)
    with control.db.write() as session:
        view = _token(control, access.revoke(session, token_id, control.now()))
        record(control, session, actor, ask, action="token.revoked", subject=f"token/{token_id}", after=view)
    return view


def _token(control: Control, row: Token) -> dict[str, Any]:
    names = ("id", "name", "role", "tenants", "created_by", "created_at", "expires_at", "last_used_at")
    view = {name: plain(getattr(row, name)) for name in (*names, "revoked_at")}
    expired = row.expires_at is not None and row.expires_at <= control.now()
    return {**view, "state": "revoked" if row.revoked_at else "expired" if expired else "living"}


def first_token(control: Control, file: Path) -> Path | None:
    """An admin's token in a file for its owner only, where there is neither token nor user yet."""
    secret = _PREFIX + secrets.token_urlsafe(32)
    now = control.now()
    row = Token(
        id=_FIRST_TOKEN,
        name="first-start",
        digest="",
        role=Role.ADMIN.value,
        created_by="controlplane",
        created_at=now,
        expires_at=now + timedelta(days=_FIRST_DAYS),
    )
    with control.db.read() as session:
        if access.tokens(session) or access.users(session):
            return None
    try:
        with control.db.write() as session:
            view = _token(control, access.issue(session, row, secret))
            record(
                control,
                session,
                _FOUNDER,
                _FIRST,
                action="token.created",
                subject=f"token/{row.id}",
                after=view,
            )
            _write_secret(file, secret)
    except AlreadyExists:
        return None  # another server started at the same moment
    return file


def _write_secret(file: Path, secret: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
        written.write(secret + "\n")


# --- people -----------------------------------------------------------------------------------------


def users(control: Control, actor: Actor) -> dict[str, Any]:
    actor.require(Action.ADMINISTER)
    with control.db.read() as session:
        return {"items": [_user(row) for row in access.users(session)], "next_page_token": None}


def add_user(control: Control, actor: Actor, body: NewUser, ask: Ask) -> dict[str, Any]:
    actor.require(Action.ADMINISTER)
    row = User(
        id=new_id("usr"),
        name=body.name,
        role=body.role.value,
        tenants=list(body.tenants),
        created_at=control.now(),
    )
    with control.db.write() as session:
        view = _user(access.add_user(session, row))
        record(control, session, actor, ask, action="user.added", subject=f"user/{row.name}", after=view)
    return view


def remove_user(control: Control, actor: Actor, user_id: str, ask: Ask) -> dict[str, Any]:
    actor.require(Action.ADMINISTER)
    with control.db.write() as session:
        access.remove_user(session, user_id)
        record(control, session, actor, ask, action="user.removed", subject=f"user/{user_id}", after={})
    return {"id": user_id}


def _user(row: User) -> dict[str, Any]:
    return {name: plain(getattr(row, name)) for name in ("id", "name", "role", "tenants", "created_at")}
