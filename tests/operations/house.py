"""A whole control plane in a folder, with fakes behind its ports; after a kill another opens it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from controlplane import durable, operations
from controlplane.adapters.keyring import FileKeyring
from controlplane.adapters.poller import FleetPoller
from controlplane.catalog import load as load_catalog
from controlplane.domain.migration.smoke import SmokeChecks, SqlCheck, UrlCheck
from controlplane.ports import Ports
from controlplane.services.actor import Actor, Role
from controlplane.services.control import Ask, Control
from controlplane.steps import lifting
from controlplane.steps.world import World, install, utc_now
from controlplane.store import platforms
from controlplane.store.database import Database, open_database
from controlplane.worker.loop import Worker
from tests.catalogs import make_catalog, prepare
from tests.fakes.cloud import FakeCloud
from tests.fakes.database import FakeDatabase, FakeMigration
from tests.fakes.schemas import FakeSchemas
from tests.fakes.web import FakeWeb
from tests.golden.workspaces import way_in
from tests.operations.terraform_double import TerraformDouble

BLUEPRINT = "fargate_db_per_tenant"
# A look costs more than waiting for the next one does where many workers run side by side.
POLL_SECONDS = 0.1
ADMIN = Actor("local:ann", Role.ADMIN)
OTHER = Actor("local:bob", Role.ADMIN)
ASK = Ask(reason="a test", auto_approve=True)
PLATFORM: dict[str, Any] = {
    "vpc_id": "vpc-0a1",
    "database_subnet_group": "platform-databases",
    "database_security_group_id": "sg-0a1b2c3d4e5f60718",
    "database_key_arn": "arn:aws:kms:us-east-1:123456789012:key/0b1c2d3e-0000-4000-8000-000000000001",
    "alarm_topic_arn": "arn:aws:sns:us-east-1:123456789012:platform-alarms",
    "archive_bucket": "platform-archive-123456789012",
    "archive_role_arn": "arn:aws:iam::123456789012:role/platform-export",
    "parameter_groups": {"16": "platform-postgres16"},
    "cluster": "platform",
    "service": "application",
    **way_in("development"),
}
SMOKE = SmokeChecks(
    sql=(SqlCheck("it has orders", "SELECT true", 5),),
    urls=(UrlCheck("it answers", "https://{slug}.example.com/health", 200, "well", 1),),
)
assert operations.CREATE  # offering every workflow to the engine is this import's effect


@dataclass
class House:
    folder: Path
    db: Database
    control: Control
    cloud: FakeCloud
    terraform: TerraformDouble
    database: FakeDatabase
    web: FakeWeb
    url: str

    def worker(self, executor_id: str = "embedded", poll: float = POLL_SECONDS, cell: str = "") -> Worker:
        engine = durable.Engine(self.url, executor_id, poll, cell)
        engine.launch()
        return Worker(
            self.db, engine, utc_now, capacity=8, poll_seconds=poll, hooks=(lifting.tend,), cell=cell
        )


def build(folder: Path, *, two_person: bool = False, url: str = "") -> House:
    """Open what stands in the folder, or make it: a killed worker's successor builds the same house."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = not (folder / "made").exists()
    if fresh and url:
        prepare(url)
    elif fresh:
        make_catalog(folder / "tenants.db")
    url = url or f"sqlite:///{folder / 'tenants.db'}"
    db = open_database(url)
    cloud = FakeCloud(folder / "cloud.json")
    terraform = TerraformDouble(folder / "terraform.json", cloud)
    database = terraform.database = FakeDatabase(folder / "database.json", trusting=True)
    cloud.servers = database
    web = FakeWeb(folder / "web.json")
    catalog = load_catalog()
    install(
        World(
            ports=Ports(
                terraform,
                cloud,
                database,
                FileKeyring(folder / "keys" / "key.json"),
                FakeMigration(database),
                web,
                FakeSchemas(database),
            ),
            db=db,
            catalog=catalog,
            folders=folder / "workspaces",
            poll_seconds=0.01,
            steady_seconds=0,
            two_person=two_person,
            smoke={BLUEPRINT: SMOKE},
        )
    )
    if fresh:
        add_platforms(db)
        cloud.add_service(PLATFORM["cluster"], PLATFORM["service"])
        (folder / "made").touch()
    control = Control(db, catalog, two_person=two_person, fleet_source=lambda: FleetPoller(cloud))
    return House(folder, db, control, cloud, terraform, database, web, url)


def add_platforms(db: Database) -> None:
    now = datetime.now(UTC)
    for environment in ("development", "production"):
        workspace = f"platform-{BLUEPRINT}-{environment}-default"
        with db.write() as session:
            platforms.ensure(
                session,
                workspace,
                blueprint=BLUEPRINT,
                environment=environment,
                cell="default",
                region="us-east-1",
                options={},
                now=now,
            )
            key = f"{PLATFORM['database_key_arn']}-{environment}"
            platforms.record_outputs(session, workspace, {**PLATFORM, "database_key_arn": key}, "ready", now)
