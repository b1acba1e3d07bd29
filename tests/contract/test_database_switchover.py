"""The sandbox's switchover under writers: it loses no acknowledged write, and one that hurries is caught."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from controlplane.sandbox.aws.standby import Standbys, Switch
from controlplane.sandbox.postgres import Address, Cluster
from tests.fakes.rds import SETTINGS, Server, Servers, cluster_folder, replicating_clusters, servers
from tests.fakes.writers import TABLES, Pair, Rows, Writers, rows

__all__ = ["cluster_folder", "replicating_clusters", "servers"]  # pytest finds fixtures by name
pytestmark = pytest.mark.postgres
OVERRIDING = "-c default_transaction_read_only=off"


class Careless(Standbys):
    """Promotes what has arrived, and waits for nobody."""

    def _hand_over(self, switch: Switch, settings: dict[str, str], end: float) -> bool:
        return True


class Welcoming(Standbys):
    """Waits for the last rows, and lets applications write more meanwhile."""

    def _shut_out(self, cluster: Cluster, place: Address) -> None:
        """Nobody is kept out."""

    def _hand_over(self, switch: Switch, settings: dict[str, str], end: float) -> bool:
        with self.clusters.session(switch.blue_place) as admin:
            row = admin.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()
        return bool(row) and self._has_replayed(switch.green, str(row[0] if row else ""), end)


@contextlib.contextmanager
def sides(servers: Servers) -> Iterator[tuple[Server, Server]]:
    blue = servers.make().set_up()
    blue.run(*TABLES)
    name = f"{blue.name}-green"
    green = replace(blue, name=name, address=Standbys(servers.clusters).follow(name, SETTINGS, blue.name, 0))
    servers.made.append(green)
    yield blue, green


def switched(servers: Servers, standbys: Standbys) -> tuple[Rows, set[Pair]]:
    """What the new side holds, and what was acknowledged before, during and after the switchover."""
    with sides(servers) as (blue, green):
        switch = Switch(blue.name, green.name, blue.address, green.address, 60)
        with Writers(lambda: blue.login("app_a"), options=OVERRIDING) as writers:
            writers.wait_for()
            assert standbys.switch(switch, (SETTINGS, SETTINGS))
            writers.wait_for()
            acknowledged = writers.stop()
        with blue.rdsadmin() as connection:  # where blue was, green is now
            return rows(connection), acknowledged


def test_no_acknowledged_write_is_lost_doubled_or_torn(servers: Servers) -> None:
    held, acknowledged = switched(servers, Standbys(servers.clusters))
    assert held.lost(acknowledged) == set()
    assert (held.doubled(), held.torn()) == (0, set())


@pytest.mark.parametrize("mutant", [Careless, Welcoming])
def test_a_switchover_that_hurries_is_caught(servers: Servers, mutant: type[Standbys]) -> None:
    held, acknowledged = switched(servers, mutant(servers.clusters))
    assert held.lost(acknowledged) != set()
