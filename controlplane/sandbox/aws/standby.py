"""A side that follows another: a real standby of PostgreSQL, which reads what streams in and writes nothing.

RDS for PostgreSQL follows so within one major version. What makes a cluster a standby is kept in its own
data folder, so that it still is one when the sandbox starts again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from controlplane.domain.errors import Conflict, Unavailable
from controlplane.sandbox.clusters import ADMIN, Clusters
from controlplane.sandbox.postgres import Address, Cluster, hba

SIGNAL, AUTO = "standby.signal", "postgresql.auto.conf"
# A standby that allows less of these than its primary does not start.
_AT_LEAST = (
    "max_connections",
    "max_worker_processes",
    "max_wal_senders",
    "max_prepared_transactions",
    "max_locks_per_transaction",
)
_END_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE backend_type IN ('client backend', 'walsender') AND usename <> %s
"""
# Only what streams gets the end of the log that a clean shutdown writes.
_IS_FOLLOWED = """
SELECT EXISTS (SELECT FROM pg_stat_replication WHERE application_name = 'walreceiver' AND state = 'streaming')
"""
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Switch:
    """What a switchover is between: resource ids, and the addresses that they have before it."""

    blue: str
    green: str
    blue_place: Address
    green_place: Address
    timeout_seconds: float


class Standbys:
    def __init__(self, clusters: Clusters) -> None:
        self.clusters = clusters

    def follow(self, resource_id: str, settings: dict[str, str], source: str, port: int) -> Address:
        """A standby of `source`. Safe to repeat."""
        primary = self._address(source)
        cluster = self.clusters.fresh(resource_id, settings)
        cluster.back_up_from(primary, ADMIN, self.clusters.password)
        cluster.write(cluster.data / SIGNAL, "")
        self._follow(cluster, source, primary)
        return self.clusters.start(resource_id, settings, None, port)

    def is_following(self, resource_id: str) -> bool:
        return (self.clusters.instance(resource_id).data / SIGNAL).exists()

    def point(
        self, resource_id: str, settings: dict[str, str], source: str, wanted: Address | None
    ) -> Address:
        """Follow its source to where that is by now, with the connections that it allows by now."""
        if self._follow(self.clusters.instance(resource_id), source, self._address(source)):
            self.clusters.stop(resource_id)
        return self.clusters.start(resource_id, settings, wanted)

    def promote(self, resource_id: str, settings: dict[str, str], wanted: Address | None) -> Address:
        """End the following: it stands on its own from here on. Safe to repeat."""
        place = self.clusters.start(resource_id, settings, wanted)
        with self.clusters.session(place) as admin:
            if _asked(admin, "SELECT pg_is_in_recovery()") and not _asked(
                admin, "SELECT pg_promote(true, 60)"
            ):
                raise Unavailable("promoting a standby of the sandbox: it did not end its replay")
        self.clusters.stop(resource_id)
        cluster = self.clusters.instance(resource_id)
        cluster.write(cluster.data / AUTO, "")
        (cluster.home / "primary").unlink(missing_ok=True)
        return self.clusters.start(resource_id, settings, place)

    def release(self, resource_id: str, settings: dict[str, str], wanted: Address | None) -> Address:
        """The old side of a switchover may be written again."""
        place = self.promote(resource_id, settings, wanted)
        return self.clusters.begin_history(resource_id, place)

    # --- switchover ---------------------------------------------------------------------------------

    def switch(
        self, switch: Switch, settings: tuple[dict[str, str], dict[str, str]]
    ) -> tuple[Address, Address] | None:
        """Where blue and green are then; None when green had not caught up in time, and blue goes on.
        Safe to repeat: what was promoted before is not asked to catch up again."""
        blue_settings, green_settings = settings
        if self.is_following(switch.green):
            end = time.monotonic() + switch.timeout_seconds
            if not self._hand_over(switch, blue_settings, end):
                self._take_back(switch, blue_settings)
                return None
            self.promote(switch.green, green_settings, switch.green_place)
        self.clusters.stop(switch.green)
        self.clusters.stop(switch.blue)
        old = self.clusters.instance(switch.blue)
        old.write(old.data / SIGNAL, "")  # a standby of nobody: nothing that a session sets makes it writable
        self._let_in(old)
        new_place = self.clusters.start(switch.green, green_settings, switch.blue_place)
        self.clusters.begin_history(switch.green, new_place)
        return self.clusters.start(switch.blue, blue_settings, switch.green_place), new_place

    def _hand_over(self, switch: Switch, settings: dict[str, str], end: float) -> bool:
        """Nobody writes to blue any more, and green has all of it."""
        place = self.clusters.start(switch.blue, settings, switch.blue_place)
        self._shut_out(self.clusters.instance(switch.blue), place)
        with self.clusters.session(place) as admin:
            while self._has_sessions(admin) or not _asked(admin, _IS_FOLLOWED):
                if time.monotonic() > end:
                    return False
                time.sleep(_POLL_SECONDS)
            written = str(_asked(admin, "SELECT pg_current_wal_flush_lsn()"))
        if not self._has_replayed(switch.green, written, end):
            return False
        self.clusters.stop(switch.blue)  # a clean end sends the rest of the log first
        last = self._clean_end(switch.blue)
        return bool(last) and self._has_replayed(switch.green, last, end)

    @staticmethod
    def _has_sessions(admin: psycopg.Connection[Any]) -> bool:
        return bool(admin.execute(_END_SESSIONS, [ADMIN]).fetchall())

    def _has_replayed(self, resource_id: str, wanted: str, end: float) -> bool:
        with self.clusters.session(self._address(resource_id)) as admin:
            while not _asked(admin, "SELECT coalesce(pg_last_wal_replay_lsn() >= %s::pg_lsn, false)", wanted):
                if time.monotonic() > end:
                    return False
                time.sleep(_POLL_SECONDS)
        return True

    def _clean_end(self, resource_id: str) -> str:
        """Where the log of a cluster that was shut down ends; empty when it was not shut down cleanly."""
        cluster = self.clusters.instance(resource_id)
        told = cluster.run(
            [cluster.binaries.program("pg_controldata"), "-D", cluster.data], timeout=30
        ).stdout
        rows = dict(line.split(":", 1) for line in told.splitlines() if ":" in line)
        clean = rows["Database cluster state"].strip() == "shut down"
        return rows["Latest checkpoint location"].strip() if clean else ""

    def _take_back(self, switch: Switch, settings: dict[str, str]) -> None:
        """Blue goes on where it was, as if nothing had been asked."""
        self._let_in(self.clusters.instance(switch.blue))
        self._reload(self.clusters.start(switch.blue, settings, switch.blue_place))

    def _shut_out(self, cluster: Cluster, place: Address) -> None:
        cluster.write(cluster.data / "pg_hba.conf", hba(ADMIN, others=False))
        self._reload(place)

    @staticmethod
    def _let_in(cluster: Cluster) -> None:
        cluster.write(cluster.data / "pg_hba.conf", hba(ADMIN))

    # --- inner --------------------------------------------------------------------------------------

    def _follow(self, cluster: Cluster, source: str, primary: Address) -> bool:
        """Its connection to the primary; what did not stream while one of them was down is in the archive.
        Whether that is news."""
        passfile = cluster.home / "primary"
        cluster.write(passfile, f"{primary.host}:{primary.port}:*:{ADMIN}:{self.clusters.password}\n")
        where = f"host={primary.host} port={primary.port} user={ADMIN} passfile={_quoted(passfile)}"
        archived = self.clusters.archived(source)
        lines = [
            f"primary_conninfo = '{where}'",
            f'restore_command = \'cp "{archived}/%f" "%p"\'',
            "recovery_target_timeline = 'latest'",
            "wal_retrieve_retry_interval = 500",
            *self._no_less(primary),
        ]
        auto, wanted = cluster.data / AUTO, "\n".join(lines) + "\n"
        if auto.read_text() == wanted:
            return False
        cluster.write(auto, wanted)
        return True

    def _no_less(self, primary: Address) -> list[str]:
        with self.clusters.session(primary) as admin:
            return [f"{name} = {_asked(admin, f'SHOW {name}')}" for name in _AT_LEAST]

    def _reload(self, place: Address) -> None:
        with self.clusters.session(place) as admin:
            admin.execute("SELECT pg_reload_conf()")

    def _address(self, resource_id: str) -> Address:
        place = self.clusters.instance(resource_id).address()
        if place is None:
            raise Conflict("following a database of the sandbox: it does not run")
        return place


def _quoted(path: Path) -> str:
    """Inside a connection string that is itself inside quotes."""
    return str(path).replace("\\", "\\\\").replace("'", "\\'").replace(" ", "\\ ")


def _asked(admin: psycopg.Connection[Any], statement: str, *values: str) -> Any:
    row = admin.execute(statement, values or None).fetchone()
    return row[0] if row else None
