"""The SQL of a migration on real servers, with writers running."""

from __future__ import annotations

import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from controlplane.adapters.postgres import MigrationSql, Postgres
from controlplane.domain.errors import Broken, Conflict, Invalid, Unavailable
from controlplane.sandbox.clusters import Clusters
from tests.fakes.rds import (
    MASTER,
    Server,
    Servers,
    any_clusters,
    cluster_folder,
    either_servers,
    replicating_clusters,
    servers,
)
from tests.fakes.writers import TABLES, Writers, rows

__all__ = ["any_clusters", "cluster_folder", "either_servers", "replicating_clusters", "servers"]
pytestmark = pytest.mark.postgres

SMOKE_SECONDS = 10
RICH = (
    "CREATE TYPE public.mood AS ENUM ('glad', 'sad')",
    "CREATE TABLE public.shop (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE,"
    " feels public.mood,"
    " price numeric(8, 2) CHECK (price >= 0), total numeric GENERATED ALWAYS AS (price * 2) STORED)",
    'CREATE TABLE public."Odd Name" (at timestamptz PRIMARY KEY, shop int REFERENCES public.shop)',
    "CREATE TABLE public.parts (day date NOT NULL, n int, PRIMARY KEY (day, n)) PARTITION BY RANGE (day)",
    "CREATE TABLE public.parts_2026 PARTITION OF public.parts"
    " FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    "CREATE INDEX shop_price ON public.shop (price) WHERE price > 10",
    "CREATE VIEW public.dear AS SELECT name FROM public.shop WHERE price > 100",
    "CREATE SEQUENCE public.backwards INCREMENT -1",
    "CREATE FUNCTION public.twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n * 2'",
    "INSERT INTO public.shop (name, feels, price) VALUES ('one', 'glad', 12.5), ('two', 'sad', 200)",
    "INSERT INTO public.\"Odd Name\" VALUES ('2026-02-03 04:05:06+00', 1)",
    "INSERT INTO public.parts VALUES ('2026-03-04', 1)",
    "SELECT nextval('public.backwards'), nextval('public.backwards')",
)


@pytest.fixture(scope="module")
def shared(replicating_clusters: Clusters) -> Iterator[Server]:
    """One server for the tests that need only databases of their own."""
    made = Servers(replicating_clusters)
    yield made.make()
    made.remove()


@pytest.fixture
def migration(replicating_clusters: Clusters) -> MigrationSql:
    return Servers(replicating_clusters).migration()


@pytest.fixture
def source(shared: Server) -> Iterator[Server]:
    made = shared.in_database(f"t_{uuid.uuid4().hex[:8]}").set_up()
    made.run(*RICH)
    yield made
    Postgres().unfence(made.control)
    made.drop_database()


@pytest.fixture
def empty(shared: Server) -> Iterator[Server]:
    made = shared.in_database(f"t_{uuid.uuid4().hex[:8]}").set_up()
    yield made
    made.drop_database()


@pytest.fixture
def target(source: Server, migration: MigrationSql) -> Iterator[Server]:
    """A twin of the source, taken under the fence, with its marker."""
    Postgres().fence(source.control)
    migration.write_marker(source.control, "drained")
    made = source.in_database(f"t_{uuid.uuid4().hex[:8]}", template=source.database)
    yield made
    made.drop_database()


def failed(migration: MigrationSql, source: Server, target: Server) -> list[str]:
    found = migration.verify(source.control, target.control, "drained")
    return [check.id for check in found.checks if not check.passed]


def test_a_restored_snapshot_holds_every_acknowledged_write_and_verifies(either_servers: Servers) -> None:
    source, migration = either_servers.make().set_up(), either_servers.migration()
    source.run(*TABLES)
    with Writers(lambda: source.login("app_a")) as writers:
        writers.wait_for(200)
        Postgres().fence(source.control)
        migration.write_marker(source.control, "drained")
        target = either_servers.copy(source)
        writers.wait_for_refusals()
        acknowledged = writers.stop()
    assert migration.activity(source.control).quiet
    found = migration.verify(source.control, target.control, "drained")
    assert found.passed, found.checks
    assert [check.id for check in found.checks] == ["V0", "V1", "V2", "V3", "V4", "V5", "V6"]
    with target.connect("cp_control") as connection:
        there = rows(connection)
    assert (there.lost(acknowledged), there.doubled(), there.torn()) == (set(), 0, set())


def test_a_restored_copy_is_whole_by_itself(migration: MigrationSql, source: Server, target: Server) -> None:
    wanted = migration.shape(source.control)
    seen = migration.examine(target.control, wanted)
    assert seen.passed, seen.checks
    assert [check.id for check in seen.checks] == ["V0", "V1", "V3", "V5", "V5", "V6"]
    assert "4 rows in" in seen.checks[1].detail
    assert seen.checks[2].detail == "1 lead their columns"


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("DROP VIEW public.dear", "V0"),
        ("DROP INDEX public.shop_price", "V5"),
        ("SELECT setval(pg_get_serial_sequence('public.shop', 'id'), 1)", "V3"),
        ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.shop_price'::regclass", "V5"),
        ("REVOKE CREATE ON SCHEMA public FROM app_owner", "V6"),
    ],
)
def test_a_copy_that_is_not_whole_is_seen(
    migration: MigrationSql, source: Server, target: Server, statement: str, broken: str
) -> None:
    wanted = migration.shape(source.control)
    with target.rdsadmin() as admin:
        admin.execute(statement.encode())
    seen = migration.examine(target.control, wanted)
    assert broken in [check.id for check in seen.checks if not check.passed]


def test_verifying_twice_gives_the_same_digest(
    migration: MigrationSql, source: Server, target: Server
) -> None:
    digests = [migration.verify(source.control, target.control, "drained").digest for _ in range(2)]
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("change", "caught"),
    [
        ("INSERT INTO public.shop (name) VALUES ('three')", ["V1", "V2", "V3"]),
        ("UPDATE public.shop SET price = 12.6 WHERE id = 1", ["V2"]),
        ("DELETE FROM public.parts", ["V1", "V2"]),
        ("ALTER TABLE public.shop ADD COLUMN extra int", ["V0", "V2"]),
        ("DROP INDEX public.shop_price", ["V5"]),
        ("ALTER TABLE public.shop DROP CONSTRAINT shop_price_check", ["V5"]),
        ("CREATE OR REPLACE VIEW public.dear AS SELECT name FROM public.shop WHERE price > 99", ["V5"]),
        ("SELECT setval('public.backwards', -1)", ["V3"]),
        ("DELETE FROM controlplane.marker", ["V4"]),
        ("ALTER ROLE app_a IN DATABASE {target} SET work_mem = '9MB'", ["V5"]),
        ("REVOKE CREATE ON SCHEMA public FROM app_owner", ["V6"]),
    ],
)
def test_a_difference_fails_the_check_that_is_there_for_it(
    migration: MigrationSql, source: Server, target: Server, change: str, caught: list[str]
) -> None:
    """The insert's sequence is past the source on the target: that alone is allowed, hence the swap."""
    left, right = (target, source) if change.startswith("INSERT") else (source, target)
    with target.rdsadmin() as admin:
        admin.execute(change.format(target=target.database).encode())
    assert failed(migration, left, right) == caught


def test_a_target_whose_sequence_is_past_the_source_passes(
    migration: MigrationSql, source: Server, target: Server
) -> None:
    with target.rdsadmin() as admin:
        admin.execute("SELECT setval('public.shop_id_seq', 900), setval('public.backwards', -900)")
    assert failed(migration, source, target) == []


def test_without_a_marker_nothing_shows_that_the_copy_is_recent(
    migration: MigrationSql, source: Server, target: Server
) -> None:
    found = migration.verify(source.control, target.control)
    assert [check.id for check in found.checks if not check.passed] == ["V4"]


def test_rows_behind_row_security_are_not_silently_left_out(migration: MigrationSql, source: Server) -> None:
    source.run(
        "ALTER TABLE public.shop ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE public.shop FORCE ROW LEVEL SECURITY",
        "CREATE POLICY few ON public.shop USING (id = 1)",
    )
    with pytest.raises(Exception, match="row-level security"):
        Postgres().fingerprint(source.control)


def test_the_schema_travels_by_file_and_arrives_equal(
    migration: MigrationSql, source: Server, empty: Server, tmp_path: Path
) -> None:
    file = tmp_path / "schema.sql"
    migration.dump_schema(source.control, str(file))
    for _ in range(2):
        migration.load_schema(source.control, empty.master, str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert empty.value("SELECT count(*) FROM public.shop") == 0
    assert empty.value("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'shop'") == "app_owner"


def test_a_schema_that_does_not_load_leaves_nothing_behind(
    migration: MigrationSql, source: Server, empty: Server, tmp_path: Path
) -> None:
    file = tmp_path / "schema.sql"
    migration.dump_schema(source.control, str(file))
    file.write_text(file.read_text() + "\nSELECT 1 / 0;\n")
    with pytest.raises(Broken, match="division by zero"):
        migration.load_schema(source.control, empty.master, str(file))
    assert empty.value("SELECT to_regclass('public.shop')") is None


def test_a_target_that_holds_something_else_is_not_loaded_over(
    migration: MigrationSql, source: Server, empty: Server, tmp_path: Path
) -> None:
    empty.run("CREATE TABLE public.shop (id int)")
    migration.dump_schema(source.control, str(tmp_path / "schema.sql"))
    with pytest.raises(Conflict, match="another schema"):
        migration.load_schema(source.control, empty.master, str(tmp_path / "schema.sql"))


def test_a_dump_that_fails_leaves_no_file(migration: MigrationSql, servers: Servers, tmp_path: Path) -> None:
    source = servers.make().set_up()
    source.cluster.stop()
    with pytest.raises(Broken, match="pg_dump"):
        migration.dump_schema(source.control, str(tmp_path / "schema.sql"))
    assert not (tmp_path / "schema.sql").exists()


def test_without_pg_dump_it_says_what_to_install(source: Server, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="pg_dump") as raised:
        MigrationSql(programs=tmp_path).dump_schema(source.control, str(tmp_path / "schema.sql"))
    assert "install" in raised.value.hint


def test_sequences_are_brought_to_the_source_and_never_back(
    migration: MigrationSql, source: Server, target: Server
) -> None:
    with source.rdsadmin() as admin:
        admin.execute("SELECT setval('public.shop_id_seq', 70), setval('public.backwards', -70)")
    assert migration.copy_sequences(source.control, target.control) == 2
    assert migration.copy_sequences(source.control, target.control) == 0
    assert target.value("SELECT nextval('public.shop_id_seq')") == 71
    assert target.value("SELECT nextval('public.backwards')") == -71
    assert migration.copy_sequences(source.control, target.control) == 0


def test_activity_tells_who_is_there_and_what_is_open(migration: MigrationSql, source: Server) -> None:
    with source.connect("app_a", autocommit=False) as busy:
        busy.execute("SELECT 1")
        found = migration.activity(source.control)
        assert (found.sessions, found.open_logins, found.quiet) == (1, ("app_a", "app_b"), False)
        assert found.longest_transaction_seconds > 0
    Postgres().fence(source.control)
    found = migration.activity(source.control)
    assert (found.sessions, found.open_logins, found.quiet) == (0, (), True)
    assert migration.fenced_logins(source.control) == ["app_a", "app_b"]


def names(migration: MigrationSql, server: Server, strategy: str = "snapshot_restore") -> list[str]:
    return [one.name for one in migration.obstacles(server.control, strategy) if one.blocks]


def test_an_ordinary_database_has_no_obstacle(migration: MigrationSql, source: Server) -> None:
    for strategy in ("in_place", "snapshot_restore", "logical_replication", "rds_blue_green"):
        assert names(migration, source, strategy) == []
    with pytest.raises(Invalid, match="teleport"):
        migration.obstacles(source.control, "teleport")


@pytest.mark.parametrize(
    ("statement", "strategy", "name"),
    [
        ("CREATE UNLOGGED TABLE public.fast (id int PRIMARY KEY)", "snapshot_restore", "unlogged tables"),
        ("CREATE TABLE public.bare (id int)", "logical_replication", "tables without a replica identity"),
        ("SELECT lo_create(0)", "logical_replication", "large objects"),
    ],
)
def test_what_does_not_travel_is_found(
    migration: MigrationSql, source: Server, statement: str, strategy: str, name: str
) -> None:
    source.run(statement)
    assert names(migration, source, strategy) == [name]


def test_what_follows_physically_leaves_nothing_out_but_unlogged_tables(
    migration: MigrationSql, source: Server
) -> None:
    source.run("CREATE TABLE public.bare (id int)", "SELECT lo_create(0)")
    assert names(migration, source, "rds_blue_green") == []
    source.run("CREATE UNLOGGED TABLE public.fast (id int)")
    assert names(migration, source, "rds_blue_green") == ["unlogged tables"]


def test_a_prepared_transaction_is_found_by_its_name(migration: MigrationSql, source: Server) -> None:
    with source.connect("app_a", autocommit=False) as connection:
        connection.execute("INSERT INTO public.shop (name) VALUES ('late')")
        connection.execute("PREPARE TRANSACTION 'half-done'")
    found = migration.obstacles(source.control, "snapshot_restore")
    assert [(one.name, one.detail) for one in found if one.blocks] == [("prepared transactions", "half-done")]


def test_logins_that_a_fence_would_miss_are_found(migration: MigrationSql, servers: Servers) -> None:
    source = servers.make().set_up()
    source.foreign_login("reporting")
    with source.rdsadmin() as admin:
        admin.execute("CREATE ROLE rds_in_disguise LOGIN")
    found = names(migration, source)
    assert found == ["logins that the fence cannot close", "logins named like RDS's own"]
    source.set_up()
    assert names(migration, source) == ["logins named like RDS's own"]


def test_a_table_of_somebody_else_cannot_be_published(migration: MigrationSql, source: Server) -> None:
    source.run("CREATE TABLE public.theirs (id int PRIMARY KEY)", role=MASTER)
    assert names(migration, source, "logical_replication") == ["tables that cp_control may not publish"]


def test_a_damaged_connection_names_what_was_done_and_no_secret(servers: Servers) -> None:
    source = servers.make().set_up()
    source.cluster.stop()
    with pytest.raises(Unavailable, match="taking the database's fingerprint") as raised:
        Postgres().fingerprint(source.control)
    assert source.passwords["cp_control"] not in str(raised.value.problem())
    assert isinstance(raised.value.__cause__, psycopg.OperationalError)


# --- somebody's checks --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        ("SELECT count(*) = 2 FROM shop", ""),
        ("SELECT 1; SET LOCAL work_mem = '8MB'", ""),
        ("SELECT false; SELECT name FROM shop ORDER BY id", ""),
        ("SELECT count(*) = 3 FROM shop", "its last answer is False"),
        ("SELECT max(price) FROM shop WHERE false", "its last answer is None"),
        ("SELECT name FROM shop WHERE price > 1000", "its last answer has no row"),
        ("SELECT 1; SELECT lost FROM shop", 'column "lost" does not exist'),
        ("DELETE FROM shop", "cannot execute DELETE in a read-only transaction"),
        ("COMMIT; DELETE FROM shop", "cannot execute DELETE in a read-only transaction"),
        ("SELECT rolpassword FROM pg_authid", "permission denied for table pg_authid"),
        ("SELECT token FROM controlplane.marker", "permission denied for schema controlplane"),
    ],
)
def test_a_check_reads_with_the_applications_rights_and_says_why_it_fails(
    source: Server, migration: MigrationSql, statements: str, problem: str
) -> None:
    migration.write_marker(source.control, "a marker")
    assert migration.try_sql(source.control, statements, SMOKE_SECONDS) == problem
    assert source.value("SELECT count(*) FROM shop") == 2


def test_a_check_is_made_while_the_application_is_closed_out(source: Server, migration: MigrationSql) -> None:
    Postgres().fence(source.control)
    assert migration.try_sql(source.control, "SELECT current_user = 'app_owner'", SMOKE_SECONDS) == ""


def test_a_check_that_takes_too_long_fails(source: Server, migration: MigrationSql) -> None:
    assert "statement timeout" in migration.try_sql(source.control, "SELECT pg_sleep(600)", 1)
