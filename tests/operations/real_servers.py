"""The house of these tests on real PostgreSQL: fences, replication and comparisons are real, Terraform and
AWS are not. Its workers kill themselves at a named point."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from controlplane.adapters.postgres import Connector, MigrationSql, Postgres
from controlplane.durable import on_reach
from controlplane.ports import DatabaseInstance, SecretRef, Snapshot
from controlplane.sandbox.clusters import Clusters
from controlplane.sandbox.postgres import discover
from controlplane.steps import world
from tests.fakes.cloud import FakeCloud
from tests.fakes.rds import REPLICATING_MAJOR, SETTINGS
from tests.operations import mutants
from tests.operations.crash_worker import SECONDS, warm
from tests.operations.house import House, build

SITE = "servers.json"  # where each slot's server is, and how its superuser logs in


class ServersCloud(FakeCloud):
    """Its databases answer: each slot's has a server of its own, which was there before, or is made from a
    snapshot when it is looked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "cloud.json")
        self._site: dict[str, dict[str, Any]] = json.loads((folder / SITE).read_text())
        self._restoring = threading.Lock()  # the leg looks, and who watches over fences

    def _clusters(self, at: Mapping[str, Any]) -> Clusters:
        return Clusters(Path(at["folder"]), discover(prefer=REPLICATING_MAJOR), loopback="")

    def create_snapshot(self, identifier: str, database: str, tags: Mapping[str, str]) -> Snapshot:
        at = self._site.get(database.rpartition("-")[2], {})
        if "server" in at and super().snapshot(identifier) is None:
            self._clusters(at).back_up(at["server"], identifier)
        return super().create_snapshot(identifier, database, tags)

    def copy_snapshot(self, source: str, identifier: str, kms_key: str, tags: Mapping[str, str]) -> Snapshot:
        at = self._site.get(source.partition("-to-")[0].rpartition("-")[2], {})
        if "server" in at and super().snapshot(identifier) is None:
            self._clusters(at).copy_back_up(source, identifier)
        return super().copy_snapshot(source, identifier, kms_key, tags)

    def _restored(self, identifier: str, at: dict[str, Any]) -> dict[str, Any]:
        """Where the server is that stands for a restored database; made by whoever looks first."""
        clusters = self._clusters(at)
        home, _, epoch = identifier.rpartition("-")
        with self._restoring:
            place = clusters.instance(at["server"], SETTINGS).address()
            made = place or clusters.restore(at["server"], SETTINGS, self._copy_for(epoch), 0)
            where = {**at, "host": made.host, "port": made.port}
            if place is None:
                self._set_password(where, self.read_secret(f"controlplane/{home}/{epoch}/master"))
        return where

    def _copy_for(self, epoch: str) -> str:
        [copy] = [s.identifier for s in self.snapshots() if s.identifier.endswith(f"-to-{epoch}-copy")]
        return copy

    def database(self, identifier: str) -> DatabaseInstance | None:
        found, at = super().database(identifier), self._site.get(identifier.rpartition("-")[2])
        if found is None or at is None:
            return found
        if "host" not in at:
            at = self._restored(identifier, at)
        where = {"endpoint": at["host"], "port": at["port"], "database_name": at["database"]}
        return replace(found, **where, master_username=at["master"])

    def ensure_secret(self, name: str, value: str, tags: Mapping[str, str], token: str) -> SecretRef:
        """A master's secret is what its database takes."""
        made = super().ensure_secret(name, value, tags, token)
        _, _, epoch, role = (*name.split("/"), "", "")[:4]
        if role == "master" and "host" in self._site.get(epoch, {}):
            self._set_password(self._site[epoch], self.read_secret(name))
        return made

    def _set_password(self, at: Mapping[str, Any], password: str) -> None:
        where = {name: at[name] for name in ("host", "port", "user", "password")}
        with psycopg.connect(**where, dbname="postgres", autocommit=True) as admin:
            statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
            admin.execute(statement.format(sql.Identifier(at["master"]), sql.Literal(password)))


def build_on_servers(folder: Path, programs: Path, mutant: str = "") -> House:
    """`mutant`: what this house does wrongly, on purpose."""
    house = build(folder)
    house.cloud = house.terraform.cloud = ServersCloud(folder)
    house.terraform.database = None
    here = world.world()
    database, migration = Postgres(), MigrationSql(Connector(), programs)
    if mutant:
        site = json.loads((folder / SITE).read_text())
        database, migration = mutants.MUTANTS[mutant](mutants.Site(site, programs))
    ports = replace(here.ports, cloud=house.cloud, database=database, migration=migration)
    world.install(replace(here, ports=ports, tls="prefer"))
    return house


def work(folder: Path, programs: Path, point: str = "", mutant: str = "") -> int:
    """Run a worker until nothing is left to do, or until it kills itself at `STEP:WHERE:COUNT`."""
    process = warm.Process(target=_work, args=(str(folder), str(programs), point, mutant))
    process.start()
    process.join(2 * SECONDS)
    if process.is_alive():
        process.kill()
        raise AssertionError("the worker did not end")
    return process.exitcode or 0


def _work(folder: str, programs: str, point: str, mutant: str) -> None:
    counts: Counter[str] = Counter()

    def listen(step: str, where: str) -> None:
        counts[f"{step}:{where}"] += 1
        if f"{step}:{where}:{counts[f'{step}:{where}']}" == point:
            os.kill(os.getpid(), signal.SIGKILL)

    house = build_on_servers(Path(folder), Path(programs), mutant)
    on_reach(listen)
    house.worker().run(until_idle=True)
    os._exit(0)
