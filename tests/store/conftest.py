"""Every test that takes `db` runs on SQLite and on a real PostgreSQL, in a catalog of its own."""

from __future__ import annotations

import itertools
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event

from controlplane.sandbox.postgres import Cluster, discover
from controlplane.store.database import Database, connect, open_database
from controlplane.store.migrate import migrate

_numbers = itertools.count(1)


class Server:
    """One PostgreSQL server, a database for every test that wants one."""

    def __init__(self, base: str) -> None:
        self._base = base

    def create(self, template: str = "template0", name: str | None = None) -> str:
        name = name or f"catalog_{next(_numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return f"{self._base}/{name}"

    def drop(self, url: str) -> None:
        self._run(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with psycopg.connect(f"{self._base}/postgres", autocommit=True) as admin:
            admin.execute(statement)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    cluster = Cluster(tmp_path_factory.mktemp("postgres") / "cluster", discover())
    password = secrets.token_hex(8)
    cluster.init("catalog", password)
    try:
        address = cluster.start()
        yield Server(f"postgresql://catalog:{password}@{address.host}:{address.port}")
    finally:
        cluster.remove()


@pytest.fixture
def postgres(server: Server) -> Iterator[Callable[..., str]]:
    """Makes databases that live as long as the test: `postgres()` is the URL of an empty one."""
    made = []

    def create(template: str = "template0") -> str:
        made.append(server.create(template))
        return made[-1]

    yield create
    for url in made:
        server.drop(url)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "tenants.db"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_template(server: Server) -> str:
    _migrate(server.create(name="migrated"))
    return "migrated"


def _migrate(url: str) -> None:
    db = connect(url)
    migrate(db)
    db.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def backend(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def empty_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where no catalog is yet."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path}/tenants.db"
    return request.getfixturevalue("postgres")()


@pytest.fixture
def new_catalog(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes migrated catalogs quickly, by copying one."""

    def create() -> str:
        if backend == "sqlite":
            file = tmp_path / f"tenants{next(_numbers)}.db"
            shutil.copy(request.getfixturevalue("migrated_file"), file)
            return f"sqlite:///{file}"
        template = request.getfixturevalue("migrated_template")
        return request.getfixturevalue("postgres")(template)

    return create


@pytest.fixture
def url(new_catalog: Callable[[], str]) -> str:
    return new_catalog()


@pytest.fixture
def db(url: str) -> Iterator[Database]:
    opened = open_database(url)
    if opened.file:
        opened.close()  # connections to come do not wait for the disk: no test pulls the plug
        event.listen(opened.engine, "connect", _without_fsync)
    yield opened
    opened.close()


def _without_fsync(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture
def sqlite_db(migrated_file: Path, tmp_path: Path) -> Iterator[Database]:
    """For what only a file can suffer."""
    file = tmp_path / "tenants.db"
    shutil.copy(migrated_file, file)
    opened = open_database(f"sqlite:///{file}")
    yield opened
    opened.close()
