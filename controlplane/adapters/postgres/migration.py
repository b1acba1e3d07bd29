"""`Migration` on psycopg and PostgreSQL's own client programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from psycopg import sql

from controlplane.adapters.postgres import (
    examination,
    fence,
    markers,
    obstacles,
    picture,
    queries,
    replication,
    smoke,
    verification,
)
from controlplane.adapters.postgres.connection import Connection, Connector
from controlplane.adapters.postgres.schema_files import SchemaFiles
from controlplane.domain.errors import Broken
from controlplane.domain.migration.evidence import Activity, Obstacle, Replication, SlotLook, Verification
from controlplane.ports import Login

VERIFY_SECONDS = 3600


class MigrationSql:
    """The SQL of a move between two databases; see the port for what each promises."""

    def __init__(self, connector: Connector | None = None, programs: Path | None = None) -> None:
        self._connector = connector or Connector()
        self._files = SchemaFiles(self._connector, programs)

    def obstacles(self, control: Login, strategy: str) -> Sequence[Obstacle]:
        return obstacles.find(self._connector, control, strategy)

    def activity(self, control: Login) -> Activity:
        with self._connector.open(control, "looking at the database's sessions") as connection:
            row = connection.execute("SELECT count(*) " + fence.SESSIONS).fetchone()
            roles = fence.login_roles(connection)
            return Activity(
                sessions=int(row[0]) if row else 0,
                open_logins=tuple(r.name for r in roles if r.can_login and not r.is_master),
                longest_transaction_seconds=obstacles.longest_transaction_seconds(connection),
                prepared=tuple(fence.prepared_transactions(connection)),
                wal_position=markers.wal_position(connection),
            )

    def fenced_logins(self, control: Login) -> Sequence[str]:
        with self._connector.open(control, "looking at the fence") as connection:
            return fence.fenced_roles(connection)

    def write_marker(self, control: Login, token: str) -> str:
        return markers.write(self._connector, control, token)

    def has_marker(self, control: Login, token: str) -> bool:
        return markers.has(self._connector, control, token)

    def dump_schema(self, control: Login, file: str) -> None:
        self._files.dump(control, Path(file))

    def load_schema(self, source: Login, target_master: Login, file: str) -> None:
        self._files.load(source, target_master, Path(file))

    def copy_sequences(self, source: Login, target: Login) -> int:
        doing = "copying the sequences"
        with self._connector.open(source, doing) as connection:
            wanted = picture.sequences(connection)
        with self._connector.open(target, doing) as connection, connection.transaction():
            there = picture.sequences(connection)
            missing = sorted(set(wanted) - set(there))
            if missing:
                raise Broken(f"{doing}: the target has no {', '.join(missing)}", hint="load the schema first")
            behind = [n for n, goal in wanted.items() if verification.is_behind(there[n], goal)]
            for name in behind:
                _set_sequence(connection, name, *wanted[name][:2])
            return len(behind)

    def freshen(self, control: Login) -> None:
        doing = "filling views and gathering statistics"
        with self._connector.open(control, doing, statement_seconds=VERIFY_SECONDS) as connection:
            views = connection.execute(queries.MATERIALIZED_VIEWS.encode()).fetchall()
            for schema, name in views:
                connection.execute(
                    sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier(schema, name))
                )
            for schema, name in picture.user_tables(connection):
                connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(schema, name)))

    def publish(self, publisher: Login, name: str) -> None:
        replication.publish(self._connector, publisher, name)

    def subscribe(self, publisher: Login, subscriber: Login, name: str, *, copy_rows: bool) -> None:
        replication.subscribe(self._connector, publisher, subscriber, name, copy_rows=copy_rows)

    def replication(self, publisher: Login, subscriber: Login, name: str) -> Replication:
        return replication.status(self._connector, publisher, subscriber, name)

    def slot(self, publisher: Login, name: str) -> SlotLook:
        return replication.slot(self._connector, publisher, name)

    def unsubscribe(self, publisher: Login, subscriber: Login | None, name: str) -> None:
        replication.unsubscribe(self._connector, publisher, subscriber, name)

    def verify(self, source: Login, target: Login, marker: str = "") -> Verification:
        return verification.verify(self._connector, source, target, marker, VERIFY_SECONDS)

    def shape(self, control: Login) -> Mapping[str, str]:
        return examination.shape(self._connector, control, VERIFY_SECONDS)

    def examine(self, copy: Login, shape: Mapping[str, str]) -> Verification:
        return examination.examine(self._connector, copy, shape, VERIFY_SECONDS)

    def try_sql(self, control: Login, statements: str, seconds: int) -> str:
        return smoke.run(self._connector, control, statements, seconds)


def _set_sequence(connection: Connection, name: str, value: int, called: bool) -> None:
    schema, _, sequence = name.partition(".")
    quoted = sql.Identifier(schema, sequence).as_string(connection)
    connection.execute("SELECT setval(%s::regclass, %s, %s)", [quoted, value, called])
