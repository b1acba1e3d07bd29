"""A tenant's whole life on the sandbox, with real Terraform and PostgreSQL: its rows come through it all.

The short form leaves and comes back. The long one moves to production and back, sleeps, and is rewound beside
itself; and a database that somebody else made becomes a tenant.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from controlplane import wiring
from controlplane.catalog.permissions import ROLES
from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.migration.checklist import EVERY_UPGRADE, Item
from controlplane.settings import Settings
from tests.e2e.machine import Machine
from tests.e2e.rights import beyond_policy, called, take_roles
from tests.e2e.team import BLUEPRINT, ask, client, run, team, wait_until

pytestmark = [pytest.mark.terraform, pytest.mark.postgres]
ROWS = 1000
AUTO = ("--auto-approve",)
ANSWERED = [word for item in EVERY_UPGRADE if item is not Item.ALARMS for word in ("--acknowledge", item)]

# A size above production's own, and every other change that a tenant may have before its window ends.
WHILE_IT_SOAKS = (
    ("rotate",),
    ("rotate", "--what", "master"),
    ("resize", "--size", "medium"),
    ("resize", "--storage-gb", "60"),
    ("suspend",),
    ("resume",),
)
ENDS = {
    "rollback": ("rollback", "acme"),
    "finalize": ("finalize", "acme", "--override", "--reason", "a test"),
}


@pytest.fixture
def company(machine: Machine) -> Iterator[Machine]:
    """Each thing is done as the role for it; whatever the story, the role's own policy held it."""
    take_roles(machine)
    with team(machine) as made:
        yield made
        assert beyond_policy(called(made)) == {}


def settings(machine: Machine) -> Settings:
    data = machine.folder / ".controlplane"
    return Settings(database_url=f"sqlite:///{machine.folder / 'tenants.db'}", data_dir=data)


def sql(machine: Machine, slug: str, *statements: Any) -> list[Any]:
    """As the tenant's application: what Secrets Manager says is all that it knows."""
    uid = ask(machine, "tenant", "show", slug)["uid"]
    return wiring.run_as_application(settings(machine), slug, uid, statements)


def fill(machine: Machine, slug: str) -> None:
    sql(
        machine,
        slug,
        "CREATE TABLE visit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, who text NOT NULL)",
        f"INSERT INTO visit (who) SELECT 'early' FROM generate_series(1, {ROWS})",
    )


def count(machine: Machine, slug: str, who: str = "early") -> int:
    return int(sql(machine, slug, f"SELECT count(*) FROM visit WHERE who = '{who}'")[0][0][0])


def change(machine: Machine, *words: str) -> dict[str, Any]:
    told = run(machine, *words, *AUTO, "-o", "json")
    return dict(json.loads(told[told.index("{") : told.rindex("}") + 1]))


def add_production(machine: Machine) -> None:
    """With somebody who answers for whatever its launch asks."""
    production = (BLUEPRINT, "--environment", "production")
    listed = ask(machine, "blueprint", "checklist", *production)["items"]
    answered = [word for one in listed if not one["met"] for word in ("--acknowledge", one["item"])]
    run(machine, "blueprint", "apply", *production, *answered, *AUTO)


def destroy(machine: Machine, slug: str) -> None:
    run(machine, "tenant", "destroy", slug, "--confirm", slug, *AUTO)


@contextmanager
def writer(machine: Machine, slug: str) -> Iterator[list[int]]:
    """An application that goes on writing; the ids that were acknowledged."""
    known: list[int] = []
    over = threading.Event()

    def write() -> None:
        while not over.wait(2):
            with suppress(ControlPlaneError):  # fenced, moved, not yet there: it tries again
                [[row]] = sql(machine, slug, "INSERT INTO visit (who) VALUES ('writer') RETURNING id")
                known.append(int(row[0]))

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield known
    finally:
        over.set()
        thread.join(120)


@pytest.mark.timeout(1800)
def test_a_tenant_leaves_and_comes_back_with_its_rows(company: Machine) -> None:
    promised = ask(company, "tenant", "create", "acme", "--dry-run")
    assert 'module.database["e1"].aws_db_instance.this' in str(promised["plan"]["changes"])
    run(company, "tenant", "create", "acme")
    fill(company, "acme")
    kept = ask(company, "tenant", "destroy", "acme", "--confirm", "acme", "--dry-run")
    assert {c["action"] for c in kept["plan"]["changes"]} == {"delete"}
    destroy(company, "acme")
    said = ask(company, "tenant", "explain", "acme")
    assert "restorable until" in said["evidence"][0]
    run(company, "tenant", "restore", "acme", *AUTO)
    assert ask(company, "tenant", "show", "acme")["epoch"] == 2
    assert count(company, "acme") == ROWS
    assert set(called(company)) == {"own", *ROLES}


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_rows_come_through_a_whole_life(company: Machine) -> None:
    production = (BLUEPRINT, "--environment", "production")
    listed = ask(company, "blueprint", "checklist", *production)["items"]
    answered = [word for one in listed if not one["met"] for word in ("--acknowledge", one["item"])]
    run(company, "blueprint", "apply", *production, *answered, *AUTO)
    run(company, "tenant", "create", "acme")
    fill(company, "acme")
    with writer(company, "acme") as known:
        run(company, "tenant", "upgrade", "acme", *ANSWERED, *AUTO)
        assert ask(company, "tenant", "show", "acme")["stage"] == "production"
        run(company, "migration", "rollback", "acme", "--accept-loss", *AUTO)
        assert ask(company, "tenant", "show", "acme")["stage"] == "poc"
        del known[:]  # what was written between switch and return was given up by name
        run(company, "tenant", "upgrade", "acme", *AUTO)
        run(company, "migration", "finalize", "acme", "--override", "--reason", "a test", *AUTO)
    assert known
    held = {int(row[0]) for row in sql(company, "acme", "SELECT id FROM visit")[0]}
    assert set(known) <= held
    for verb in (("resize", "acme", "--size", "medium"), ("suspend", "acme"), ("resume", "acme")):
        run(company, "tenant", *verb, *AUTO)
    destroy(company, "acme")
    run(company, "tenant", "restore", "acme", *AUTO)
    tenant = ask(company, "tenant", "show", "acme")
    assert (tenant["phase"], tenant["size"], tenant["stage"]) == ("ready", "medium", "production")
    assert count(company, "acme") == ROWS
    assert {int(row[0]) for row in sql(company, "acme", "SELECT id FROM visit")[0]} == held


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_rows_travel_to_production_and_back_while_an_application_writes(company: Machine) -> None:
    travels = ("--strategy", "logical_replication")
    add_production(company)
    run(company, "tenant", "create", "acme")
    fill(company, "acme")
    with writer(company, "acme") as known:
        run(company, "tenant", "upgrade", "acme", *travels, *ANSWERED, *AUTO)
        moved = ask(company, "migration", "show", "acme")
        assert (moved["state"], moved["truth"]) == ("soaking", "e2")
        assert moved["rollback_loses"].startswith("nothing")
        one_more(known)
        run(company, "migration", "rollback", "acme", *AUTO)
        assert ask(company, "tenant", "show", "acme")["stage"] == "poc"
        one_more(known)
        run(company, "tenant", "upgrade", "acme", *travels, *AUTO)
        one_more(known)
        run(company, "migration", "finalize", "acme", "--override", "--reason", "a test", *AUTO)
    held = [int(row[0]) for row in sql(company, "acme", "SELECT id FROM visit")[0]]
    assert set(known) <= set(held)
    assert len(held) == len(set(held))
    assert count(company, "acme") == ROWS
    nothing_to_plan(company, "acme")


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("end", ENDS)
def test_a_soaking_tenant_is_changed_and_both_ways_stay_open(company: Machine, end: str) -> None:
    """Every change leaves nothing to plan; so does the end of the window behind them."""
    add_production(company)
    run(company, "tenant", "create", "acme")
    fill(company, "acme")
    with writer(company, "acme") as known:
        run(company, "tenant", "upgrade", "acme", "--strategy", "logical_replication", *ANSWERED, *AUTO)
        for words in WHILE_IT_SOAKS:
            run(company, "tenant", words[0], "acme", *words[1:], *AUTO)
            if words[0] != "suspend":
                nothing_to_plan(company, "acme")
        one_more(known)
        moved = ask(company, "migration", "show", "acme")
        assert (moved["state"], moved["truth"]) == ("soaking", "e2")
        assert moved["rollback_loses"].startswith("nothing")
        run(company, "migration", *ENDS[end], *AUTO)
        one_more(known)
    nothing_to_plan(company, "acme")
    assert set(known) <= {int(row[0]) for row in sql(company, "acme", "SELECT id FROM visit")[0]}
    assert count(company, "acme") == ROWS
    assert len(databases(company)) == 1


def nothing_to_plan(machine: Machine, slug: str) -> None:
    again = change(machine, "tenant", "reconcile", slug)
    assert again["status"] == "no_changes", again


def one_more(known: list[int]) -> None:
    """Whatever side it is on, the application goes on."""
    before = len(known)
    wait_until("another row is acknowledged", lambda: len(known) > before, 120)


@pytest.mark.long
@pytest.mark.timeout(5400)
def test_one_slug_lives_twice_and_is_empty_the_second_time(company: Machine) -> None:
    for life in (1, 2):
        run(company, "tenant", "create", "acme")
        assert ask(company, "tenant", "show", "acme")["epoch"] == life
        fill(company, "acme")  # the table is not there: this is another database
        destroy(company, "acme")


@pytest.mark.long
@pytest.mark.timeout(5400)
def test_what_was_deleted_stands_beside_the_tenant_as_it_was_at_a_time(company: Machine) -> None:
    run(company, "tenant", "create", "acme")
    fill(company, "acme")
    [[[at]]] = sql(company, "acme", "SELECT now() + interval '1 second'")
    sql(company, "acme", "SELECT pg_sleep(3)")
    sql(company, "acme", "DELETE FROM visit")
    moment = at.astimezone(UTC).isoformat()
    run(company, "tenant", "restore", "acme", "--at", moment, "--as", "acme-then", *AUTO)
    assert (count(company, "acme"), count(company, "acme-then")) == (0, ROWS)
    nothing_to_plan(company, "acme-then")
    destroy(company, "acme")
    run(company, "tenant", "restore", "acme", "--at", moment, *AUTO)
    assert count(company, "acme") == ROWS
    assert datetime.fromisoformat(moment) < datetime.now(UTC)


@pytest.mark.long
@pytest.mark.timeout(5400)
def test_a_backup_is_drilled_beside_a_writing_tenant_and_nothing_stays(company: Machine) -> None:
    run(company, "tenant", "create", "acme")
    fill(company, "acme")
    with writer(company, "acme") as known:
        drilled = change(company, "tenant", "drill", "acme")
    assert drilled["status"] == "succeeded", drilled
    assert known
    report = drilled["response"]
    assert all(one["passed"] for one in report["checks"])
    (shown,) = ask(company, "drill", "list")["items"]
    assert (shown["tenant"], shown["status"]) == ("acme", "succeeded")
    assert ask(company, "catalog", "orphans")["items"] == []
    assert [one["DBInstanceIdentifier"].split("-")[0] for one in databases(company)] == ["acme"]
    assert snapshots(company) == []
    assert {row[0] for row in sql(company, "acme", "SELECT id FROM visit")[0]} >= set(known)


@pytest.mark.long
@pytest.mark.timeout(5400)
def test_a_database_that_somebody_made_becomes_a_tenant_with_its_rows(company: Machine) -> None:
    legacy = made_by_hand(company)
    (found,) = ask(company, "tenant", "adopt", "--discover")["items"]
    assert (found["identifier"], found["proposed_slug"]) == (legacy, legacy)
    run(company, *found["next_command"].split()[1:], *AUTO)
    tenant = ask(company, "tenant", "show", legacy)
    assert (tenant["phase"], tenant["unverified"]) == ("ready", True)
    nothing_to_plan(company, legacy)
    run(company, "tenant", "rotate", legacy, "--what", "master", *AUTO)
    assert ask(company, "tenant", "show", legacy)["unverified"] is False
    assert sql(company, legacy, "SELECT 1")[0] == [(1,)]


def databases(machine: Machine) -> list[dict[str, Any]]:
    return list(client(machine, "rds").describe_db_instances()["DBInstances"])


def snapshots(machine: Machine) -> list[dict[str, Any]]:
    return list(client(machine, "rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"])


def made_by_hand(machine: Machine) -> str:
    rds = client(machine, "rds")
    rds.create_db_instance(
        DBInstanceIdentifier="legacy",
        DBInstanceClass="db.t4g.small",
        Engine="postgres",
        EngineVersion="16",
        AllocatedStorage=20,
        DBName="orders",
        MasterUsername="postgres",
        MasterUserPassword="Long-enough-1",
        StorageEncrypted=True,
        StorageType="gp3",
        BackupRetentionPeriod=1,
    )
    rds.get_waiter("db_instance_available").wait(
        DBInstanceIdentifier="legacy", WaiterConfig={"Delay": 2, "MaxAttempts": 120}
    )
    return "legacy"
