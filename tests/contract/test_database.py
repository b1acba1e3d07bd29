"""What `Database` promises, asked of the fake and of PostgreSQL with RDS's permissions."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from controlplane.adapters.postgres import Postgres
from controlplane.domain.errors import Invalid, Missing, Unavailable
from controlplane.ports import Database, Login
from controlplane.sandbox.clusters import Clusters
from tests.fakes.database import FakeDatabase
from tests.fakes.rds import Server, Servers, any_clusters, cluster_folder, passwords, replicating_clusters

__all__ = ["any_clusters", "cluster_folder", "replicating_clusters"]  # pytest finds fixtures by name


@dataclass
class Place:
    database: Database
    master: Login
    passwords: dict[str, str]
    write: Callable[[Login, str], None]  # one row, as an application
    stop: Callable[[], None]

    def login(self, role: str) -> Login:
        return as_role(self.master, role, self.passwords[role])

    @property
    def control(self) -> Login:
        return self.login("cp_control")

    def set_up(self) -> Place:
        self.database.set_up_roles(self.master, self.passwords)
        return self

    def may_enter(self, role: str) -> bool:
        return self.database.probe(self.login(role)).reachable


def as_role(login: Login, role: str, password: str) -> Login:
    return Login(login.host, login.port, login.database, role, password, login.tls)


def fake_place(path: Path | None) -> Place:
    fake = FakeDatabase(path)
    master = Login("db.fake", 5432, "tenant", "cpmaster", "master-password", "prefer")
    fake.add_server(master)
    return Place(
        fake,
        master,
        passwords(),
        write=lambda login, row: fake.write(login, "public.things", row),
        stop=lambda: fake.change_server(master, up=False),
    )


def real_place(server: Server) -> Place:
    def write(login: Login, row: str) -> None:
        server.passwords[login.username] = login.password
        server.run(
            "CREATE TABLE IF NOT EXISTS public.things (row text PRIMARY KEY)",
            f"INSERT INTO public.things VALUES ('{row}')",
            role=login.username,
        )

    return Place(Postgres(), server.master, dict(server.passwords), write, server.cluster.stop)


@pytest.fixture(scope="module")
def any_server(any_clusters: Clusters) -> Iterator[Server]:
    yield from Servers(any_clusters).one()


@pytest.fixture(scope="module")
def replicating_server(replicating_clusters: Clusters) -> Iterator[Server]:
    yield from Servers(replicating_clusters).one()


REAL = [pytest.param(f"{kind}_server", marks=pytest.mark.postgres) for kind in ("any", "replicating")]


@pytest.fixture(params=["fake", "fake in a file", *REAL])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param.startswith("fake"):
        yield fake_place(tmp_path / "database.json" if "file" in request.param else None)
        return
    shared: Server = request.getfixturevalue(request.param)
    server = shared.in_database(f"t_{uuid.uuid4().hex[:8]}")
    yield real_place(server)
    server.drop_database()
    server.forget_roles()


def test_a_database_answers_its_master(place: Place) -> None:
    found = place.database.probe(place.master)
    assert (found.reachable, found.detail) == (True, "")
    assert found.server_version
    assert found.latency_ms > 0


def test_a_wrong_password_is_said_and_not_shown(place: Place) -> None:
    found = place.database.probe(as_role(place.master, "cpmaster", "sesame-sesame"))
    assert not found.reachable
    assert "password authentication failed" in found.detail
    assert "sesame" not in found.detail


def test_a_stopped_database_is_unreachable_and_no_error(place: Place) -> None:
    place.stop()
    found = place.database.probe(place.master)
    assert not found.reachable
    assert found.detail
    with pytest.raises(Unavailable):
        place.database.set_up_roles(place.master, place.passwords)


def test_roles_are_made_and_log_in(place: Place) -> None:
    place.set_up()
    assert all(place.may_enter(role) for role in place.passwords)


def test_setting_up_again_brings_roles_to_new_passwords(place: Place) -> None:
    place.set_up()
    old = place.login("app_a")
    place.passwords["app_a"] = "a-new-password"
    place.set_up()
    assert place.may_enter("app_a")
    assert not place.database.probe(old).reachable


def test_a_role_that_has_to_be_made_needs_a_password(place: Place) -> None:
    with pytest.raises(Invalid, match="app_b"):
        place.database.set_up_roles(place.master, {"cp_control": "one", "app_a": "two"})
    with pytest.raises(Invalid, match="postgres"):
        place.database.set_up_roles(place.master, {**place.passwords, "postgres": "three"})


def test_a_password_changes_for_one_role_only(place: Place) -> None:
    place.set_up()
    old = place.login("app_b")
    place.database.set_password(place.control, "app_b", "a-new-password")
    assert not place.database.probe(old).reachable
    place.passwords["app_b"] = "a-new-password"
    assert place.may_enter("app_b") and place.may_enter("app_a")


def test_the_password_of_nobody_cannot_change(place: Place) -> None:
    place.set_up()
    with pytest.raises(Missing, match="ghost"):
        place.database.set_password(place.control, "ghost", "boo-boo-boo")


def test_a_fence_keeps_applications_out_and_control_in(place: Place) -> None:
    place.set_up()
    place.database.fence(place.control)
    place.database.fence(place.control)
    assert not place.may_enter("app_a") and not place.may_enter("app_b")
    assert place.may_enter("cp_control")


def test_setting_up_roles_does_not_open_a_fence(place: Place) -> None:
    place.set_up()
    place.database.fence(place.control)
    place.set_up()
    assert not place.may_enter("app_a")


def test_lifting_the_fence_lets_applications_in_again(place: Place) -> None:
    place.set_up()
    place.database.fence(place.control)
    for _ in range(2):
        place.database.unfence(place.control)
        assert place.may_enter("app_a") and place.may_enter("app_b")


def test_lifting_a_fence_that_never_was_changes_nothing(place: Place) -> None:
    place.set_up()
    place.database.unfence(place.control)
    assert place.may_enter("app_a")


def test_a_fingerprint_follows_the_rows(place: Place) -> None:
    place.set_up()
    place.write(place.login("app_a"), "one")
    first = place.database.fingerprint(place.control)
    assert place.database.fingerprint(place.control) == first
    assert first["tables"]["public.things"]["count"] == 1
    place.write(place.login("app_b"), "two")
    second = place.database.fingerprint(place.control)
    assert second["digest"] != first["digest"]
    assert second["tables"]["public.things"]["count"] == 2


def test_what_was_set_up_survives_in_the_file(tmp_path: Path) -> None:
    place = fake_place(tmp_path / "database.json").set_up()
    successor = FakeDatabase(tmp_path / "database.json")
    assert successor.probe(place.login("app_a")).reachable


def test_a_trusting_fake_takes_the_first_login_for_the_master() -> None:
    fake = FakeDatabase(trusting=True)
    first = Login("new.fake", 5432, "tenant", "cpmaster", "master-password")
    assert fake.probe(first).reachable
    assert not fake.probe(as_role(first, "cpmaster", "another")).reachable
