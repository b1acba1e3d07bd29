"""The house of these tests on real PostgreSQL: fences, replication and comparisons are real, Terraform and
AWS are not. Its workers kill themselves at a named point."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from controlplane.adapters.postgres import Connector, MigrationSql, Postgres
from controlplane.durable import on_reach
from controlplane.ports import DatabaseInstance, SecretRef
from controlplane.steps import world
from tests.fakes.cloud import FakeCloud
from tests.operations import mutants
from tests.operations.crash_worker import SECONDS, warm
from tests.operations.house import House, build

SITE = "servers.json"  # where each slot's server is, and how its superuser logs in


class ServersCloud(FakeCloud):
    """Its databases answer: each slot's has a server of its own, which was there before."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "cloud.json")
        self._site: dict[str, dict[str, Any]] = json.loads((folder / SITE).read_text())

    def database(self, identifier: str) -> DatabaseInstance | None:
        found, at = super().database(identifier), self._site.get(identifier.rpartition("-")[2])
        if found is None or at is None:
            return found
        where = {"endpoint": at["host"], "port": at["port"], "database_name": at["database"]}
        return replace(found, **where, master_username=at["master"])

    def ensure_secret(self, name: str, value: str, tags: Mapping[str, str], token: str) -> SecretRef:
        """A master's secret is what its database takes."""
        made = super().ensure_secret(name, value, tags, token)
        _, _, epoch, role = (*name.split("/"), "", "")[:4]
        if role == "master" and epoch in self._site:
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
