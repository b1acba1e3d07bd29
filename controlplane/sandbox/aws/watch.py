"""Looking after the instances: measures each once a minute, and starts again what died, as RDS does."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from moto.rds.models import rds_backends

from controlplane.domain.errors import ControlPlaneError
from controlplane.sandbox.aws import facts
from controlplane.sandbox.aws.instance import SandboxInstance
from controlplane.sandbox.aws.work import Works
from controlplane.sandbox.metrics import Metrics
from controlplane.sandbox.postgres import Address

log = logging.getLogger("sandbox")
_COUNTERS = """
SELECT (SELECT count(*) FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND application_name <> 'sandbox'),
       (SELECT sum(blks_read) FROM pg_stat_database),
       (SELECT wal_bytes / 8192 FROM pg_stat_wal),
       (SELECT sum(pg_database_size(oid)) FROM pg_database),
       (SELECT max(age(datfrozenxid)) FROM pg_database)
"""
_CREDITS_PER_HOUR = {1: 12, 2: 24, 4: 24, 8: 36, 16: 96, 32: 192}  # of t4g classes, by memory


@dataclass
class _Last:
    """The counters of the sample before."""

    at: float
    cpu_seconds: float
    reads: float
    writes: float
    credits: float = 0.0
    surplus: float = 0.0


def instances() -> Iterator[SandboxInstance]:
    for _, _, backend in rds_backends.iter_backends():
        yield from [db for db in backend.databases.values() if isinstance(db, SandboxInstance)]


class Watch:
    def __init__(self, works: Works, metrics: Metrics, flush: Callable[[], None]) -> None:
        self.works = works
        self.metrics = metrics
        self.flush = flush
        self._last: dict[str, _Last] = {}
        self._cpu_at, self._cpu_found = 0.0, dict[Path, float]()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(30)

    def _loop(self) -> None:
        while not self._stopping.wait(1.0):
            with self.works.lock:
                live = [db for db in instances() if db.status == "available" and db.place]
            for db in live:
                self._look_after(db)
            self.flush()

    def _look_after(self, db: SandboxInstance) -> None:
        turn = self.works.turn(db.dbi_resource_id)
        if not turn.acquire(blocking=False):
            return  # being changed right now
        try:
            if db.status != "available" or not db.place:
                return
            self._revive(db)
            if db.wants_logical_replication and not db.follows:
                self.works.clusters.allow_replication(db.place)
            last = self._last.get(db.dbi_resource_id)
            if last is None or time.monotonic() - last.at >= self.works.options.metrics_seconds:
                self._measure(db, db.place, last)
        except (ControlPlaneError, psycopg.Error, OSError) as error:
            log.warning("looking after %s: %s", db.db_instance_identifier, error)
        finally:
            turn.release()

    def _revive(self, db: SandboxInstance) -> None:
        clusters = self.works.clusters
        if clusters.instance(db.dbi_resource_id).is_running():
            return
        log.warning("%s had died and is started again", db.db_instance_identifier)
        place = clusters.start(db.dbi_resource_id, db.server_settings(), db.place)
        with self.works.lock:
            db.place = place

    def _cpu(self) -> dict[Path, float]:
        """One look at all processes serves all instances of a round."""
        if time.monotonic() - self._cpu_at > 0.5:
            self._cpu_at, self._cpu_found = time.monotonic(), _cpu_seconds()
        return self._cpu_found

    def _measure(self, db: SandboxInstance, place: Address, last: _Last | None) -> None:
        with self.works.clusters.session(place) as admin:
            row = admin.execute(_COUNTERS).fetchone() or (0, 0, 0, 0, 0)
        connections, reads, writes, used, age = (float(value or 0) for value in row)
        cpu = self._cpu().get(self.works.clusters.instance(db.dbi_resource_id).data, 0.0)
        now = _Last(time.monotonic(), cpu, reads, writes)
        previous = last or now
        seconds = max(now.at - previous.at, 1.0)
        size = facts.CLASSES[db.db_instance_class]
        percent = min(100.0, 100 * max(0.0, cpu - previous.cpu_seconds) / seconds / size.vcpu)
        memory = size.memory_gb * 2**30
        values = {
            "CPUUtilization": percent,
            "DatabaseConnections": connections,
            "FreeStorageSpace": max(0.0, int(db.allocated_storage) * 2**30 - used),
            "ReadIOPS": max(0.0, reads - previous.reads) / seconds,
            "WriteIOPS": max(0.0, writes - previous.writes) / seconds,
            "MaximumUsedTransactionIDs": age,
            # Not measured, but moving with what is:
            "FreeableMemory": max(0.05 * memory, 0.55 * memory - connections * 8 * 2**20),
            "SwapUsage": 0.0,
            "ReadLatency": 0.0005,
            "WriteLatency": 0.001,
            "DiskQueueDepth": 0.0,
        }
        if db.db_instance_class.startswith("db.t"):
            values |= _credits(now, previous, percent, size)
        minute = int(time.time() // 60)
        with self.works.lock:
            for name, value in values.items():
                self.metrics.put(db.db_instance_identifier, name, minute, value)
        self._last[db.dbi_resource_id] = now


def _credits(now: _Last, previous: _Last, percent: float, size: facts.InstanceClass) -> dict[str, float]:
    """One credit is one vCPU for a minute; RDS lets a burstable class go into surplus."""
    minutes = max(now.at - previous.at, 0.0) / 60
    used = percent / 100 * size.vcpu * minutes
    earned = _CREDITS_PER_HOUR.get(int(size.memory_gb), 36) / 60 * minutes
    balance = previous.credits - previous.surplus + earned - used
    now.credits = min(max(balance, 0.0), size.burstable_credits_maximum)
    now.surplus = max(-balance, 0.0)
    return {
        "CPUCreditBalance": now.credits,
        "CPUSurplusCreditBalance": now.surplus,
        "CPUCreditUsage": used,
    }


def _cpu_seconds() -> dict[Path, float]:
    """CPU time of all live processes by the folder they work in; empty where there is no /proc."""
    total: dict[Path, float] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            place = (entry / "cwd").readlink()
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks = int(fields[11]) + int(fields[12])
        total[place] = total.get(place, 0.0) + ticks / os.sysconf("SC_CLK_TCK")
    return total
