"""The catalog's database: one SQLite file, or PostgreSQL; sessions, and its errors in our words.

SQLite begins a transaction at the first INSERT, UPDATE or DELETE and takes the write lock with it; reads
before that are autocommit, so that an open read session never blocks a writer. On both databases
"look, then write" is therefore no promise: write with a condition, or let a unique index decide. A
statement that begins with WITH would not open a transaction: do not write through one. The engine's own
tables are in the same database; enqueue with the session that writes, or it waits for itself.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

from sqlalchemy import (
    URL,
    Connection,
    CursorResult,
    Engine,
    Table,
    UpdateBase,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from controlplane.domain.errors import (
    CatalogCorrupt,
    CatalogOutdated,
    CatalogTooNew,
    ControlPlaneError,
    Invalid,
    Unavailable,
)
from controlplane.store.migrations import HEAD, REVISIONS
from controlplane.store.stirring import Stirring

WAIT_SECONDS = 30  # for a lock that somebody else holds
_MIGRATE = "run `controlplane db migrate`"
# For questions that a worker asks with every look, or every step: to make one takes longer than to answer it.
prepared = cache


@dataclass(frozen=True)
class Database:
    """An open catalog. Safe to share between threads; a session belongs to one."""

    url: URL
    engine: Engine
    reading: Engine  # the same pool; PostgreSQL in autocommit
    file: Path | None  # SQLite only
    guards: list[Callable[[Session], None]] = field(default_factory=list, kw_only=True)  # before every commit

    @property
    def place(self) -> str:
        """Where the catalog is, for people: never a password."""
        return str(self.file) if self.file else self.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Autocommit reads: every statement sees the newest committed rows, and nobody is blocked."""
        with (
            self.translated("reading"),
            Session(self.reading, autoflush=False, expire_on_commit=False) as session,
        ):
            yield session
            if session.new or session.dirty or session.deleted:
                raise RuntimeError("something was written in a read session, where it is lost")

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back when anything is raised."""
        with (
            self.translated("writing"),
            Session(self.engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session
            for guard in self.guards:
                guard(session)

    @contextmanager
    def translated(self, doing: str) -> Iterator[None]:
        """Turn what the database says into our errors; a programming error stays what it is."""
        try:
            yield
        except (DBAPIError, sqlite3.Error, PoolTimeout, UnicodeEncodeError, OverflowError) as error:
            ours = _translate(error, f"{doing} the catalog {self.place}")
            if ours is None:
                raise
            raise ours from error

    def revision(self) -> str | None:
        """The revision that stands in the catalog; None where there is no catalog."""
        if self.file and not self.file.exists():
            return None
        with self.translated("opening"), self.reading.connect() as connection:
            return revision_in(connection)

    def stirring(self, seconds: float, pause: Callable[[float], object] = time.sleep) -> Stirring:
        """To wait with, between looks that are about so long apart."""
        return Stirring(self.file, seconds, pause)

    def close(self) -> None:
        self.engine.dispose()


def revision_in(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def open_database(url: str) -> Database:
    """Open a catalog that has the revision of this program; says what to do about any other."""
    db = connect(url)
    try:
        check_revision(db.revision(), db.place)
    except BaseException:
        db.close()
        raise
    return db


def check_revision(found: str | None, place: str) -> None:
    """Raise unless the catalog's revision is ours."""
    refuse_newer(found, place)
    if found is None:
        raise CatalogOutdated(f"opening the catalog {place}: there is none yet", hint=_MIGRATE)
    if found != HEAD:
        message = f"opening the catalog {place}: it has revision {found}, this program needs {HEAD}"
        raise CatalogOutdated(message, hint=_MIGRATE)


def refuse_newer(found: str | None, place: str) -> None:
    if found is not None and found not in REVISIONS:
        raise CatalogTooNew(
            f"opening the catalog {place}: its revision {found} is unknown to this program, "
            f"which ends at {HEAD}",
            hint="use the version of controlplane that migrated it, or a newer one",
        )


def connect(url: str, wait_seconds: int = WAIT_SECONDS) -> Database:
    """The database behind a URL, whatever is in it: for migrations and checks."""
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, connect_args={"timeout": wait_seconds})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "savepoint", _begin_before_savepoint)
        return Database(parsed, engine, engine, Path(str(parsed.database)).absolute())
    engine = create_engine(parsed, pool_pre_ping=True, connect_args=_postgres_arguments(parsed, wait_seconds))
    return Database(parsed, engine, engine.execution_options(isolation_level="AUTOCOMMIT"), None)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # their text may hold the password
        raise Invalid("the catalog's URL cannot be read", hint="sqlite:///FILE or postgresql://…") from None
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        if parsed.database in (None, "", ":memory:"):
            raise Invalid("a catalog in memory is lost with its process", hint="say sqlite:///FILE")
        return parsed
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    raise Invalid(f"no catalog on {parsed.drivername}", hint="sqlite:///FILE or postgresql://…")


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = "IMMEDIATE"
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_before_savepoint(connection: Connection, _name: str | None) -> None:
    """The driver begins nothing for a savepoint: its release would commit half of our transaction."""
    if not connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgres_arguments(url: URL, wait_seconds: int) -> dict[str, Any]:
    """Never wait for ever, neither for a connection nor for a lock; what the URL says goes first."""
    ours = {
        "connect_timeout": 10,
        "application_name": "controlplane",
        "options": f"-c lock_timeout={wait_seconds}s",
    }
    return {name: value for name, value in ours.items() if name not in url.query}


def insert_if_absent(session: Session, table: type[Any], values: Mapping[str, Any]) -> bool:
    """Insert one row unless a unique index says that it is there; True for the one who inserted it."""
    target: Table = table.__table__
    on_postgres = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert(target) if on_postgres else sqlite.insert(target)
    return changed_rows(session, insert.values(**values).on_conflict_do_nothing()) > 0


def changed_rows(session: Session, statement: UpdateBase) -> int:
    """Run an insert, update or delete; how many rows it touched. Objects in the session are not refreshed."""
    options = {"synchronize_session": False, "preserve_rowcount": True}
    return cast(CursorResult[Any], session.execute(statement, execution_options=options)).rowcount


# --- errors -----------------------------------------------------------------------------------------

_AGAIN = "try again"
_RESTORE = "stop every worker and server, see `controlplane db check`, then put back the newest backup"
_SQLITE: dict[int, tuple[type[ControlPlaneError], str, str]] = {
    sqlite3.SQLITE_BUSY: (Unavailable, "somebody else held it locked for too long", _AGAIN),
    sqlite3.SQLITE_LOCKED: (Unavailable, "it is locked", _AGAIN),
    sqlite3.SQLITE_CORRUPT: (CatalogCorrupt, "the file is damaged", _RESTORE),
    sqlite3.SQLITE_NOTADB: (CatalogCorrupt, "the file is no SQLite database, or damaged", _RESTORE),
    sqlite3.SQLITE_FULL: (
        Unavailable,
        "the disk is full; nothing was written",
        "free space on the disk of that file, then try again",
    ),
    sqlite3.SQLITE_IOERR: (
        Unavailable,
        "the disk does not read or write; nothing was written",
        "look at the disk of that file: space, quota, health",
    ),
    sqlite3.SQLITE_READONLY: (
        Unavailable,
        "the file may not be written",
        "give this user the right to write that file and its folder",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        Unavailable,
        "the file cannot be opened",
        "see that its folder exists and that this user may read and write there",
    ),
}
_POSTGRES: dict[str, tuple[type[ControlPlaneError], str, str]] = {
    "08": (Unavailable, "the connection broke", _AGAIN),
    "25006": (Unavailable, "the server is read-only", "connect to the primary"),
    "28": (Unavailable, "the server refuses our login", "look at the catalog's URL and pg_hba.conf"),
    "3D": (Unavailable, "there is no such database", "create it: `createdb`"),
    "40": (Unavailable, "another transaction was in the way", _AGAIN),
    "53100": (Unavailable, "the server's disk is full; nothing was written", "free space on the server"),
    "53": (Unavailable, "the server has no connections or memory left", "look at max_connections"),
    "55P03": (Unavailable, "somebody else held a lock for too long", _AGAIN),
    "57": (Unavailable, "the server stops or starts", _AGAIN),
    "58": (Unavailable, "the server's disk does not read or write", "look at the server's log"),
    "XX001": (CatalogCorrupt, "a page is damaged", "look at the server's log; restore a backup"),
    "XX002": (CatalogCorrupt, "an index is damaged", "look at the server's log; REINDEX"),
}


def _translate(error: Exception, doing: str) -> ControlPlaneError | None:
    if isinstance(error, PoolTimeout):
        return Unavailable(f"{doing}: too many sessions at a time", hint=_AGAIN)
    if isinstance(error, UnicodeEncodeError | OverflowError):
        return Invalid(f"{doing}: a value cannot be stored as text or number")
    cause = error.orig if isinstance(error, DBAPIError) else error
    row = _sqlite_row(cause) if isinstance(cause, sqlite3.Error) else _postgres_row(cause)
    if row is None:
        return None
    kind, what, hint = row
    return kind(f"{doing}: {what}", hint=hint)


def _sqlite_row(cause: sqlite3.Error) -> tuple[type[ControlPlaneError], str, str] | None:
    code = getattr(cause, "sqlite_errorcode", None)
    return None if code is None else _SQLITE.get(code & 0xFF)


def _postgres_row(cause: BaseException | None) -> tuple[type[ControlPlaneError], str, str] | None:
    state = getattr(cause, "sqlstate", None)
    if state is None:
        return _driver_row(cause)
    if state.startswith("22"):
        return Invalid, "a value cannot be stored", "look at its length, range and characters"
    return _POSTGRES.get(state) or _POSTGRES.get(state[:2])


def _driver_row(cause: BaseException | None) -> tuple[type[ControlPlaneError], str, str] | None:
    """What psycopg says by itself; its text names server and user, never the password."""
    name = type(cause).__name__
    if name == "DataError":
        return Invalid, "a value cannot be stored", "text holds no NUL character"
    if name in ("OperationalError", "ConnectionTimeout"):
        said = str(cause).strip().splitlines() or [""]
        return Unavailable, f"no connection: {said[0]}", "see that the server runs and takes our login"
    return None
