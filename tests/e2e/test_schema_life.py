"""A tenant that is a schema, from its platform's apply to its platform's end: the program with Terraform, and
the sandbox's AWS with a real PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from controlplane.ports import Login
from tests.e2e.belongings import belongings
from tests.e2e.machine import Machine
from tests.e2e.team import ask, client, run
from tests.fakes.rds import connect

pytestmark = [pytest.mark.long, pytest.mark.terraform, pytest.mark.postgres, pytest.mark.timeout(3600)]
BLUEPRINT = "serverless_shared_db"
DESTROY = ("blueprint", "destroy", BLUEPRINT, "--confirm", BLUEPRINT, "--auto-approve")


@pytest.fixture
def company(machine: Machine) -> Iterator[Machine]:
    machine.settings |= {"CONTROLPLANE_TWO_PERSON": "false", "CONTROLPLANE_BLUEPRINT": BLUEPRINT}
    run(machine, "sandbox", "start")
    try:
        yield machine
    finally:
        machine.run("sandbox", "stop", seconds=60)


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


def test_two_tenants_share_a_database_leave_it_and_it_goes(company: Machine) -> None:
    before = belongings(company)
    run(company, "blueprint", "apply", BLUEPRINT, "--auto-approve")
    kept = share_and_leave(company)
    put_away(company, kept)
    run(company, *DESTROY)
    assert belongings(company) == before


def put_away(machine: Machine, bucket: str) -> None:
    """As a person does who has the exports elsewhere: a bucket that holds some version of one stays."""
    s3 = client(machine, "s3")
    for version in s3.list_object_versions(Bucket=bucket)["Versions"]:
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])


def share_and_leave(company: Machine) -> str:
    """Two tenants beside each other, until both are gone; the bucket that has what they held."""
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
    code, told = company.run(*DESTROY, seconds=60)
    assert (code, "1 tenants live on" in told) == (4, True)
    run(company, "tenant", "destroy", "tenant-10", "--confirm", "tenant-10", "--auto-approve")
    return str(kept["bucket"])
