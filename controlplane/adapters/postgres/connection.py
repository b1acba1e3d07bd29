"""Connections to a tenant's database: time-outs everywhere, psycopg's errors in our words, no secrets."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors as pg
from psycopg.conninfo import make_conninfo

from controlplane.domain.errors import (
    AlreadyExists,
    Broken,
    Conflict,
    ControlPlaneError,
    Denied,
    Missing,
    Unavailable,
)
from controlplane.ports import Login

Connection = psycopg.Connection[tuple[Any, ...]]

CERTIFICATE_HINT = (
    "name RDS's CA bundle in CONTROLPLANE_DATABASE_CERTIFICATES: "
    "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
)
# What psycopg raises, in the order in which it is looked up.
_KINDS: tuple[tuple[type[psycopg.Error], type[ControlPlaneError], str], ...] = (
    (pg.QueryCanceled, Unavailable, "it took longer than allowed; it is safe to run again"),
    (pg.LockNotAvailable, Conflict, "a session holds a lock: look at `migration show`, then run again"),
    (pg.InsufficientPrivilege, Denied, "grant the role what is named, as the owner or the master"),
    (pg.DuplicateObject, AlreadyExists, ""),
    (pg.DuplicateTable, AlreadyExists, ""),
    (pg.UndefinedObject, Missing, ""),
    (pg.UndefinedTable, Missing, ""),
    (pg.SerializationFailure, Unavailable, "it is safe to run again"),
    (pg.DeadlockDetected, Unavailable, "it is safe to run again"),
    (psycopg.OperationalError, Unavailable, "check that the database runs and can be reached from here"),
)

# A tenant may have made sessions read-only or commits asynchronous by default: not ours.
_OURS = {"default_transaction_read_only": "off", "synchronous_commit": "on", "search_path": "pg_catalog"}


@dataclass(frozen=True)
class Connector:
    """How we connect. `root_certificates` is the CA bundle for `verify-ca` and `verify-full`."""

    root_certificates: Path | None = None
    connect_seconds: int = 10
    statement_seconds: int = 30
    lock_seconds: int = 10

    @contextmanager
    def open(
        self, login: Login, doing: str, *, statement_seconds: int | None = None, ours: bool = True
    ) -> Iterator[Connection]:
        """A connection in autocommit; whatever PostgreSQL or the network says comes out as our error.
        Not `ours`: the session starts as the application's would."""
        limit = self.statement_seconds if statement_seconds is None else statement_seconds
        with (
            translated(doing, login),
            psycopg.connect(
                self.conninfo(login),
                autocommit=True,
                prepare_threshold=None,
                options=_options({**self._limits(limit), **(_OURS if ours else {})}),
            ) as connection,
        ):
            yield connection

    def conninfo(self, login: Login, application: str = "controlplane") -> str:
        """With the password: for libpq only, never for a log. Nothing is taken from the environment."""
        certificates = {}
        if login.tls.startswith("verify-"):
            certificates["sslrootcert"] = str(self.root_certificates) if self.root_certificates else "system"
        return make_conninfo(
            host=login.host,
            port=login.port,
            dbname=login.database,
            user=login.username,
            password=login.password,
            passfile=os.devnull,
            sslmode=login.tls,
            gssencmode="disable",
            connect_timeout=self.connect_seconds,
            application_name=application,
            client_encoding="utf8",
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=30_000,
            **certificates,
        )

    def _limits(self, statement_seconds: int) -> dict[str, str]:
        return {
            "statement_timeout": f"{statement_seconds}s",
            "lock_timeout": f"{self.lock_seconds}s",
            "idle_in_transaction_session_timeout": "300s",
        }


def _options(values: Mapping[str, str]) -> str:
    return " ".join(f"-c {name}={value}" for name, value in values.items())


@contextmanager
def translated(doing: str, login: Login) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise translate(error, doing, login) from error


def translate(error: psycopg.Error, doing: str, login: Login) -> ControlPlaneError:
    where = f"{login.username} at {login.host}:{login.port}/{login.database}"
    details = {"sqlstate": error.sqlstate or "", "where": where}
    for kind, ours, hint in _KINDS:
        if isinstance(error, kind):
            words = said(error, login)
            next_step = CERTIFICATE_HINT if "certificate" in words else hint
            return ours(f"{doing} ({where}): {words}", hint=next_step, details=details)
    return Broken(f"{doing} ({where}): {said(error, login)}", details=details)


def said(error: psycopg.Error, login: Login) -> str:
    """PostgreSQL's own words on one line, without the values that its DETAIL may quote."""
    text = error.diag.message_primary or str(error)
    line = " ".join(text.split())
    if login.password:
        line = line.replace(login.password, "***")
    return line.removeprefix("connection failed: ")[:400]
