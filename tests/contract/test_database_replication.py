"""Logical replication between two real servers under writers: forward, flip, and back again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.adapters.postgres import MigrationSql, Postgres
from controlplane.domain.errors import Conflict, Denied, Invalid, Unavailable
from controlplane.domain.migration.evidence import Replication
from controlplane.ports import Login
from controlplane.sandbox.clusters import Clusters
from tests.fakes.rds import (
    REPLICATING_MAJOR,
    Server,
    Servers,
    any_clusters,
    cluster_folder,
    replicating_clusters,
    wait_until,
)
from tests.fakes.writers import TABLES, Rows, Writers, rows

__all__ = ["any_clusters", "cluster_folder", "replicating_clusters"]
pytestmark = pytest.mark.postgres
FORWARD, REVERSE = "controlplane_e2_forward", "controlplane_e2_reverse"


class Pair:
    """A source with tables and an empty, closed target with the same schema."""

    def __init__(self, source: Server, target: Server, migration: MigrationSql, folder: Path) -> None:
        self.source, self.target = source.set_up(), target
        self.target.passwords = self.source.passwords
        self.target.set_up()
        self.database, self.migration = Postgres(), migration
        self.source.run(*TABLES)
        self.database.fence(self.target.control)
        file = str(folder / "schema.sql")
        self.migration.dump_schema(self.source.control, file)
        self.migration.load_schema(self.source.control, self.target.master, file)

    def seed(self) -> None:
        """Until every table follows; each call may be made twice."""
        for _ in range(2):
            self.migration.publish(self.source.control, FORWARD)
            self.migration.subscribe(self.source.control, self.target.control, FORWARD, copy_rows=True)
        wait_until(lambda: self.status().tables_ready == self.status().tables > 0, "tables to be ready")

    def status(self, name: str = FORWARD) -> Replication:
        ways = {FORWARD: (self.source, self.target), REVERSE: (self.target, self.source)}
        publisher, subscriber = ways[name]
        return self.migration.replication(publisher.control, subscriber.control, name)

    def arrives(self, server: Server, token: str) -> None:
        wait_until(lambda: self.migration.has_marker(server.control, token), f"{token} to arrive")

    def turn_round(self) -> None:
        """Forward away, reverse armed, while both sides are closed."""
        for _ in range(2):
            self.migration.unsubscribe(self.source.control, self.target.control, FORWARD)
        for _ in range(2):
            self.migration.publish(self.target.control, REVERSE)
            self.migration.subscribe(self.target.control, self.source.control, REVERSE, copy_rows=False)

    def holds(self, server: Server) -> Rows:
        with server.connect("cp_control") as connection:
            return rows(connection)


@pytest.fixture(scope="module")
def two(replicating_clusters: Clusters) -> Iterator[tuple[Server, Server]]:
    """Two servers for the tests of this module, each of which has a database on both."""
    if replicating_clusters.binaries.major < REPLICATING_MAJOR:
        pytest.skip("this machine's PostgreSQL lets only superusers subscribe")
    made = Servers(replicating_clusters)
    try:
        yield made.make(), made.make()
    finally:
        made.remove()


@pytest.fixture
def pair(two: tuple[Server, Server], tmp_path: Path) -> Iterator[Pair]:
    name = f"t_{uuid.uuid4().hex[:8]}"
    source, target = (server.in_database(name) for server in two)
    yield Pair(source, target, Servers(source.clusters).migration(), tmp_path)
    for server in (target, source, *two):
        server.cluster.start(server.address.host, server.address.port)
    for server in (target, source):
        server.drop_subscriptions()
    for server in (target, source):
        server.drop_database()
        server.forget_roles()


def test_a_tenant_moves_and_could_move_back_without_losing_a_write(pair: Pair) -> None:
    route = [pair.source]

    def here() -> Login:
        return route[0].login("app_a")

    with Writers(here) as writers:
        writers.wait_for(100)
        pair.seed()
        writers.wait_for(100)
        pair.database.fence(pair.source.control)
        before_flip = pair.holds(pair.source)
        pair.migration.write_marker(pair.source.control, "forward-sentinel")
        pair.arrives(pair.target, "forward-sentinel")
        assert pair.migration.copy_sequences(pair.source.control, pair.target.control) >= 2
        found = pair.migration.verify(pair.source.control, pair.target.control, "forward-sentinel")
        assert found.passed, [check for check in found.checks if not check.passed]
        pair.turn_round()
        route[0] = pair.target
        pair.database.unfence(pair.target.control)
        writers.wait_for(100)
        pair.database.fence(pair.target.control)
        pair.migration.write_marker(pair.target.control, "reverse-sentinel")
        pair.arrives(pair.source, "reverse-sentinel")
        acknowledged = writers.stop()

    assert before_flip.lost(acknowledged) != set()  # writes went on at the target
    assert (
        pair.migration.verify(pair.target.control, pair.source.control, "reverse-sentinel").checks[2].passed
    )
    for server in (pair.source, pair.target):
        held = pair.holds(server)
        assert (held.lost(acknowledged), held.doubled(), held.torn()) == (set(), 0, set())


def test_its_progress_can_be_followed_to_the_end(pair: Pair) -> None:
    pair.source.run("INSERT INTO public.ledger (writer, number) SELECT 1, n FROM generate_series(1, 500) n")
    assert not pair.status().exists
    pair.seed()
    wait_until(lambda: pair.status().caught_up, "no lag")
    found = pair.status()
    assert (found.exists, found.enabled, found.slot_active, found.errors) == (True, True, True, 0)
    assert (found.tables, found.tables_ready) == (3, 3)  # two of the tenant, one of ours
    assert found.retained_bytes is not None


def test_a_stalled_target_shows_as_lag_and_not_as_caught_up(pair: Pair) -> None:
    pair.seed()
    with pair.target.rdsadmin() as admin:
        admin.execute("BEGIN")
        admin.execute("LOCK TABLE public.ledger IN ACCESS EXCLUSIVE MODE")
        pair.source.run("INSERT INTO public.ledger (writer, number) VALUES (1, 1)")
        pair.migration.write_marker(pair.source.control, "sentinel")
        wait_until(lambda: (pair.status().lag_bytes or 0) > 0, "lag")
        assert not pair.status().caught_up
        assert not pair.migration.has_marker(pair.target.control, "sentinel")
        admin.execute("ROLLBACK")
    pair.arrives(pair.target, "sentinel")


def test_what_a_slot_keeps_is_known_without_its_subscriber(pair: Pair) -> None:
    """By this it is seen while a tenant soaks that nobody takes the log which fills the disk."""
    publisher = pair.source.control
    assert not pair.migration.slot(publisher, FORWARD).exists
    pair.seed()
    first = pair.migration.slot(publisher, FORWARD)
    assert (first.exists, first.is_lost) == (True, False)
    pair.migration.write_marker(publisher, "sentinel")
    pair.arrives(pair.target, "sentinel")

    def has_arrived() -> bool:
        now = pair.migration.slot(publisher, FORWARD)
        return now.active and (now.confirmed or 0) >= (first.written or 0) > 0

    wait_until(has_arrived, "what was written before the first look to be confirmed")
    pair.target.cluster.stop("kill")
    wait_until(lambda: not pair.migration.slot(publisher, FORWARD).active, "nobody to read")
    before = pair.migration.slot(publisher, FORWARD)
    many = "INSERT INTO public.ledger (writer, number) SELECT 1, n FROM generate_series(1, 20000) n"
    pair.source.run(many)
    after = pair.migration.slot(publisher, FORWARD)
    assert after.confirmed == before.confirmed
    grown = (after.written or 0) - (before.written or 0)
    assert grown > 1_000_000
    assert (after.lag_bytes or 0) >= grown
    assert (after.retained_bytes or 0) >= grown
    with pytest.raises(Unavailable):
        pair.status()


def test_a_slot_whose_log_was_thrown_away_is_lost_and_not_empty(pair: Pair) -> None:
    pair.migration.publish(pair.source.control, FORWARD)
    with pair.source.rdsadmin() as admin:
        admin.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
        admin.execute("SELECT pg_reload_conf()")
        try:
            for _ in range(3):
                admin.execute("SELECT pg_switch_wal() FROM pg_logical_emit_message(true, 'a', 'test')")
            admin.execute("CHECKPOINT")
            found = pair.migration.slot(pair.source.control, FORWARD)
        finally:
            admin.execute("ALTER SYSTEM RESET max_slot_wal_keep_size")
            admin.execute("SELECT pg_reload_conf()")
    assert (found.exists, found.is_lost, found.retained_bytes) == (True, True, None)
    pair.migration.unsubscribe(pair.source.control, None, FORWARD)
    assert not pair.migration.slot(pair.source.control, FORWARD).exists


def test_a_slot_is_dropped_although_its_reader_holds_on(pair: Pair) -> None:
    """The subscriber still reads and cannot be told to stop: its walsender would hold the slot for ever."""
    pair.seed()
    wait_until(lambda: pair.migration.slot(pair.source.control, FORWARD).active, "a reader")
    pair.migration.unsubscribe(pair.source.control, None, FORWARD)
    assert not pair.migration.slot(pair.source.control, FORWARD).exists


def test_without_copied_sequences_the_target_would_hand_out_used_numbers(pair: Pair) -> None:
    pair.seed()
    pair.source.run("INSERT INTO public.ledger (writer, number) VALUES (1, 1), (1, 2)")
    pair.migration.write_marker(pair.source.control, "sentinel")
    pair.arrives(pair.target, "sentinel")
    pair.database.fence(pair.source.control)

    def failed() -> list[str]:
        found = pair.migration.verify(pair.source.control, pair.target.control, "sentinel")
        return [check.id for check in found.checks if not check.passed]

    assert failed() == ["V3"]
    pair.migration.copy_sequences(pair.source.control, pair.target.control)
    assert failed() == []


def test_what_replication_does_not_bring_is_made_afterwards(pair: Pair) -> None:
    view = "CREATE MATERIALIZED VIEW public.{} AS SELECT count(*) AS n FROM public.{} {}"
    for server, rows_or_not in ((pair.source, "WITH DATA"), (pair.target, "WITH NO DATA")):
        with server.rdsadmin() as admin:
            admin.execute("SET ROLE app_owner")
            admin.execute(view.format("how_many", "ledger", rows_or_not).encode())
            admin.execute(view.format("how_many_more", "how_many", rows_or_not).encode())
    pair.seed()
    for _ in range(2):
        pair.migration.freshen(pair.target.control)
    assert pair.target.value("SELECT n FROM public.how_many_more") == 1
    analyzed = "SELECT last_analyze IS NOT NULL FROM pg_stat_user_tables WHERE relname = 'ledger'"
    wait_until(lambda: pair.target.value(analyzed), "statistics")


def test_ending_a_replication_leaves_nothing_that_would_fill_a_disk(pair: Pair) -> None:
    pair.seed()
    for _ in range(2):
        pair.migration.unsubscribe(pair.source.control, pair.target.control, FORWARD)
    assert pair.source.value("SELECT count(*) FROM pg_replication_slots") == 0
    assert pair.source.value("SELECT count(*) FROM pg_publication") == 0
    assert pair.target.value("SELECT count(*) FROM pg_subscription") == 0


def test_a_publisher_is_freed_although_its_subscriber_is_gone(pair: Pair) -> None:
    pair.seed()
    pair.target.cluster.stop("kill")
    with pytest.raises(Unavailable):
        pair.migration.unsubscribe(pair.source.control, pair.target.control, FORWARD)
    pair.migration.unsubscribe(pair.source.control, None, FORWARD)
    assert pair.source.value("SELECT count(*) FROM pg_replication_slots") == 0


def test_a_publication_takes_in_a_table_that_came_later(pair: Pair) -> None:
    pair.migration.publish(pair.source.control, FORWARD)
    pair.source.run("CREATE TABLE public.late (id int PRIMARY KEY)")
    pair.migration.publish(pair.source.control, FORWARD)
    query = "SELECT string_agg(tablename, ',' ORDER BY tablename) FROM pg_publication_tables"
    assert pair.source.value(query) == "late,ledger,marker,mirror"


def test_subscribing_before_publishing_says_what_is_missing(pair: Pair) -> None:
    with pytest.raises(Conflict, match="no slot"):
        pair.migration.subscribe(pair.source.control, pair.target.control, FORWARD, copy_rows=True)
    with pytest.raises(Invalid, match="Droptable"):
        pair.migration.publish(pair.source.control, "Droptable")


def test_a_server_that_lets_only_superusers_subscribe_is_found_before(any_clusters: Clusters) -> None:
    if any_clusters.binaries.major >= REPLICATING_MAJOR:
        pytest.skip("this machine's PostgreSQL lets other roles subscribe")
    servers = Servers(any_clusters)
    try:
        server, migration = servers.make().set_up(), servers.migration()
        found = {one.name for one in migration.obstacles(server.control, "logical_replication") if one.blocks}
        assert found == {"cp_control cannot replicate", "cp_control cannot subscribe"}
        with pytest.raises(Denied):
            migration.publish(server.control, FORWARD)
    finally:
        servers.remove()


@pytest.mark.parametrize("killed", ["source", "target"])
def test_a_killed_server_comes_back_and_nothing_is_lost_or_doubled(pair: Pair, killed: str) -> None:
    with Writers(lambda: pair.source.login("app_a"), count=2) as writers:
        pair.seed()
        writers.wait_for(50)
        server: Server = getattr(pair, killed)
        server.cluster.stop("kill")
        server.cluster.start(server.address.host, server.address.port)
        writers.wait_for(50)
        pair.database.fence(pair.source.control)
        pair.migration.write_marker(pair.source.control, "sentinel")
        pair.arrives(pair.target, "sentinel")
        acknowledged = writers.stop()
    held = pair.holds(pair.target)
    assert (held.lost(acknowledged), held.doubled(), held.torn()) == (set(), 0, set())


def test_the_migration_goes_on_after_its_steps_were_interrupted(pair: Pair) -> None:
    """What a kill between two statements leaves: a slot without a subscription, a disabled one."""
    pair.migration.publish(pair.source.control, FORWARD)
    pair.source.run("INSERT INTO public.ledger (writer, number) VALUES (1, 1)")
    pair.seed()
    pair.target.run(f"ALTER SUBSCRIPTION {FORWARD} DISABLE", role="cp_control")
    assert not pair.status().enabled
    pair.seed()
    pair.target.run(f"ALTER SUBSCRIPTION {FORWARD} DISABLE", role="cp_control")
    pair.target.run(f"ALTER SUBSCRIPTION {FORWARD} SET (slot_name = NONE)", role="cp_control")
    pair.migration.unsubscribe(pair.source.control, pair.target.control, FORWARD)
    assert not pair.status().exists
    assert pair.holds(pair.target).ledger == [(1, 1)]
