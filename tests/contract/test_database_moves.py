"""What `Migration` promises, asked of the fake and of two real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from controlplane.adapters.postgres import Postgres
from controlplane.domain.errors import Conflict
from controlplane.ports import Database, Login, Migration
from tests.fakes.database import FakeDatabase, FakeMigration
from tests.fakes.rds import (
    REPLICATING_MAJOR,
    Servers,
    cluster_folder,
    passwords,
    replicating_clusters,
    wait_until,
)

__all__ = ["cluster_folder", "replicating_clusters"]  # pytest finds fixtures by name
NAME = "controlplane_e2"
TABLE = "CREATE TABLE IF NOT EXISTS public.things (row text PRIMARY KEY, n bigserial)"


@dataclass
class Place:
    """Two databases with the same roles; the tenant's rows are in the source."""

    database: Database
    migration: Migration
    masters: tuple[Login, Login]
    passwords: dict[str, str]
    write: Callable[[Login, str], None]
    folder: Path

    def login(self, role: str, side: int = 0) -> Login:
        at = self.masters[side]
        return Login(at.host, at.port, at.database, role, self.passwords[role], at.tls)

    @property
    def source(self) -> Login:
        return self.login("cp_control")

    @property
    def target(self) -> Login:
        return self.login("cp_control", 1)

    def load(self) -> None:
        file = str(self.folder / "schema")
        self.migration.dump_schema(self.source, file)
        for _ in range(2):
            self.migration.load_schema(self.source, self.masters[1], file)

    def follow(self, *, copy_rows: bool = True) -> None:
        for _ in range(2):
            self.migration.publish(self.source, NAME)
            self.migration.subscribe(self.source, self.target, NAME, copy_rows=copy_rows)

    def arrives(self, token: str) -> None:
        self.migration.write_marker(self.source, token)
        wait_until(lambda: self.migration.has_marker(self.target, token), f"{token} to arrive")

    def failed(self, marker: str = "sentinel") -> list[str]:
        found = self.migration.verify(self.source, self.target, marker)
        assert found.passed == all(check.passed for check in found.checks)
        assert [check.id for check in found.checks] == ["V0", "V1", "V2", "V3", "V4", "V5", "V6"]
        return [check.id for check in found.checks if not check.passed]


def fake_place(folder: Path, path: Path | None) -> Place:
    fake = FakeDatabase(path)
    masters = [Login(f"{side}.fake", 5432, "tenant", "cpmaster", "secret", "prefer") for side in "ab"]
    for master in masters:
        fake.add_server(master)

    def write(login: Login, row: str) -> None:
        fake.write(login, "public.things", row)

    return Place(fake, FakeMigration(fake), (masters[0], masters[1]), passwords(), write, folder)


def real_place(servers: Servers, folder: Path) -> Place:
    source, target = servers.make(), servers.make()
    target.passwords = source.passwords

    def write(login: Login, row: str) -> None:
        server = source if login.port == source.address.port else target
        server.run(TABLE, f"INSERT INTO public.things VALUES ('{row}')", role=login.username)

    both = (source.master, target.master)
    return Place(Postgres(), servers.migration(), both, source.passwords, write, folder)


@pytest.fixture(params=["fake", "fake in a file", pytest.param("real", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param != "real":
        made = fake_place(tmp_path, tmp_path / "database.json" if "file" in request.param else None)
        yield started(made)
        return
    clusters = request.getfixturevalue("replicating_clusters")
    if clusters.binaries.major < REPLICATING_MAJOR:
        pytest.skip("this machine's PostgreSQL lets only superusers subscribe")
    servers = Servers(clusters)
    try:
        yield started(real_place(servers, tmp_path))
    finally:
        servers.remove()


def started(place: Place) -> Place:
    for master in place.masters:
        place.database.set_up_roles(master, place.passwords)
    place.write(place.login("app_a"), "first")
    return place


def test_a_tenant_moves_by_replication_and_verifies(place: Place) -> None:
    place.load()
    place.follow()
    wait_until(lambda: place.migration.replication(place.source, place.target, NAME).caught_up, "no lag")
    place.write(place.login("app_a"), "second")
    place.database.fence(place.source)
    assert place.migration.activity(place.source).quiet
    place.arrives("sentinel")
    assert place.failed() == ["V3"]
    place.migration.copy_sequences(place.source, place.target)
    place.migration.freshen(place.target)
    assert place.failed() == []
    for _ in range(2):
        place.migration.unsubscribe(place.source, place.target, NAME)
    assert not place.migration.replication(place.source, place.target, NAME).exists


def test_rows_and_sequences_that_did_not_arrive_are_named(place: Place) -> None:
    place.load()
    assert place.failed() == ["V1", "V2", "V3", "V4"]
    assert place.migration.copy_sequences(place.source, place.target) == 1
    assert place.migration.copy_sequences(place.source, place.target) == 0
    assert place.failed() == ["V1", "V2", "V4"]


def test_the_same_comparison_has_the_same_digest(place: Place) -> None:
    place.load()
    digests = {place.migration.verify(place.source, place.target, "sentinel").digest for _ in range(2)}
    assert len(digests) == 1


def test_a_marker_is_there_once_it_was_written_and_only_there(place: Place) -> None:
    assert not place.migration.has_marker(place.source, "drained")
    for _ in range(2):
        assert place.migration.write_marker(place.source, "drained")
    assert place.migration.has_marker(place.source, "drained")
    assert not place.migration.has_marker(place.target, "drained")


def test_the_fence_can_be_looked_at(place: Place) -> None:
    assert place.migration.fenced_logins(place.source) == []
    assert not place.migration.activity(place.source).quiet
    place.database.fence(place.source)
    assert list(place.migration.fenced_logins(place.source)) == ["app_a", "app_b"]
    place.database.unfence(place.source)
    assert place.migration.fenced_logins(place.source) == []


def test_a_subscription_needs_its_publication(place: Place) -> None:
    with pytest.raises(Conflict, match="no slot"):
        place.migration.subscribe(place.source, place.target, NAME, copy_rows=True)
    assert not place.migration.replication(place.source, place.target, NAME).exists


def test_an_ordinary_database_has_nothing_in_the_way(place: Place) -> None:
    found = place.migration.obstacles(place.source, "logical_replication")
    assert [one.name for one in found if one.blocks] == []
