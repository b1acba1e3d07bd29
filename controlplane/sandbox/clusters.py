"""The PostgreSQL clusters behind the emulated instances, by resource id, and the copies of them.

Below the base folder: `template-<version>` (stopped, copied for every new instance), `instances/<id>`,
`snapshots/<id>`, and `history/<id>`: the base and the archived WAL that point-in-time restore replays.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from controlplane.domain.errors import Unavailable
from controlplane.sandbox.binaries import Identity, PostgresBinaries, identity, open_folder
from controlplane.sandbox.postgres import BELONGS_TO, Address, Cluster, free_port, sweep

ADMIN = "rdsadmin"
PORT = 5432
# What RDS prepares before the customer's master exists. Only rdsadmin is a superuser.
_PREPARE = (
    "CREATE ROLE rds_password NOLOGIN",
    "CREATE ROLE rds_replication NOLOGIN",
    "CREATE ROLE rds_iam NOLOGIN",
    "CREATE ROLE rds_superuser NOLOGIN",
    "GRANT pg_monitor, pg_signal_backend, rds_password, rds_replication TO rds_superuser WITH ADMIN OPTION",
    "CREATE DATABASE rdsadmin",
    "REVOKE CONNECT ON DATABASE rdsadmin FROM PUBLIC",
)
_PREPARE_SINCE = {
    15: (
        "GRANT pg_checkpoint TO rds_superuser WITH ADMIN OPTION",
        "GRANT SET ON PARAMETER session_replication_role TO rds_superuser",
    ),
    16: ("GRANT pg_create_subscription, pg_use_reserved_connections TO rds_superuser WITH ADMIN OPTION",),
}


@dataclass(frozen=True)
class Master:
    """The customer's highest role: no superuser."""

    username: str
    password: str | None
    database: str | None = None


class Clusters:
    def __init__(self, folder: Path, binaries: PostgresBinaries, loopback: str = "127.0") -> None:
        self.folder = folder.resolve()
        self.binaries = binaries
        self.loopback = loopback
        self.runner = identity()
        self.base = base_folder(folder, self.runner)
        self._password_file = folder / ADMIN

    # --- preparing ----------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Make the template that new instances are copied from; once per PostgreSQL version."""
        sweep()
        for name in ("instances", "snapshots", "history"):
            (self.base / name).mkdir(parents=True, exist_ok=True)
        for place in (self.base, *self.base.iterdir()):
            if place.stat().st_uid == os.geteuid():
                place.chmod(0o711)
        (self.base / BELONGS_TO).write_text(str(self.folder))
        template = self.template
        if (template.home / "ready").exists():
            return
        template.remove()
        template.init(ADMIN, self.password)
        address = template.start()
        try:
            self._prepare_roles(address)
        finally:
            template.stop()
        (template.home / "ready").touch()

    def _prepare_roles(self, address: Address) -> None:
        with self.session(address) as admin:
            for statement in _PREPARE:
                admin.execute(statement)
            for since, statements in _PREPARE_SINCE.items():
                for statement in statements if self.binaries.major >= since else ():
                    admin.execute(statement)

    @property
    def template(self) -> Cluster:
        return self._cluster(f"template-{self.binaries.version}")

    @property
    def password(self) -> str:
        """rdsadmin's, the same in all clusters of one sandbox, so that copies can be entered too."""
        if not self._password_file.exists():
            made = os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(made, "w") as file:
                file.write(secrets.token_urlsafe(24))
        return self._password_file.read_text()

    # --- instances ----------------------------------------------------------------------------------

    def instance(self, resource_id: str, settings: Mapping[str, str] | None = None) -> Cluster:
        archive = self.archived(resource_id)
        quoted = str(archive).replace("%", "%%").replace("'", "''")
        keep = {
            "archive_mode": "on",
            "archive_command": f'\'test -f "{quoted}/%f" || cp "%p" "{quoted}/%f"\'',
        }
        return self._cluster(f"instances/{resource_id}", {**keep, **(settings or {})})

    def create(self, resource_id: str, settings: Mapping[str, str], master: Master, port: int) -> Address:
        """A fresh cluster with its master and, when named, its first database. Safe to repeat."""
        cluster = self.fresh(resource_id, settings)
        cluster.copy_from(self.template)
        address = self.start(resource_id, settings, None, port)
        self._make_master(address, master)
        return address

    def restore(self, resource_id: str, settings: Mapping[str, str], copy: str, port: int) -> Address:
        """A cluster with the rows of a copy made earlier. Safe to repeat."""
        cluster = self.fresh(resource_id, settings)
        cluster.copy_from(self._cluster(f"snapshots/{copy}"))
        (cluster.data / "standby.signal").unlink(missing_ok=True)  # of a side that followed
        return self.begin_history(resource_id, self.start(resource_id, settings, None, port))

    def rewind(
        self, resource_id: str, settings: Mapping[str, str], source: str, at: datetime | None, port: int
    ) -> Address:
        """A cluster with the rows that `source` had at a time; None: the latest that were archived."""
        cluster = self.fresh(resource_id, settings)
        base = self._cluster(f"history/{source}/base")
        cluster.copy_from(base if base.exists else self.template)
        replay = {
            "restore_command": f'\'cp "{self.archived(source)}/%f" "%p"\'',
            "recovery_target_action": "'promote'",
            "hot_standby": "off",
            "archive_mode": "off",
        }
        if at:
            replay["recovery_target_time"] = f"'{at.isoformat()}'"
        (cluster.data / "recovery.signal").touch()
        recovering = self._cluster(f"instances/{resource_id}", {**settings, **replay})
        self._await_promotion(recovering, recovering.start())
        recovering.stop()
        return self.begin_history(resource_id, self.start(resource_id, settings, None, port))

    def start(
        self, resource_id: str, settings: Mapping[str, str], wanted: Address | None, port: int = PORT
    ) -> Address:
        """Start it at the wanted place, or at another one where somebody else holds that."""
        cluster = self.instance(resource_id, settings)
        for place in self._places(wanted, port):
            try:
                return cluster.start(place.host, place.port)
            except Unavailable:
                if not _taken(place):
                    raise
        raise Unavailable("starting a database of the sandbox: no loopback address is free")

    def stop(self, resource_id: str) -> None:
        self.instance(resource_id).stop()

    def remove(self, resource_id: str, *, keep_history: bool) -> None:
        if not keep_history:
            shutil.rmtree(self._history(resource_id), ignore_errors=True)
        self.instance(resource_id).remove()

    def back_up(self, resource_id: str, copy: str) -> None:
        """A real copy; a running database goes on answering meanwhile. Safe to repeat."""
        target = self._cluster(f"snapshots/{copy}")
        target.remove()
        source = self.instance(resource_id)
        address = source.address()
        if address:
            target.back_up_from(address, ADMIN, self.password)
        else:
            target.copy_from(source)

    def copy_back_up(self, copy: str, new: str) -> None:
        target = self._cluster(f"snapshots/{new}")
        target.remove()
        target.copy_from(self._cluster(f"snapshots/{copy}"))

    def remove_back_up(self, copy: str) -> None:
        self._cluster(f"snapshots/{copy}").remove()

    def back_up_bytes(self, copy: str) -> int:
        return sum(
            f.stat().st_size for f in self._cluster(f"snapshots/{copy}").data.rglob("*") if f.is_file()
        )

    def archive(self, resource_id: str) -> None:
        """Have everything committed until now in the archive, so that a restore can reach it."""
        address = self.instance(resource_id).address()
        if address is None:
            return
        with self.session(address) as admin:
            admin.execute("SELECT txid_current()")  # a commit after the target: recovery knows where to end
            row = admin.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
        wanted = self.archived(resource_id) / str(row[0] if row else "")
        _wait(wanted.exists, 20, f"archiving the write-ahead log of {resource_id}")

    def archived(self, resource_id: str) -> Path:
        """Where its write-ahead log is kept."""
        return self._history(resource_id) / "wal"

    def has_history(self, resource_id: str) -> bool:
        return self._history(resource_id).exists()

    # --- SQL ----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def session(self, address: Address, database: str = "postgres") -> Iterator[psycopg.Connection[Any]]:
        connection = psycopg.connect(
            host=address.host,
            port=address.port,
            user=ADMIN,
            password=self.password,
            dbname=database,
            connect_timeout=10,
            autocommit=True,
            application_name="sandbox",
        )
        with connection:
            yield connection

    def set_password(self, address: Address, role: str, password: str) -> None:
        """Hashed here: the server's log never sees the password."""
        with self.session(address) as admin:
            hashed = admin.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
            admin.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                    sql.Identifier(role), sql.Literal(hashed.decode())
                )
            )

    def allow_replication(self, address: Address) -> None:
        """On RDS membership in rds_replication is enough; PostgreSQL itself asks for the attribute."""
        with self.session(address) as admin:
            rows = admin.execute(
                "SELECT rolname FROM pg_roles WHERE rolcanlogin AND NOT rolreplication AND NOT rolsuper"
                " AND pg_has_role(oid, 'rds_replication', 'MEMBER')"
            ).fetchall()
            for (role,) in rows:
                admin.execute(sql.SQL("ALTER ROLE {} REPLICATION").format(sql.Identifier(role)))

    def _make_master(self, address: Address, master: Master) -> None:
        role = sql.Identifier(master.username)
        with self.session(address) as admin:
            for statement in (
                "CREATE ROLE {} LOGIN CREATEDB CREATEROLE",
                "GRANT rds_superuser TO {} WITH ADMIN OPTION",
                "ALTER DATABASE postgres OWNER TO {}",
                "ALTER DATABASE template1 OWNER TO {}",
            ):
                admin.execute(sql.SQL(statement).format(role))
            if master.database and master.database != "postgres":
                admin.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(master.database), role)
                )
        if master.password:
            self.set_password(address, master.username, master.password)

    # --- inner --------------------------------------------------------------------------------------

    def _cluster(self, name: str, settings: Mapping[str, str] | None = None) -> Cluster:
        return Cluster(self.base / name, self.binaries, settings or {}, self.runner)

    def _history(self, resource_id: str) -> Path:
        return self.base / "history" / resource_id

    def fresh(self, resource_id: str, settings: Mapping[str, str]) -> Cluster:
        """An empty place for a cluster and its archive, whatever an interrupted attempt left there."""
        cluster = self.instance(resource_id, settings)
        cluster.remove()
        history = self._history(resource_id)
        shutil.rmtree(history, ignore_errors=True)
        wal = history / "wal"
        wal.mkdir(parents=True)
        for place in (history, wal):
            place.chmod(0o700)
            if self.runner.is_other:
                os.chown(place, self.runner.uid, self.runner.gid)
        return cluster

    def begin_history(self, resource_id: str, address: Address) -> Address:
        """What did not start from the template needs a base of its own to replay from."""
        base = self._cluster(f"history/{resource_id}/base")
        base.remove()
        base.back_up_from(address, ADMIN, self.password)
        return address

    def _await_promotion(self, cluster: Cluster, address: Address) -> None:
        """Without hot standby nobody is let in before the replay has ended."""

        def promoted() -> bool:
            if not cluster.is_running():
                raise Unavailable(f"replaying the write-ahead log in {cluster.folder}: it ended early")
            try:
                with self.session(address):
                    return True
            except psycopg.OperationalError:
                return False

        _wait(promoted, 300, f"replaying the write-ahead log in {cluster.folder}")

    def _places(self, wanted: Address | None, port: int) -> Iterator[Address]:
        if wanted:
            yield wanted
        for _ in range(10):
            if self.loopback and sys.platform == "linux":
                host = f"{self.loopback}.{1 + secrets.randbelow(254)}.{1 + secrets.randbelow(254)}"
                yield Address(host, port)
            else:
                yield Address("127.0.0.1", free_port())


def base_folder(folder: Path, runner: Identity) -> Path:
    """Where the clusters live: in the sandbox's folder, unless PostgreSQL's account cannot enter it."""
    folder = folder.resolve()
    if not runner.is_other or runner.may_enter(folder):
        return folder / "postgres"
    mark = hashlib.sha256(str(folder).encode()).hexdigest()[:20]
    return open_folder(runner) / f"controlplane-sandbox-{mark}"


def all_clusters(folder: Path, binaries: PostgresBinaries) -> list[Cluster]:
    """Every cluster that a sandbox may have left running."""
    runner = identity()
    base = base_folder(folder, runner)
    places = [place.parent for place in base.glob("*/*/data")] + [
        place.parent for place in base.glob("*/data")
    ]
    return [Cluster(place, binaries, {}, runner) for place in places]


def _taken(place: Address) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((place.host, place.port))
        except OSError:
            return True
    return False


def _wait(done: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise Unavailable(f"{what}: not done after {seconds:.0f} s")
        time.sleep(0.02)
