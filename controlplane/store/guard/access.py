"""Tokens and people. Of a token only the SHA-256 is kept: what the catalog holds cannot be used to log in."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import AlreadyExists, FieldError, Missing, Unauthenticated
from controlplane.store.database import changed_rows, insert_if_absent
from controlplane.store.tables import Token, User

_SEEN_EVERY = timedelta(minutes=1)  # last use is noted this often: not one write for every request
_FRESH = {"populate_existing": True}


def digest(secret: str) -> str:
    """A token is long and random: one plain hash is enough, and it can be looked up."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


# --- tokens -----------------------------------------------------------------------------------------


def issue(session: Session, token: Token, secret: str) -> Token:
    """Keep a new token; its secret is shown once, by the caller, and forgotten."""
    token.digest = digest(secret)
    if not insert_if_absent(session, Token, token.model_dump()):
        raise AlreadyExists("this token was issued before", hint="its secret is not kept: issue another one")
    return token_by_id(session, token.id)


def authenticate(session: Session, secret: str, now: datetime) -> Token:
    """The living token behind a secret; only who holds the secret learns why it no longer counts."""
    token = session.scalars(
        select(Token).where(col(Token.digest) == digest(secret)), execution_options=_FRESH
    ).one_or_none()
    if token is None:
        raise Unauthenticated("this token is not known here")
    if token.revoked_at is not None:
        raise Unauthenticated(f"the token {token.name!r} was revoked", hint="ask an admin for another one")
    if token.expires_at is not None and token.expires_at <= now:
        message = f"the token {token.name!r} expired at {token.expires_at:%Y-%m-%d %H:%M} UTC"
        raise Unauthenticated(message, hint="ask an admin for another one")
    return token


def note_use(session: Session, token_id: str, now: datetime) -> None:
    """Remember the last use, once a minute."""
    used = col(Token.last_used_at)
    due = (col(Token.id) == token_id, or_(used.is_(None), used < now - _SEEN_EVERY))
    changed_rows(session, update(Token).where(*due).values(last_used_at=now))


def is_use_due(token: Token, now: datetime) -> bool:
    """Whether `note_use` would write: a reader that asks first opens no transaction."""
    return token.last_used_at is None or token.last_used_at < now - _SEEN_EVERY


def revoke(session: Session, token_id: str, now: datetime) -> Token:
    """From now on it is refused; revoked twice keeps the first time."""
    living = (col(Token.id) == token_id, col(Token.revoked_at).is_(None))
    changed_rows(session, update(Token).where(*living).values(revoked_at=now))
    return token_by_id(session, token_id)


def token_by_id(session: Session, token_id: str) -> Token:
    found = session.get(Token, token_id, populate_existing=True)
    if found is None:
        raise Missing(f"there is no token {token_id!r}", hint="controlplane token list")
    return found


def tokens(session: Session) -> list[Token]:
    """All of them, the revoked too, oldest first."""
    query = select(Token).order_by(col(Token.created_at), col(Token.id))
    return list(session.scalars(query, execution_options=_FRESH))


# --- people -----------------------------------------------------------------------------------------


def add_user(session: Session, user: User) -> User:
    if not insert_if_absent(session, User, user.model_dump()):
        message = f"there is a user {user.name!r} already"
        raise AlreadyExists(message, errors=[FieldError("name", "taken")])
    return user_by_name(session, user.name)


def find_user(session: Session, name: str) -> User | None:
    query = select(User).where(col(User.name) == name)
    return session.scalars(query, execution_options=_FRESH).one_or_none()


def user_by_name(session: Session, name: str) -> User:
    found = find_user(session, name)
    if found is None:
        raise Missing(f"there is no user {name!r}", hint="controlplane user list")
    return found


def remove_user(session: Session, user_id: str) -> None:
    if not changed_rows(session, delete(User).where(col(User.id) == user_id)):
        raise Missing(f"there is no user {user_id!r}", hint="controlplane user list")


def users(session: Session) -> list[User]:
    return list(session.scalars(select(User).order_by(col(User.name)), execution_options=_FRESH))


def anybody(session: Session) -> bool:
    """Whether somebody can log in already. A first token with one fixed id is issued only once."""
    rows = (session.scalar(select(col(table.id)).limit(1)) for table in (User, Token))
    return any(row is not None for row in rows)
