"""Tenants that share a PostgreSQL: what each has, and that it has nothing of another one's."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors as pg
from psycopg import sql

from controlplane.adapters.postgres import Connector, Postgres, SchemaSql
from controlplane.domain.errors import Conflict, Denied, Missing, Refused
from controlplane.domain.names import TenantUid
from controlplane.domain.schema import Space
from controlplane.ports import Login
from controlplane.sandbox.clusters import Clusters
from tests.fakes.rds import (
    MASTER,
    Server,
    Servers,
    any_clusters,
    cluster_folder,
    connect,
    replicating_clusters,
)

__all__ = ["any_clusters", "cluster_folder", "replicating_clusters"]  # pytest finds fixtures by name
pytestmark = pytest.mark.postgres

# As near to each other as uids can be: in all but the last character, and in the one that LIKE takes for any.
ONE, OTHER = Space(TenantUid("tenant10")), Space(TenantUid("tenant1x"))

ATTACKS = (
    "SELECT * FROM {other}.orders",
    "INSERT INTO {other}.orders VALUES ('x')",
    "DELETE FROM {other}.orders",
    "CREATE TABLE {other}.mine (id int)",
    "DROP TABLE {other}.orders",
    "DROP SCHEMA {other} CASCADE",
    "ALTER SCHEMA {other} RENAME TO gone",
    "GRANT USAGE ON SCHEMA {other} TO {me}",
    "SET ROLE {other}_owner",
    "SET ROLE {other}_a",
    "SET ROLE app_owner",
    "SET ROLE app_tenants",
    "SET ROLE cp_control",
    "SELECT * FROM public.plans",
    "CREATE TABLE public.mine (id int)",
    "CREATE SCHEMA mine",
    "CREATE TEMPORARY TABLE mine (id int)",
    "CREATE ROLE mine",
    "ALTER ROLE {me} CONNECTION LIMIT 100",
    "ALTER ROLE {other}_a PASSWORD 'mine'",
    "SELECT pg_read_file('/etc/passwd')",
    "COPY orders TO PROGRAM 'cat'",
    "SELECT rolpassword FROM pg_authid",
)


@dataclass
class House:
    server: Server
    schemas: SchemaSql
    passwords: dict[str, str] = field(default_factory=dict)

    def make(self, space: Space) -> Space:
        for login in space.logins:
            self.passwords.setdefault(login, f"pass-{uuid.uuid4().hex}")
        mine = {login: self.passwords[login] for login in space.logins}
        self.schemas.make(self.server.master, space, mine)
        return space

    def login(self, space: Space, which: int = 0) -> Login:
        name = space.logins[which]
        return self.server.login(name, self.passwords[name])

    def run(self, space: Space, *statements: str, which: int = 0) -> list[tuple[Any, ...]]:
        """As the tenant's application does; what the last one gives."""
        with connect(self.login(space, which)) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module", params=["any_clusters", "replicating_clusters"])
def a_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """On both sides of PostgreSQL 16, where roles' rules changed."""
    clusters: Clusters = request.getfixturevalue(request.param)
    yield from Servers(clusters).one()


@pytest.fixture
def house(a_server: Server) -> Iterator[House]:
    server = a_server.in_database(f"d_{uuid.uuid4().hex[:8]}").set_up()
    yield House(server, SchemaSql(Connector(), server.clusters.binaries.folder))
    server.drop_database()
    server.forget_roles()


@pytest.fixture
def two(house: House) -> House:
    """Two tenants with a table each, and something of the application's in `public`."""
    house.server.run("CREATE TABLE public.plans (name text)", "INSERT INTO public.plans VALUES ('gold')")
    for space, row in ((ONE, "mine"), (OTHER, "theirs")):
        house.make(space)
        house.run(space, "CREATE TABLE orders (note text)", f"INSERT INTO orders VALUES ('{row}')")
    return house


def test_a_tenant_works_in_its_schema_without_naming_it(two: House) -> None:
    assert two.run(ONE, "SELECT note FROM orders") == [("mine",)]
    assert two.run(OTHER, "SELECT note FROM orders") == [("theirs",)]


def test_both_of_a_tenants_logins_work_on_the_same_things(two: House) -> None:
    two.run(ONE, "INSERT INTO orders VALUES ('second')", "CREATE TABLE more (id int)", which=1)
    two.run(ONE, "INSERT INTO more VALUES (1)", "DROP TABLE more", which=0)
    assert len(two.run(ONE, "SELECT * FROM orders")) == 2


@pytest.mark.parametrize("first", [(), ("SET ROLE NONE",)], ids=["as it begins", "as itself"])
def test_a_tenant_gets_at_nothing_else(two: House, first: tuple[str, ...]) -> None:
    done = []
    for attack in ATTACKS:
        try:
            two.run(ONE, *first, attack.format(other=OTHER.schema, me=ONE.logins[0]))
        except (pg.InsufficientPrivilege, pg.UndefinedTable):
            continue
        done.append(attack)
    assert done == []
    assert two.run(OTHER, "SELECT note FROM orders") == [("theirs",)]


def test_a_tenant_is_shown_its_own_tables_only(two: House) -> None:
    listed = two.run(ONE, "SELECT table_schema FROM information_schema.tables WHERE table_schema !~ '^pg_'"
                          " AND table_schema <> 'information_schema'")  # fmt: skip
    assert listed == [(ONE.schema,)]
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app_a'"
    with two.server.connect("app_a"), pytest.raises(pg.InsufficientPrivilege):
        two.run(ONE, ended)


def test_no_customers_name_stands_in_the_catalogue(two: House) -> None:
    """PostgreSQL shows every login the names of all schemas and roles."""
    names = [
        n for (n,) in two.run(ONE, "SELECT rolname FROM pg_roles UNION SELECT nspname FROM pg_namespace")
    ]
    assert {n for n in names if n.startswith("t_")} == {*ONE.roles, ONE.schema, *OTHER.roles, OTHER.schema}


def test_sessions_begin_with_limits(two: House) -> None:
    shown = [two.run(ONE, f"SHOW {name}")[0][0] for name in
             ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")]  # fmt: skip
    assert shown == ["30s", "10s", "1min"]
    with ExitStack() as sessions:
        for _ in range(ONE.limits.connections):
            sessions.enter_context(connect(two.login(ONE)))
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            two.run(ONE, "SELECT 1")
    assert two.run(ONE, "SELECT 1") == [(1,)]


def test_the_shared_application_takes_a_tenants_role_for_a_request_and_has_it_no_longer(two: House) -> None:
    with two.server.connect("app_a", autocommit=False) as connection:
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(ONE.owner)))
        assert connection.execute(f"SELECT note FROM {ONE.schema}.orders".encode()).fetchall() == [("mine",)]
        with pytest.raises(pg.InsufficientPrivilege):
            connection.execute(f"SELECT note FROM {OTHER.schema}.orders".encode())
        connection.rollback()
        with pytest.raises(pg.InsufficientPrivilege):
            connection.execute(f"SELECT note FROM {ONE.schema}.orders".encode())


def test_making_it_again_changes_passwords_and_loses_nothing(two: House) -> None:
    before = two.login(ONE)
    two.passwords[ONE.logins[0]] = "another-password"
    two.make(ONE)
    assert two.run(ONE, "SELECT note FROM orders") == [("mine",)]
    assert not Postgres().probe(before).reachable


def test_setting_up_the_platforms_roles_again_gives_nobody_a_tenants_rights(two: House) -> None:
    two.server.set_up()
    with two.server.connect("app_a") as connection, pytest.raises(pg.InsufficientPrivilege):
        connection.execute(f"SELECT note FROM {ONE.schema}.orders".encode())
    two.make(ONE)  # which looks who has its rights


def test_a_tenant_that_would_not_be_alone_is_not_let_in(house: House) -> None:
    house.server.run("CREATE SCHEMA commons", "GRANT USAGE ON SCHEMA commons TO PUBLIC")
    with pytest.raises(Denied, match="may use schema commons"):
        house.make(ONE)
    assert not house.schemas.look(house.server.master, ONE).is_there
    assert house.server.value(f"SELECT count(*) FROM pg_roles WHERE rolname ~ '^{ONE.schema}'") == 0


def test_without_the_platforms_roles_it_is_said_what_to_do(a_server: Server) -> None:
    bare = a_server.in_database(f"d_{uuid.uuid4().hex[:8]}")
    try:
        with pytest.raises(Missing, match="has no app_a, app_b, app_owner") as found:
            SchemaSql().make(bare.master, ONE, dict.fromkeys(ONE.logins, "x"))
        assert "apply its platform" in found.value.hint
    finally:
        bare.drop_database()


def test_many_are_made_at_once(house: House) -> None:
    spaces = [Space(TenantUid(f"tenant{n:02}")) for n in range(8)]
    threads = [threading.Thread(target=house.make, args=[space]) for space in spaces]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [house.run(space, "SELECT current_schema()") for space in spaces] == [
        [(s.schema,)] for s in spaces
    ]


# --- leaving ------------------------------------------------------------------------------------------


def test_what_is_closed_is_nobodys_any_more(two: House) -> None:
    """Neither a session of the tenant's goes on, nor one of the application's that had taken its role."""
    with connect(two.login(ONE)) as own, two.server.connect("app_a") as shared:
        shared.execute(f"SET ROLE {ONE.owner}".encode())
        shared.execute(f"SELECT * FROM {ONE.schema}.orders".encode())
        assert two.schemas.close(two.server.master, ONE) == 1
        with pytest.raises(psycopg.OperationalError):
            own.execute("SELECT 1")
        with pytest.raises(pg.InsufficientPrivilege):
            shared.execute(f"INSERT INTO {ONE.schema}.orders VALUES ('late')".encode())
    assert not Postgres().probe(two.login(ONE)).reachable
    assert two.run(OTHER, "SELECT note FROM orders") == [("theirs",)]
    assert two.schemas.close(two.server.master, ONE) == 0  # once more


def test_whoever_is_in_the_midst_of_its_rows_is_ended(two: House) -> None:
    with pytest.raises(pg.AdminShutdown), two.server.connect("app_a", autocommit=False) as shared:
        shared.execute(f"SET ROLE {ONE.owner}".encode())
        shared.execute(f"INSERT INTO {ONE.schema}.orders VALUES ('open')".encode())
        assert two.schemas.close(two.server.master, ONE) == 1
    assert two.server.value(f"SELECT count(*) FROM {ONE.schema}.orders", MASTER) == 1


def test_the_export_holds_every_row_and_goes_back(two: House, tmp_path: Path) -> None:
    two.run(ONE, "CREATE VIEW all_orders AS SELECT * FROM orders", "CREATE TABLE nothing (id int)")
    two.run(ONE, "SET ROLE NONE", "CREATE TABLE as_login (id serial)", "INSERT INTO as_login DEFAULT VALUES")
    master, file = two.server.master, tmp_path / "dump"
    two.schemas.close(master, ONE)
    made = two.schemas.export(master, ONE, str(file))
    assert made.tables == {"as_login": 1, "nothing": 0, "orders": 1}
    assert made.size_bytes == file.stat().st_size > 0
    two.schemas.drop(master, ONE)
    restore = ["--no-owner", "--no-privileges", f"--dbname={two.server.database}", str(file)]
    two.schemas._files._run("pg_restore", restore, master, "restoring")
    assert two.server.value(f"SELECT note FROM {ONE.schema}.all_orders", MASTER) == "mine"


def test_nothing_is_exported_that_may_still_change(two: House, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="it is not closed"):
        two.schemas.export(two.server.master, ONE, str(tmp_path / "dump"))
    assert not (tmp_path / "dump").exists()


def test_what_lies_outside_of_the_schema_is_told(two: House) -> None:
    assert two.schemas.look(two.server.master, ONE).left_out == ""
    two.run(ONE, "SELECT lo_create(0)")
    assert two.schemas.look(two.server.master, ONE).left_out == "1 large objects"
    assert two.schemas.look(two.server.master, OTHER).left_out == ""


def test_dropping_leaves_nothing_and_nobody_else_out(two: House) -> None:
    two.schemas.close(two.server.master, ONE)
    two.schemas.drop(two.server.master, ONE)
    two.schemas.drop(two.server.master, ONE)  # once more
    left = (
        "SELECT count(*) FROM (SELECT rolname FROM pg_roles UNION SELECT nspname FROM pg_namespace) n(name)"
    )
    assert two.server.value(f"{left} WHERE name ~ '^{ONE.schema}'") == 0
    assert two.run(OTHER, "SELECT note FROM orders") == [("theirs",)]
    assert two.server.value("SELECT name FROM public.plans", "app_a") == "gold"


def test_after_a_life_there_is_another_one(two: House) -> None:
    two.schemas.close(two.server.master, ONE)
    with pytest.raises(Conflict, match="it was closed"):
        two.make(ONE)
    two.schemas.drop(two.server.master, ONE)
    two.make(ONE)
    assert two.run(ONE, "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()") == [(0,)]
