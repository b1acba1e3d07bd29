"""The run's rows, in plain SQL on SQLite or PostgreSQL. Every method is one transaction, safe to repeat."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from controlplane.domain.sealing import NONCE_BYTES, artifact_identity, seal, state_identity
from controlplane.supervisor.statefile import StateFile
from controlplane.supervisor.task import Task

T = TypeVar("T")
Execute = Callable[[str, Sequence[Any]], Any]  # a statement with `?`, answers a cursor

_WAIT_SECONDS = 5  # for a lock or a connection; then the next tick tries again


class Unreachable(Exception):
    """The database does not answer now."""


class Gone(Unreachable):
    """The database's file is not there any more: waiting does not bring it back."""


class Line(NamedTuple):
    number: int
    at: float
    stream: str
    text: str


class Ended(NamedTuple):
    status: str  # ended, lost
    exit_code: int | None
    interrupted: bool = False
    timed_out: bool = False


class Ledger:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._postgres = not task.database.startswith("sqlite")
        self._connection: Any = None

    # --- the run's life

    def claim(self) -> bool:
        """Of several supervisors of one run, one gets it. One that died before it started Terraform is
        replaced: its lock is ours now, so it is dead, and Terraform's lock file is not there."""
        task = self._task
        where = "id = ? AND (status = 'ordered' OR (status = 'claimed' AND host = ?))"
        return self._take_over("status = 'claimed'", where, (task.run_id, task.host))

    def adopt(self) -> bool:
        where = "id = ? AND status IN ('claimed', 'running') AND host = ?"
        return self._take_over("status = 'running'", where, (self._task.run_id, self._task.host))

    def _take_over(self, change: str, where: str, arguments: tuple[str, ...]) -> bool:
        task = self._task

        def work(execute: Execute) -> bool:
            lease = self._now(execute) + task.lease_seconds
            statement = f"UPDATE run SET {change}, host = ?, supervisor = ?, lease_until = ? WHERE {where}"  # noqa: S608
            return bool(execute(statement, (task.host, task.token, lease, *arguments)).rowcount)

        return self._transaction(work)

    def started(self, pid: int) -> None:
        def work(execute: Execute) -> None:
            statement = (
                "UPDATE run SET status = 'running', pid = ?, started_at = ? WHERE id = ? AND supervisor = ?"
            )
            execute(statement, (pid, self._now(execute), self._task.run_id, self._task.token))

        self._transaction(work)

    def look(self) -> tuple[str, float, int, int]:
        """What is asked (`ask`, `insist`), when Terraform started, stored lines, and those of Terraform."""

        def work(execute: Execute) -> tuple[str, float, int, int]:
            run = (self._task.run_id,)
            row = execute("SELECT interrupt_requested, started_at FROM run WHERE id = ?", run).fetchone()
            count = "SELECT count(*) FROM run_line WHERE run_id = ?"
            lines = execute(count, run).fetchone()[0]
            raw = execute(f"{count} AND stream <> 'supervisor'", run).fetchone()[0]
            return row[0], float(row[1]), int(lines), int(raw)

        return self._transaction(work)

    def beat(self, lines: Sequence[Line], *, renew: bool, lock_id: str = "") -> str:
        """Store lines, renew the lease when it is time, and answer what is asked of us."""

        def work(execute: Execute) -> str:
            self._insert_lines(execute, lines)
            owner = (self._task.run_id, self._task.token)
            if renew:
                lease = self._now(execute) + self._task.lease_seconds
                execute("UPDATE run SET lease_until = ? WHERE id = ? AND supervisor = ?", (lease, *owner))
            if lock_id:
                execute("UPDATE run SET lock_id = ? WHERE id = ? AND supervisor = ?", (lock_id, *owner))
            row = execute("SELECT interrupt_requested FROM run WHERE id = ?", owner[:1]).fetchone()
            return str(row[0]) if row else ""

        return self._transaction(work)

    def store_state(self, state: StateFile) -> str:
        """Store a state as the newest; says why not, where an other one stands above it."""
        sealed = self._seal(
            state_identity(self._task.workspace_id, state.lineage, state.serial, state.sha256), state.content
        )
        return self._transaction(lambda execute: self._put_state(execute, state, sealed))

    def finish(self, ended: Ended, lines: Sequence[Line], artifacts: dict[str, tuple[str, bytes]]) -> None:
        """Everything that is left, and the end, in one transaction."""
        sealed = {
            name: (sha256, self._seal(artifact_identity(self._task.run_id, name), content))
            for name, (sha256, content) in artifacts.items()
        }

        def work(execute: Execute) -> None:
            self._insert_lines(execute, lines)
            for name, (sha256, content) in sealed.items():
                self._put_artifact(execute, name, sha256, content)
            execute(
                "UPDATE run SET status = ?, exit_code = ?, interrupted = ?, timed_out = ?, ended_at = ? "
                "WHERE id = ? AND supervisor = ? AND status IN ('claimed', 'running')",
                (
                    *(ended.status, ended.exit_code, ended.interrupted, ended.timed_out),
                    *(self._now(execute), self._task.run_id, self._task.token),
                ),
            )
            execute("DELETE FROM state_lock WHERE holder = ?", (f"run:{self._task.run_id}",))

        self._transaction(work)

    # --- rows

    def _insert_lines(self, execute: Execute, lines: Sequence[Line]) -> None:
        statement = "INSERT INTO run_line (run_id, number, at, stream, text) VALUES (?, ?, ?, ?, ?)"
        for line in lines:
            execute(statement + " ON CONFLICT DO NOTHING", (self._task.run_id, *line))

    def _put_state(self, execute: Execute, state: StateFile, sealed: bytes) -> str:
        task = self._task
        newest = execute(
            "SELECT lineage, serial, sha256 FROM state_version WHERE workspace_id = ? "
            "ORDER BY seq DESC LIMIT 1",
            (task.workspace_id,),
        ).fetchone()
        if newest and newest[2] == state.sha256:
            return ""
        if newest and newest[0] != state.lineage:
            return "a state of another lineage is not stored: it was made from nothing"
        if newest and newest[1] > state.serial:
            return f"serial {state.serial} is not stored: serial {newest[1]} is newer"
        same = (task.workspace_id, state.sha256)
        execute("DELETE FROM state_version WHERE workspace_id = ? AND sha256 = ?", same)
        execute(
            "INSERT INTO state_version (workspace_id, lineage, serial, sha256, key_id, wrapped, sealed, "
            "run_id, written_by, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(task.workspace_id, state.lineage, state.serial, state.sha256),
                *(task.key.id, task.key.wrapped, sealed),
                *(task.run_id, f"run:{task.run_id}", self._now(execute)),
            ),
        )
        execute("UPDATE run SET state_serial = ? WHERE id = ?", (state.serial, task.run_id))
        return ""

    def _put_artifact(self, execute: Execute, name: str, sha256: str, sealed: bytes) -> None:
        key = self._task.key
        execute(
            "INSERT INTO artifact (run_id, name, key_id, wrapped, sealed, sha256, created_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (self._task.run_id, name, key.id, key.wrapped, sealed, sha256, self._now(execute)),
        )

    def _seal(self, identity: str, plain: bytes) -> bytes:
        return seal(self._task.key.plain, identity, plain, os.urandom(NONCE_BYTES))

    def _now(self, execute: Execute) -> float:
        """PostgreSQL: the server's clock, on which leases are kept. SQLite is on our host."""
        if not self._postgres:
            return time.time()
        return float(execute("SELECT extract(epoch FROM clock_timestamp())", ()).fetchone()[0])

    # --- the connection

    def _transaction(self, work: Callable[[Execute], T]) -> T:
        try:
            if self._connection is None:
                self._connection = self._connect()
            return self._in_transaction(work)
        except Unreachable:
            raise
        except Exception as error:
            if not type(error).__module__.startswith(("sqlite3", "psycopg")):
                raise
            self.close()
            raise Unreachable(f"{type(error).__name__}: {error}") from error

    def _in_transaction(self, work: Callable[[Execute], T]) -> T:
        if self._postgres:
            with self._connection.transaction():
                return work(lambda sql, values: self._connection.execute(sql.replace("?", "%s"), values))
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(self._connection.execute)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return result

    def _connect(self) -> Any:
        if self._postgres:
            import psycopg  # noqa: PLC0415 - slow to import, and not needed with SQLite

            url = "postgresql" + self._task.database[self._task.database.index("://") :]
            options = f"-c lock_timeout={_WAIT_SECONDS}s -c statement_timeout=60s"
            return psycopg.connect(url, autocommit=True, connect_timeout=_WAIT_SECONDS, options=options)
        path = self._task.database.partition(":///")[2]
        if not os.access(path, os.F_OK):
            raise Gone(f"{path} is not there")
        # `rw`: never make an empty catalog in the place of one that is gone.
        uri = f"file:{quote(path)}?mode=rw"
        return sqlite3.connect(uri, uri=True, timeout=_WAIT_SECONDS, isolation_level=None)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
