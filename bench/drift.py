"""The fast look at a fleet against AWS's description of it, and how often CloudWatch is asked.

Those of 1,000 tenants are described by moto over HTTP, 100 a page, through the real adapter. That takes
moto longer than everything of ours, so that the 10,000 are described from memory: what is measured is ours.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from moto.rds.models import rds_backends
from moto.server import ThreadedMotoServer
from sqlalchemy import insert

from bench.rows import Row, cpu_seconds, seconds
from controlplane.adapters.aws.clients import AwsAccount
from controlplane.adapters.aws.cloud import Aws
from controlplane.adapters.metrics import BATCH, CloudWatchMetrics
from controlplane.adapters.poller import FleetPoller
from controlplane.catalog import load
from controlplane.ports import DatabaseInstance, MetricQuery
from controlplane.services.actor import Actor, Role
from controlplane.services.asking import Way
from controlplane.services.control import Ask, Control
from controlplane.services.drift import scanning
from controlplane.services.drift.asked import Scanning
from controlplane.store.database import Database, connect
from controlplane.store.migrate import migrate
from controlplane.store.tables import Slot, Tenant

MANY, FEW = 10_000, 1_000
METRICS = ("CPUUtilization", "FreeableMemory", "DatabaseConnections", "FreeStorageSpace", "ReadIOPS")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_ACCOUNT, _REGION = "123456789012", "us-east-1"
_ACTOR, _WAY = Actor("bench", Role.ADMIN), Way(Ask(reason="a bench"))
_EVERY = 50  # so many tenants to one that was changed outside


def rows() -> list[Row]:
    asked = _requests()
    with _catalog(FEW) as few, _emulator() as account:
        emulated = seconds(lambda: _scan(few, FleetPoller(Aws(account))))
        again = seconds(lambda: _scan(few, FleetPoller(Aws(account))))
        described = seconds(lambda: Aws(account).databases())
    with _catalog(MANY) as many:
        fleet = _Memory([_described(number) for number in range(MANY)])
        whole, known = cpu_seconds(lambda: _scan(many, fleet)), cpu_seconds(lambda: _scan(many, fleet))
    return [
        Row(f"fast look at {FEW:,} on moto; beside: its description alone", emulated, "s", described, 10),
        Row(f"fast look at {FEW:,} on moto, differences known", again, "s", described, 10),
        Row(f"fast look at {MANY:,}, described from memory", whole, "CPU s", goal=100),
        Row(f"fast look at {MANY:,}, differences known", known, "CPU s", goal=100),
        Row(f"requests for {MANY:,} databases by {len(METRICS)} metrics", asked, "", goal=100),
    ]


def _scan(db: Database, source: Any) -> None:
    control = Control(db=db, catalog=load(), fleet_source=lambda: source)
    found = scanning.scan(control, _ACTOR, Scanning(), _WAY)
    assert found["differences"] == {"dangerous": found["looked_at"] // _EVERY}, found["differences"]


# --- the record ---------------------------------------------------------------------------------------


@contextmanager
def _catalog(count: int) -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as folder:
        db = connect(f"sqlite:///{folder}/tenants.db")
        migrate(db)
        tenants, slots = zip(*(_recorded(number) for number in range(count)), strict=True)
        with db.write() as session:
            session.execute(insert(Tenant), list(tenants))
            session.execute(insert(Slot), list(slots))
        yield db
        db.close()


def _recorded(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    tenant = Tenant(
        uid=_uid(number),
        slug=f"tenant-{number:05}",
        stage="poc",
        size="small",
        phase="ready",
        region=_REGION,
        cell="default",
        blueprint="fargate_db_per_tenant",
        environment="development",
        storage_gb=20,
        cost_tier="poc-small",
        created_at=BEGIN,
        updated_at=BEGIN,
    )
    slot = Slot(
        tenant_uid=_uid(number),
        epoch=1,
        identifier=_identifier(number),
        size="small",
        storage_gb=20,
        multi_az=False,
        backup_days=1,
        protected=False,
        alarms=True,
        engine_version="16",
        status="present",
        created_at=BEGIN,
    )
    return tenant.model_dump(), slot.model_dump()


def _uid(number: int) -> str:
    return f"u{number:07}"


def _identifier(number: int) -> str:
    return f"tenant-{number:05}-{_uid(number)}-e1"


# --- what AWS has -------------------------------------------------------------------------------------


@dataclass
class _Memory:
    found: Sequence[DatabaseInstance]

    def databases(self, *, fresh: bool = False) -> Sequence[DatabaseInstance]:
        del fresh
        return self.found


def _tags(number: int) -> dict[str, str]:
    return {"uid": _uid(number), "epoch": "1", "managed-by": "controlplane"}


def _described(number: int) -> DatabaseInstance:
    plain = DatabaseInstance(
        identifier=_identifier(number),
        resource_id=f"db-{number}",
        arn=f"arn:aws:rds:{_REGION}:{_ACCOUNT}:db:{_identifier(number)}",
        status="available",
        instance_class="db.t4g.small",
        engine_version="16.4",
        storage_gb=20,
        max_storage_gb=50,
        multi_az=False,
        public=number % _EVERY == 0,
        encrypted=True,
        deletion_protection=False,
        backup_retention_days=1,
        endpoint="127.0.0.1",
        port=5432,
        master_username="controlplane",
        tags=_tags(number),
    )
    return replace(plain, parameter_group=None)


@contextmanager
def _emulator() -> Iterator[AwsAccount]:
    """Bare moto, without a PostgreSQL behind each database."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    backend = rds_backends[_ACCOUNT][_REGION]
    for number in range(FEW):
        backend.create_db_instance(_wish(number))
    host, port = server.get_host_and_port()
    try:
        yield AwsAccount(_REGION, f"http://{host}:{port}", access_key="bench", secret_key="bench")
    finally:
        backend.reset()
        server.stop()


def _wish(number: int) -> dict[str, Any]:
    return {
        "db_instance_identifier": _identifier(number),
        "db_instance_class": "db.t4g.small",
        "engine": "postgres",
        "engine_version": "16.4",
        "allocated_storage": 20,
        "max_allocated_storage": 50,
        "storage_encrypted": True,
        "publicly_accessible": number % _EVERY == 0,
        "backup_retention_period": 1,
        "master_username": "controlplane",
        "master_user_password": "a-bench-needs-none",
        "tags": [{"Key": key, "Value": value} for key, value in _tags(number).items()],
    }


# --- CloudWatch ---------------------------------------------------------------------------------------


@dataclass
class _Counting:
    """A client that answers two weeks in steps of two hours, and counts."""

    requests: int = 0

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        self.requests += 1
        asked = request["MetricDataQueries"]
        assert len(asked) <= BATCH
        return {"MetricDataResults": [{"Id": q["Id"], "StatusCode": "Complete"} for q in asked]}


def _requests() -> float:
    client = _Counting()
    source = CloudWatchMetrics(cast("Any", client))
    queries = (MetricQuery(_identifier(n), name, "p95", 7200) for n in range(MANY) for name in METRICS)
    found = sum(1 for _ in source.measure(queries, BEGIN, BEGIN + timedelta(days=14)))
    assert found == MANY * len(METRICS)
    return float(client.requests)
