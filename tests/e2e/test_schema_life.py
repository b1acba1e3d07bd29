"""A tenant that is a schema, from its first command to its last: the program, its worker, and the sandbox's
RDS, Secrets Manager and S3 with a real PostgreSQL.

Its platform is put there by hand, as an apply would leave it: the sandbox cannot make all of it
(docs/emulator.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from controlplane.adapters.postgres import Postgres
from controlplane.catalog import load as load_catalog
from controlplane.domain.tenant import Environment
from controlplane.domain.workspace import DATABASE_NAME, MASTER_USERNAME, PlatformWorkspace
from controlplane.ports import Login
from controlplane.rendering import shared_secrets
from controlplane.store import platforms
from controlplane.store.database import open_database
from tests.e2e.machine import Machine
from tests.e2e.team import ask, client, run, wait_until
from tests.fakes.rds import connect

pytestmark = [pytest.mark.long, pytest.mark.postgres, pytest.mark.timeout(1200)]
BLUEPRINT, BUCKET, IDENTIFIER = "serverless_shared_db", "shared-exports", "shared-e1"
WORKSPACE = f"platform-{BLUEPRINT}-development-default"
ROLES = ("cp_control", "app_a", "app_b")


@pytest.fixture
def company(machine: Machine) -> Iterator[Machine]:
    machine.settings |= {"CONTROLPLANE_TWO_PERSON": "false", "CONTROLPLANE_BLUEPRINT": BLUEPRINT}
    run(machine, "sandbox", "start")
    try:
        run(machine, "db", "migrate")
        put_platform(machine)
        yield machine
    finally:
        machine.run("sandbox", "stop", seconds=60)


def put_platform(machine: Machine) -> None:
    secrets = _secrets()
    for role, name in secrets.items():
        tags = [{"Key": "managed-by", "Value": "controlplane"}]
        client(machine, "secretsmanager").create_secret(Name=name, SecretString=_password(role), Tags=tags)
    client(machine, "s3").create_bucket(Bucket=BUCKET)
    rds = client(machine, "rds")
    rds.create_db_instance(
        DBInstanceIdentifier=IDENTIFIER,
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername=MASTER_USERNAME,
        MasterUserPassword=_password("master"),
        DBName=DATABASE_NAME,
    )
    found: dict[str, Any] = {}

    def is_available() -> bool:
        found.update(rds.describe_db_instances(DBInstanceIdentifier=IDENTIFIER)["DBInstances"][0])
        return bool(found["DBInstanceStatus"] == "available")

    wait_until("the shared database", is_available, seconds=180)
    at = found["Endpoint"]
    master = Login(at["Address"], at["Port"], DATABASE_NAME, MASTER_USERNAME, _password("master"), "prefer")
    Postgres().set_up_roles(master, {role: _password(role) for role in ROLES})
    db, now = open_database(f"sqlite:///{machine.folder / 'tenants.db'}"), datetime.now(UTC)
    where = {"blueprint": BLUEPRINT, "environment": "development", "cell": "default", "region": "us-east-1"}
    with db.write() as session:
        platforms.ensure(session, WORKSPACE, **where, options={}, now=now)
        outputs = {"database_identifier": IDENTIFIER, "export_bucket": BUCKET}
        platforms.record_outputs(session, WORKSPACE, outputs, "ready", now)
    db.close()


def _secrets() -> dict[str, str]:
    home = PlatformWorkspace(
        workspace=WORKSPACE,
        blueprint=BLUEPRINT,
        environment=Environment.DEVELOPMENT,
        region="us-east-1",
        cell="default",
        options={},
    )
    return shared_secrets(home, load_catalog().blueprint(BLUEPRINT).option_values(home.environment, {}))


def _password(role: str) -> str:
    return f"password-of-{role}"


def login(machine: Machine, slug: str) -> tuple[Login, str]:
    """As the tenant's application logs in, and its schema: by its secret alone."""
    uid = ask(machine, "tenant", "show", slug)["uid"]
    name = f"controlplane/{slug}-{uid}/application"
    said = json.loads(client(machine, "secretsmanager").get_secret_value(SecretId=name)["SecretString"])
    keys = ("host", "port", "database", "username", "password")
    return Login(**{key: said[key] for key in keys}, tls="prefer"), said["schema"]


def sql(login: Login, *statements: str) -> list[tuple[Any, ...]]:
    with connect(login) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def test_two_tenants_share_a_database_and_one_leaves(company: Machine) -> None:
    for slug in ("tenant-1", "tenant-10"):
        run(company, "tenant", "create", slug, "--auto-approve")
    (one, mine), (ten, theirs) = (login(company, slug) for slug in ("tenant-1", "tenant-10"))
    assert one.host == ten.host
    for tenant, row in ((one, "one"), (ten, "ten")):
        sql(tenant, "CREATE TABLE orders (note text)", f"INSERT INTO orders VALUES ('{row}')")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sql(one, f"SELECT * FROM {theirs}.orders")
    run(company, "tenant", "rotate", "tenant-1", "--auto-approve")
    with pytest.raises(psycopg.OperationalError):
        sql(one, "SELECT 1")
    assert sql(login(company, "tenant-1")[0], "SELECT note FROM orders") == [("one",)]
    code, told = company.run("tenant", "suspend", "tenant-1")
    assert (code, "whose tenants have no suspend; they have: create, destroy, rotate" in told) == (4, True)
    seen = ask(company, "tenant", "destroy", "tenant-1", "--confirm", "tenant-1", "--auto-approve")
    kept = seen["response"]["final_export"]
    assert kept["tables"] == {"orders": 1}
    there = client(company, "s3").get_object(Bucket=kept["bucket"], Key=kept["key"])["Body"].read()
    assert len(there) == kept["size_bytes"]
    assert b"PGDMP" in there[:8]
    assert sql(ten, "SELECT note FROM orders") == [("ten",)]
    names = [
        name for (name,) in sql(ten, "SELECT nspname FROM pg_namespace UNION SELECT rolname FROM pg_roles")
    ]
    assert not [name for name in names if name.startswith(mine)]
