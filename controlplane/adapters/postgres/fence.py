"""The fence: no application writes to this database any more, and none that was acknowledged is lost.

Every login role but our own and RDS's is closed first, then sessions are ended until three rounds in a row
find none: a session that got in while its role was being closed shows up in the next round. Read-only
modes, firewall rules and closing roles alone were all seen to lose acknowledged writes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from controlplane.adapters.postgres.connection import Connection, Connector
from controlplane.adapters.postgres.roles import APPLICATION, attempt
from controlplane.domain.errors import Denied, Refused, Unavailable
from controlplane.ports import Login

REPLICATION = "cp_replication"
EMPTY_ROUNDS = 3
PAUSE_SECONDS = 0.05
ROUNDS_SECONDS = 60.0

_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS controlplane;
CREATE TABLE IF NOT EXISTS controlplane.fence (role name PRIMARY KEY);
CREATE TABLE IF NOT EXISTS controlplane.marker (
    token text PRIMARY KEY, written_at timestamptz NOT NULL DEFAULT now());
"""
# Login roles that a fence closes, and whether we may. Before 16 CREATEROLE is enough, but for roles that
# replicate; from 16 on we must be an admin of the role.
_TO_CLOSE = """
SELECT r.rolname, r.rolcanlogin,
       NOT r.rolsuper AND CASE
         WHEN current_setting('server_version_num')::int >= 160000
           THEN pg_has_role(current_user, r.oid, 'USAGE WITH ADMIN OPTION')
         ELSE me.rolcreaterole AND NOT r.rolreplication END OR me.rolsuper,
       EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
               WHERE m.member = r.oid AND g.rolname = 'rds_superuser')
FROM pg_roles r, pg_roles me
WHERE me.rolname = current_user AND r.rolname <> current_user
  AND r.rolname <> 'cp_replication' AND r.rolname !~ '^(rds|pg_)'
ORDER BY 1
"""
# Sessions of anybody whom the fence closes; a session whose role is gone can still write. The type is NULL
# where we may not see it, which must not hide the session.
SESSIONS = """
FROM pg_stat_activity
WHERE (backend_type = 'client backend' OR (backend_type IS NULL AND usesysid IS NOT NULL))
  AND pid <> pg_backend_pid()
  AND coalesce(usename, '') <> current_user AND coalesce(usename, '') <> 'cp_replication'
  AND coalesce(usename, '') !~ '^rds'
"""


@dataclass(frozen=True)
class LoginRole:
    name: str
    can_login: bool
    may_close: bool  # by us
    is_master: bool  # a member of rds_superuser


def ensure_schema(connection: Connection) -> None:
    """Our own schema in the tenant's database: who was fenced, and markers."""
    if connection.execute("SELECT to_regclass('controlplane.marker')").fetchone() == (None,):
        with connection.transaction():
            connection.execute(_SCHEMA)


def login_roles(connection: Connection) -> list[LoginRole]:
    return [LoginRole(*row) for row in connection.execute(_TO_CLOSE).fetchall()]


def out_of_reach(roles: Sequence[LoginRole]) -> list[str]:
    """Logins that would stay open. The master's password is ours alone, and from PostgreSQL 16 on nobody
    but rdsadmin may close it: only its sessions are ended."""
    return [r.name for r in roles if r.can_login and not r.may_close and not r.is_master]


def fence(connector: Connector, control: Login) -> int:
    """Close, then end sessions; how many were ended. Running it again is free."""
    doing = "fencing the database"
    with connector.open(control, doing) as connection:
        ensure_schema(connection)
        _close(connection, doing)
        ended = end_sessions(connection, doing)
        prepared = prepared_transactions(connection)
        if prepared:
            raise Refused(
                f"{doing}: transactions are prepared and not finished: {', '.join(prepared)}",
                hint="COMMIT PREPARED or ROLLBACK PREPARED them, then run again",
                details={"prepared": prepared},
            )
        return ended


def _close(connection: Connection, doing: str) -> None:
    roles = login_roles(connection)
    stuck = out_of_reach(roles)
    if stuck:
        raise Denied(
            f"{doing}: cp_control may not close {', '.join(stuck)}; nothing was closed",
            hint=f"as who made them: GRANT {', '.join(stuck)} TO cp_control WITH ADMIN OPTION",
            details={"roles": stuck},
        )
    open_ones = [role.name for role in roles if role.can_login and role.may_close]
    with connection.transaction():
        connection.cursor().executemany(
            "INSERT INTO controlplane.fence (role) VALUES (%s) ON CONFLICT DO NOTHING",
            [[name] for name in open_ones],
        )
        for name in open_ones:
            connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(sql.Identifier(name)))


def end_sessions(connection: Connection, doing: str, within_seconds: float = ROUNDS_SECONDS) -> int:
    deadline = time.monotonic() + within_seconds
    ended: set[int] = set()
    empty = 0
    while empty < EMPTY_ROUNDS:
        found = connection.execute("SELECT pid, pg_terminate_backend(pid) " + SESSIONS).fetchall()
        ended |= {pid for pid, _ in found}
        empty = 0 if found else empty + 1
        if time.monotonic() > deadline:
            raise Unavailable(
                f"{doing}: {len(found)} sessions do not end",
                hint="look at pg_stat_activity; a session may hang in the kernel; run again or unfence",
                details={"pids": [pid for pid, _ in found]},
            )
        time.sleep(PAUSE_SECONDS)
    return len(ended)


def unfence(connector: Connector, control: Login) -> None:
    """Open what the fence closed, and the application's logins in any case. Also after a restore from a
    snapshot that was taken under the fence: the list of the closed roles came with it."""
    doing = "lifting the fence"
    with connector.open(control, doing) as connection:
        ensure_schema(connection)
        stuck = [role for role in _closed(connection) if not _reopen(connection, role)]
        if stuck:
            raise Denied(
                f"{doing}: cp_control may not open {', '.join(stuck)}; all others are open",
                hint=f"as who made them: ALTER ROLE {stuck[0]} LOGIN",
                details={"roles": stuck},
            )
        connection.execute("DELETE FROM controlplane.fence")


def _closed(connection: Connection) -> list[str]:
    rows = connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND NOT rolcanlogin ORDER BY 1",
        [fenced_roles(connection) + list(APPLICATION)],
    )
    return [name for (name,) in rows.fetchall()]


def _reopen(connection: Connection, role: str) -> bool:
    return attempt(connection, sql.SQL("ALTER ROLE {} LOGIN").format(sql.Identifier(role)))


def fenced_roles(connection: Connection) -> list[str]:
    """Whom the fence closed and who is closed still."""
    if connection.execute("SELECT to_regclass('controlplane.fence')").fetchone() == (None,):
        return []
    rows: list[Any] = connection.execute(
        "SELECT f.role FROM controlplane.fence f JOIN pg_roles r ON r.rolname = f.role"
        " WHERE NOT r.rolcanlogin ORDER BY 1"
    ).fetchall()
    return [str(name) for (name,) in rows]


def prepared_transactions(connection: Connection) -> list[str]:
    return [gid for (gid,) in connection.execute("SELECT gid FROM pg_prepared_xacts ORDER BY 1")]
