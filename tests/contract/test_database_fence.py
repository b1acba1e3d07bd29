"""The fence under real writers: no acknowledged write is lost, and the proof can fail."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest

from controlplane.adapters.postgres import Postgres
from controlplane.domain.errors import Denied, Refused
from tests.fakes.rds import (
    MASTER,
    REPLICATING_MAJOR,
    Server,
    Servers,
    any_clusters,
    cluster_folder,
    either_servers,
    replicating_clusters,
    wait_until,
)
from tests.fakes.writers import TABLES, Rows, Writers, rows

__all__ = ["any_clusters", "cluster_folder", "either_servers", "replicating_clusters"]
pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module", params=["any_clusters", "replicating_clusters"])
def shared(request: pytest.FixtureRequest) -> Iterator[Server]:
    yield from Servers(request.getfixturevalue(request.param)).one()


@pytest.fixture
def server(shared: Server) -> Iterator[Server]:
    made = shared.in_database(f"t_{uuid.uuid4().hex[:8]}").set_up()
    made.run(*TABLES)
    yield made
    made.drop_database()
    made.forget_roles()


@pytest.fixture
def database() -> Iterator[Postgres]:
    yield Postgres()


def snapshot(server: Server) -> Rows:
    with server.connect("cp_control") as connection:
        return rows(connection)


def test_a_fence_loses_no_acknowledged_write(server: Server, database: Postgres) -> None:
    with Writers(lambda: server.login("app_a")) as writers:
        writers.wait_for(200)
        ended = database.fence(server.control)
        taken = snapshot(server)
        writers.wait_for_refusals()
        acknowledged = writers.stop()
    assert ended >= 1
    assert (taken.lost(acknowledged), taken.doubled(), taken.torn()) == (set(), 0, set())
    assert snapshot(server) == taken


def test_closing_the_logins_without_ending_sessions_would_lose_writes(server: Server) -> None:
    with Writers(lambda: server.login("app_a")) as writers:
        writers.wait_for(50)
        server.run("ALTER ROLE app_a NOLOGIN", "ALTER ROLE app_b NOLOGIN", role="cp_control")
        taken = snapshot(server)
        wait_until(lambda: bool(taken.lost(writers.acknowledged)), "a lost write")


def test_ending_sessions_without_closing_the_logins_would_lose_writes(server: Server) -> None:
    with Writers(lambda: server.login("app_a")) as writers:
        writers.wait_for(50)
        server.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app_a'",
            role="cp_control",
        )
        taken = snapshot(server)
        wait_until(lambda: bool(taken.lost(writers.acknowledged)), "a lost write")


def test_a_read_only_default_would_lose_writes_of_a_client_that_overrides_it(server: Server) -> None:
    with Writers(lambda: server.login("app_a"), options="-c default_transaction_read_only=off") as writers:
        writers.wait_for(50)
        server.run(f"ALTER DATABASE {server.database} SET default_transaction_read_only = on", role=MASTER)
        taken = snapshot(server)
        wait_until(lambda: bool(taken.lost(writers.acknowledged)), "a lost write")


def test_a_session_idle_in_transaction_is_ended_and_its_work_is_gone(
    server: Server, database: Postgres
) -> None:
    with server.connect("app_b", autocommit=False) as idle:
        idle.execute("INSERT INTO public.ledger (writer, number) VALUES (99, 1)")
        assert database.fence(server.control) == 1
        with pytest.raises(psycopg.OperationalError):
            idle.commit()
    assert snapshot(server).ledger == []


def test_a_login_that_somebody_else_made_is_closed_too(server: Server, database: Postgres) -> None:
    server.foreign_login("reporting")
    server.set_up()  # from 16 on the master hands us the right to close it
    server.run("GRANT app_owner TO reporting", role=MASTER)
    with Writers(lambda: server.login("reporting")) as writers:
        writers.wait_for(50)
        database.fence(server.control)
        taken = snapshot(server)
        writers.wait_for_refusals()
        assert taken.lost(writers.stop()) == set()
    database.unfence(server.control)
    assert database.probe(server.login("reporting")).reachable


def test_a_role_that_never_logged_in_is_not_opened_by_lifting_the_fence(
    server: Server, database: Postgres
) -> None:
    server.run("CREATE ROLE closed_long_ago NOLOGIN", role=MASTER)
    database.fence(server.control)
    database.unfence(server.control)
    assert server.value("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'closed_long_ago'") is False


def test_a_login_out_of_reach_closes_nothing_at_all(server: Server, database: Postgres) -> None:
    if server.major < REPLICATING_MAJOR:
        with server.rdsadmin() as admin:
            admin.execute("CREATE ROLE reporting LOGIN REPLICATION")
    else:
        server.foreign_login("reporting")  # and nobody granted us its administration
    with pytest.raises(Denied, match="reporting"):
        database.fence(server.control)
    assert database.probe(server.login("app_a")).reachable


def test_a_prepared_transaction_stops_a_fence_with_its_name(server: Server, database: Postgres) -> None:
    with server.connect("app_a", autocommit=False) as connection:
        connection.execute("INSERT INTO public.ledger (writer, number) VALUES (1, 1)")
        connection.execute("PREPARE TRANSACTION 'half-done'")
    with pytest.raises(Refused, match="half-done"):
        database.fence(server.control)


def test_sessions_of_the_master_are_ended(server: Server, database: Postgres) -> None:
    with server.connect(MASTER) as master:
        assert database.fence(server.control) == 1
        with pytest.raises(psycopg.OperationalError):
            master.execute("SELECT 1")


def test_a_copy_taken_under_the_fence_is_closed_until_it_is_lifted_there(
    either_servers: Servers, database: Postgres
) -> None:
    server = either_servers.make().set_up()
    database.fence(server.control)
    copy = either_servers.copy(server)
    assert not database.probe(copy.login("app_a")).reachable
    database.unfence(copy.control)
    assert database.probe(copy.login("app_a")).reachable
    assert not database.probe(server.login("app_a")).reachable


def test_asynchronous_commits_before_a_marker_survive_a_crash(
    either_servers: Servers, database: Postgres
) -> None:
    server = either_servers.make().set_up()
    server.run(*TABLES)
    with Writers(lambda: server.login("app_a"), options="-c synchronous_commit=off") as writers:
        writers.wait_for(300)
        database.fence(server.control)
        either_servers.migration().write_marker(server.control, "drained")
        server.cluster.stop("kill")
        acknowledged = writers.stop()
    address = server.address
    server.cluster.start(address.host, address.port)
    assert snapshot(server).lost(acknowledged) == set()
    assert either_servers.migration().has_marker(server.control, "drained")


def test_passwords_reach_neither_the_servers_log_nor_an_error(server: Server, database: Postgres) -> None:
    database.set_password(server.control, "app_a", "open-sesame-once")
    with pytest.raises(Denied) as raised:
        database.set_password(server.login("app_b"), "app_a", "open-sesame-twice")
    log = server.log()
    assert "ALTER ROLE" in log
    assert not [word for word in ("open-sesame", *server.passwords.values()) if word in log]
    assert "sesame" not in repr(raised.value.problem())
