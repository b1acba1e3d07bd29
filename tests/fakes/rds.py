"""Real PostgreSQL servers as RDS hands them out: the master is no superuser, only `rdsadmin` is."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from controlplane.adapters.postgres import Connector, MigrationSql, Postgres
from controlplane.ports import Login
from controlplane.sandbox.clusters import Clusters, Master
from controlplane.sandbox.postgres import Address, Cluster, discover

MASTER = "cpmaster"
SETTINGS = {
    "wal_level": "logical",
    "max_prepared_transactions": "5",
    "max_replication_slots": "10",
    "max_wal_senders": "10",
    "archive_mode": "off",
    "log_statement": "'all'",  # so that a test can see what the server's log was told
}
# Before 16 only a superuser subscribes; RDS patches that, the plain server does not.
REPLICATING_MAJOR = 16


_HERE = "SELECT oid FROM pg_database WHERE datname = current_database()"
_SUBSCRIPTIONS = f"SELECT subname FROM pg_subscription WHERE subdbid = ({_HERE})"
_PREPARED = "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"
_SLOTS = "SELECT slot_name FROM pg_replication_slots WHERE database = %s"
_ROLES = "SELECT rolname FROM pg_roles WHERE rolname !~ '^(pg_|rds)' AND rolname <> %s"


def passwords() -> dict[str, str]:
    return {role: secrets.token_urlsafe(18) for role in ("cp_control", "app_a", "app_b")}


@dataclass
class Server:
    """One instance: `control` and the application's logins exist once `set_up` ran."""

    clusters: Clusters
    name: str
    database: str = "tenant"
    master_password: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    passwords: dict[str, str] = field(default_factory=passwords)  # of our own roles
    foreign: dict[str, str] = field(default_factory=dict)  # of logins that somebody else made
    address: Address = field(default_factory=lambda: Address("", 0))

    @property
    def cluster(self) -> Cluster:
        return self.clusters.instance(self.name, SETTINGS)

    @property
    def major(self) -> int:
        return self.clusters.binaries.major

    def start(self) -> Server:
        master = Master(MASTER, self.master_password, self.database)
        self.address = self.clusters.create(self.name, SETTINGS, master, 0)
        self.clusters.allow_replication(self.address)
        return self

    def set_up(self) -> Server:
        Postgres(Connector()).set_up_roles(self.master, self.passwords)
        return self

    def login(self, role: str, password: str | None = None) -> Login:
        known = {MASTER: self.master_password, **self.passwords, **self.foreign}
        secret = known[role] if password is None else password
        return Login(self.address.host, self.address.port, self.database, role, secret, "prefer")

    @property
    def master(self) -> Login:
        return self.login(MASTER)

    @property
    def control(self) -> Login:
        return self.login("cp_control")

    @contextlib.contextmanager
    def connect(self, role: str = "app_a", **options: Any) -> Iterator[psycopg.Connection[Any]]:
        """As an application would."""
        with connect(self.login(role), **options) as connection:
            yield connection

    @contextlib.contextmanager
    def rdsadmin(self, database: str = "") -> Iterator[psycopg.Connection[Any]]:
        with self.clusters.session(self.address, database or self.database) as connection:
            yield connection

    def run(self, *statements: str, role: str = "app_a") -> None:
        with self.connect(role) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def value(self, query: str, role: str = "") -> Any:
        with self.connect(role) if role else self.rdsadmin() as connection:
            row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None

    def foreign_login(self, name: str, password: str = "a-foreign-password") -> str:
        """A role that somebody made by hand as the master."""
        self.foreign[name] = password
        with self.connect(MASTER) as connection:
            statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
            connection.execute(statement.format(sql.Identifier(name), sql.Literal(password)))
        return name

    def copy(self, name: str) -> Server:
        """What a snapshot and its restore give: the same bytes on another server."""
        self.clusters.back_up(self.name, name)
        address = self.clusters.restore(name, SETTINGS, name, 0)
        return replace(self, name=name, address=address)

    def in_database(self, name: str, template: str = "") -> Server:
        """The same server, seen through another database: a new one, or a twin of `template`."""
        with self.rdsadmin("postgres") as admin:
            statement = "CREATE DATABASE {} OWNER {}" + (" TEMPLATE {}" if template else "")
            parts = [sql.Identifier(one) for one in (name, MASTER, template) if one]
            admin.execute(sql.SQL(statement).format(*parts))
        return replace(self, database=name, passwords=dict(self.passwords), foreign={})

    def drop_database(self) -> None:
        """With what a test left open in it."""
        self.cluster.start(self.address.host, self.address.port)
        self.drop_subscriptions()
        with self.rdsadmin() as admin:
            for (gid,) in admin.execute(_PREPARED).fetchall():
                admin.execute(sql.SQL("ROLLBACK PREPARED {}").format(sql.Literal(gid)))
        with self.rdsadmin("postgres") as admin:
            for (slot,) in admin.execute(_SLOTS, [self.database]).fetchall():
                wait_until(lambda slot=slot: _drop_slot(admin, slot), f"the slot {slot} to be free")
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(self.database)))

    def drop_subscriptions(self) -> None:
        with self.rdsadmin() as admin:
            for (name,) in admin.execute(_SUBSCRIPTIONS).fetchall():
                for rest in ("DISABLE", "SET (slot_name = NONE)"):
                    statement = sql.SQL("ALTER SUBSCRIPTION {} " + rest)
                    admin.execute(statement.format(sql.Identifier(name)))
                admin.execute(sql.SQL("DROP SUBSCRIPTION {}").format(sql.Identifier(name)))

    def forget_roles(self) -> None:
        """All but the master's: the next test makes its own. Databases that use them go first."""
        with self.rdsadmin("postgres") as admin:
            names = [sql.Identifier(name) for (name,) in admin.execute(_ROLES, [MASTER]).fetchall()]
            if names:
                every = sql.SQL(", ").join(names)
                admin.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(every))
                admin.execute(sql.SQL("DROP ROLE {}").format(every))

    def log(self) -> str:
        return self.cluster.log.read_text(errors="replace")


def _drop_slot(admin: psycopg.Connection[Any], name: str) -> bool:
    try:
        admin.execute("SELECT pg_drop_replication_slot(%s)", [name])
    except psycopg.errors.ObjectInUse:
        return False
    return True


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.02)


def connect(login: Login, **options: Any) -> psycopg.Connection[Any]:
    facts: Mapping[str, Any] = {
        "host": login.host,
        "port": login.port,
        "dbname": login.database,
        "user": login.username,
        "password": login.password,
        "connect_timeout": 10,
        "autocommit": True,
        **options,
    }
    return psycopg.connect(**facts)


@dataclass
class Servers:
    """Makes servers of one PostgreSQL version and removes them all at the end."""

    clusters: Clusters
    made: list[Server] = field(default_factory=list)

    def make(self, database: str = "tenant") -> Server:
        server = Server(self.clusters, f"i-{uuid.uuid4().hex[:10]}", database).start()
        self.made.append(server)
        return server

    def one(self) -> Iterator[Server]:
        """For the tests of a module, each with a database of its own."""
        try:
            yield self.make()
        finally:
            self.remove()

    def copy(self, server: Server) -> Server:
        made = server.copy(f"c-{uuid.uuid4().hex[:10]}")
        self.made.append(made)
        return made

    def remove(self) -> None:
        for server in self.made:
            self.clusters.remove(server.name, keep_history=False)
        self.made.clear()

    def migration(self) -> MigrationSql:
        return MigrationSql(Connector(), self.clusters.binaries.folder)


@pytest.fixture(scope="session")
def cluster_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rds")


def _for_a_while(folder: Path, major: int) -> Iterator[Clusters]:
    made = Clusters(folder / str(major), discover(prefer=major), loopback="")
    (folder / str(major)).mkdir(exist_ok=True)
    made.prepare()
    yield made
    shutil.rmtree(made.base, ignore_errors=True)


@pytest.fixture(scope="session")
def any_clusters(cluster_folder: Path) -> Iterator[Clusters]:
    """Of the version that the machine has; the roles' rules changed in 16."""
    yield from _for_a_while(cluster_folder, 0)


@pytest.fixture(scope="session")
def replicating_clusters(cluster_folder: Path) -> Iterator[Clusters]:
    yield from _for_a_while(cluster_folder, REPLICATING_MAJOR)


@pytest.fixture
def servers(replicating_clusters: Clusters) -> Iterator[Servers]:
    made = Servers(replicating_clusters)
    yield made
    made.remove()


@pytest.fixture(params=["any_clusters", "replicating_clusters"])
def either_servers(request: pytest.FixtureRequest) -> Iterator[Servers]:
    """On both sides of PostgreSQL 16, where the machine has both."""
    made = Servers(request.getfixturevalue(request.param))
    yield made
    made.remove()
