"""Tenants that are schemas of one database. Made and taken away by the master, who is no superuser.

A tenant's logins work as the schema's owner, and have nothing else: what PUBLIC had in this database is
taken from it first. The shared application logs in as itself and takes a tenant's role for one request by
`SET ROLE`: it is a member through `app_tenants`, which inherits nothing, so without that it sees no tenant.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

from psycopg import sql

from controlplane.adapters.postgres.connection import Connection, Connector
from controlplane.adapters.postgres.fence import EMPTY_ROUNDS, PAUSE_SECONDS, ROUNDS_SECONDS
from controlplane.adapters.postgres.roles import (
    APPLICATION,
    OWNER,
    ROLES_LOCK,
    change_password,
    existing,
)
from controlplane.adapters.postgres.schema_files import SchemaFiles
from controlplane.domain.errors import Broken, Conflict, Denied, Missing, Refused, Unavailable
from controlplane.domain.schema import Space
from controlplane.ports import Login, SchemaExport, SchemaState

TENANTS = "app_tenants"  # through which the shared application may take a tenant's role
_EXPORT_SECONDS = 3600
# What one of the tenant's roles has of this database beside its schema. Empty, or nobody is let in.
_TOO_MUCH = """
WITH role(name) AS (SELECT unnest(%(roles)s::text[]))
SELECT role.name || ' may use schema ' || n.nspname FROM role, pg_namespace n
WHERE n.nspname <> %(schema)s
  AND n.nspname !~ '^pg_(catalog$|toast|temp)' AND n.nspname <> 'information_schema'
  AND (has_schema_privilege(role.name, n.oid, 'USAGE') OR has_schema_privilege(role.name, n.oid, 'CREATE'))
UNION ALL
SELECT role.name || ' may make schemas or temporary tables' FROM role
WHERE has_database_privilege(role.name, current_database(), 'CREATE')
   OR has_database_privilege(role.name, current_database(), 'TEMPORARY')
UNION ALL
SELECT role.name || ' has the rights of ' || other.rolname FROM role, pg_roles other
WHERE other.rolname <> ALL(%(roles)s) AND pg_has_role(role.name, other.oid, 'MEMBER')
UNION ALL
SELECT other.rolname || ' has the rights of ' || role.name FROM role, pg_roles other
WHERE other.rolname <> ALL(%(roles)s) AND NOT other.rolsuper AND other.rolname <> current_user
  AND other.rolname !~ '^(rds|pg_)' AND pg_has_role(other.oid, role.name, 'USAGE')
ORDER BY 1
"""


# Its own sessions, and those of the shared application that are in the midst of its rows.
_END = """
SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND (usename = ANY(%s) OR pid IN (
  SELECT l.pid FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s))
"""


class SchemaSql:
    """`Schemas` on psycopg, pg_dump and pg_restore."""

    def __init__(self, connector: Connector | None = None, programs: Path | None = None) -> None:
        self.connector = connector or Connector()
        self._files = SchemaFiles(self.connector, programs)

    def make(self, master: Login, space: Space, passwords: Mapping[str, str]) -> None:
        doing = f"making the schema {space.schema}"
        with self._alone(master, doing) as connection:
            there = existing(connection)
            missing = sorted({OWNER, *APPLICATION} - there)
            if missing:
                raise Missing(
                    f"{doing}: the shared database has no {', '.join(missing)}",
                    hint="apply its platform again from where the database is reached",
                )
            _close_public(connection)
            _make_roles(connection, space, passwords, there)
            _make_schema(connection, space)
            _check(connection, space, doing)

    def set_password(self, master: Login, space: Space, login: str, password: str) -> None:
        doing = f"setting the password of {login}"
        with self.connector.open(master, doing) as connection:
            if login not in space.logins or login not in existing(connection):
                raise Missing(f"{doing}: there is no such login of {space.schema}")
            change_password(connection, login, password)

    def look(self, master: Login, space: Space) -> SchemaState:
        with self.connector.open(master, f"looking at the schema {space.schema}") as connection:
            return SchemaState(_exists(connection, space), _left_out(connection, space))

    def close(self, master: Login, space: Space) -> int:
        """What the tenant owned becomes the master's: who had taken the owner's role loses its rights with
        the next statement, and a transaction that is open is waited for."""
        doing = f"closing the schema {space.schema}"
        with self._alone(master, doing) as connection:
            there = [role for role in space.roles if role in existing(connection)]
            for role in there:
                connection.execute(_words("ALTER ROLE {} NOLOGIN", role))
            if space.owner in there and TENANTS in existing(connection):
                connection.execute(_words("REVOKE {} FROM {}", space.owner, TENANTS))
        ended = self._end_sessions(master, space, doing)
        with self._alone(master, doing) as connection:
            for role in there:
                connection.execute(_words("REASSIGN OWNED BY {} TO CURRENT_USER", role))
                connection.execute(_words("DROP OWNED BY {}", role))
        return ended

    def export(self, master: Login, space: Space, file: str) -> SchemaExport:
        doing = f"exporting the schema {space.schema}"
        with self.connector.open(master, doing, statement_seconds=_EXPORT_SECONDS) as connection:
            _require_closed(connection, space, doing)
            tables = _counted(connection, space)
        self._files.dump_rows(master, space.schema, Path(file))
        kept = self._files.tables_with_rows(Path(file))
        if kept != len(tables):
            raise Broken(f"{doing}: it has {len(tables)} tables, and the dump has the rows of {kept}")
        data = Path(file)
        with data.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return SchemaExport(tables, data.stat().st_size, digest)

    def drop(self, master: Login, space: Space) -> None:
        doing = f"dropping the schema {space.schema}"
        with self._alone(master, doing) as connection:
            connection.execute(_words("DROP SCHEMA IF EXISTS {} CASCADE", space.schema))
            there = existing(connection)
            for role in reversed([role for role in space.roles if role in there]):
                connection.execute(_words("DROP OWNED BY {}", role))
                connection.execute(_words("DROP ROLE {}", role))

    @contextmanager
    def _alone(self, master: Login, doing: str) -> Iterator[Connection]:
        """One change of roles at a time: PostgreSQL refuses two at once in words that nobody understands."""
        with self.connector.open(master, doing) as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [ROLES_LOCK])
            yield connection

    def _end_sessions(self, master: Login, space: Space, doing: str) -> int:
        deadline, empty, ended = time.monotonic() + ROUNDS_SECONDS, 0, set()
        with self.connector.open(master, doing) as connection:
            while empty < EMPTY_ROUNDS:
                found = connection.execute(_END, [list(space.logins), space.schema]).fetchall()
                ended |= {pid for pid, _ in found}
                empty = 0 if found else empty + 1
                if time.monotonic() > deadline:
                    raise Unavailable(f"{doing}: {len(found)} sessions do not end", hint="run it again")
                time.sleep(PAUSE_SECONDS)
        return len(ended)


def _words(text: LiteralString, *names: str) -> sql.Composed:
    return sql.SQL(text).format(*map(sql.Identifier, names))


def _exists(connection: Connection, space: Space) -> bool:
    row = connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", [space.schema]).fetchone()
    return row is not None


def _left_out(connection: Connection, space: Space) -> str:
    """Large objects lie in no schema."""
    row = connection.execute(
        "SELECT count(*) FROM pg_largeobject_metadata m JOIN pg_roles r ON r.oid = m.lomowner"
        " WHERE r.rolname = ANY(%s)",
        [list(space.roles)],
    ).fetchone()
    return f"{row[0]} large objects" if row and row[0] else ""


def _close_public(connection: Connection) -> None:
    """Once for all: whoever logs in has what was given to it, and nothing for being somebody."""
    database = connection.info.dbname
    connection.execute(_words("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC", database))
    connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    if TENANTS not in existing(connection):
        connection.execute(_words("CREATE ROLE {} NOLOGIN NOINHERIT", TENANTS))
    connection.execute(_words("GRANT {} TO {}, {}", TENANTS, *APPLICATION))


def _make_roles(connection: Connection, space: Space, passwords: Mapping[str, str], there: set[str]) -> None:
    if space.owner not in there:
        connection.execute(_words("CREATE ROLE {} NOLOGIN", space.owner))
    for login in space.logins:
        if login not in there:
            connection.execute(_words("CREATE ROLE {} LOGIN", login))
        change_password(connection, login, passwords[login])
        connection.execute(
            _words("ALTER ROLE {} LOGIN CONNECTION LIMIT ", login) + sql.Literal(space.limits.connections)
        )
        for name, value in _settings(space).items():
            words = _words("ALTER ROLE {} SET {} TO ", login, name)
            connection.execute(words + sql.Literal(value))
    master = connection.info.user
    connection.execute(_words("GRANT {} TO {}, {}, {}, {}", space.owner, *space.logins, master, TENANTS))
    connection.execute(_words("GRANT {}, {} TO {}", *space.logins, master))
    connection.execute(_words("GRANT CONNECT ON DATABASE {} TO {}", connection.info.dbname, space.owner))


def _settings(space: Space) -> Mapping[str, str]:
    """Where a session of the tenant begins."""
    limits = space.limits
    return {
        "role": space.owner,  # so that whatever it makes belongs to the owner, whichever login is in turn
        "search_path": space.schema,
        "statement_timeout": f"{limits.statement_seconds}s",
        "lock_timeout": f"{limits.lock_seconds}s",
        "idle_in_transaction_session_timeout": f"{limits.idle_in_transaction_seconds}s",
    }


def _make_schema(connection: Connection, space: Space) -> None:
    connection.execute(_words("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}", space.schema, space.owner))
    connection.execute(_words("REVOKE ALL ON SCHEMA {} FROM PUBLIC", space.schema))
    owned = connection.execute(
        "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = %s", [space.schema]
    ).fetchone()
    if owned != (space.owner,):
        raise Conflict(
            f"the schema {space.schema} is there and belongs to {owned[0] if owned else 'nobody'}: it was "
            "closed, or somebody else made it",
            hint="go on with what closed it (controlplane operation list), or move it away",
        )


def _check(connection: Connection, space: Space, doing: str) -> None:
    facts = {"roles": list(space.roles), "schema": space.schema}
    found = [str(line) for (line,) in connection.execute(_TOO_MUCH, facts)]
    if found:
        raise Denied(
            f"{doing}: it would not be alone: {'; '.join(found[:5])}",
            hint="take these rights away as who gave them, then run this again",
            details={"rights": found},
        )


def _require_closed(connection: Connection, space: Space, doing: str) -> None:
    """And nothing of the tenant's outside of its schema, which no dump of it would hold."""
    roles = [role for role in space.roles if role in existing(connection)]
    row = connection.execute(
        "SELECT count(*) FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid"
        " WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype = 'o' AND r.rolname = ANY(%s)",
        [roles],
    ).fetchone()
    if row != (0,):
        raise Refused(f"{doing}: it is not closed, its rows may still change", hint="run it again")


def _counted(connection: Connection, space: Space) -> dict[str, int]:
    tables = connection.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relkind = 'r' ORDER BY 1",
        [space.schema],
    ).fetchall()
    counts = {}
    for (name,) in tables:
        row = connection.execute(
            _words("SELECT count(*) FROM ONLY {}.{}", space.schema, str(name))
        ).fetchone()
        counts[str(name)] = int(row[0]) if row else 0
    return counts
