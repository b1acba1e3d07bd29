"""The fleet looks after itself, on the sandbox: what somebody changed outside is found and taken back; what a
tenant does not need is found in its metrics, taken away, looked at again, and given back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controlplane.sandbox import lifecycle
from tests.e2e.by_hand import Hand
from tests.e2e.machine import Machine
from tests.e2e.team import ask, execute, run, team

pytestmark = [pytest.mark.terraform, pytest.mark.postgres, pytest.mark.timeout(1800)]
TENANT, GIGABYTE = "acme", 1024**3


@pytest.fixture
def company(machine: Machine) -> Iterator[Machine]:
    with team(machine) as made:
        run(made, "tenant", "create", TENANT, "--size", "small")
        yield made


def identifier(machine: Machine) -> str:
    return str(ask(machine, "tenant", "show", TENANT)["slots"][0]["identifier"])


def scanned(machine: Machine, *words: str) -> dict[str, Any]:
    return ask(machine, "drift", "scan", *words)


def found(machine: Machine, status: str = "open") -> dict[str, dict[str, Any]]:
    items = ask(machine, "drift", "list", "--status", status)["items"]
    return {str(one["attribute"]).rpartition("aws_")[2]: one for one in items}


def test_what_was_changed_outside_is_found_accepted_or_taken_back(company: Machine) -> None:
    database, aws = identifier(company), Hand(company, "", "")
    assert scanned(company, "--full")["planned"][0]["items"] == []
    aws.client("cloudwatch").delete_alarms(AlarmNames=[f"{database}-cpu-warning"])
    aws.client("rds").modify_db_instance(
        DBInstanceIdentifier=database, PubliclyAccessible=True, BackupRetentionPeriod=3, ApplyImmediately=True
    )
    scanned(company, "--full")
    differing = found(company)
    assert set(differing) == {"public", "backup_days", 'cloudwatch_metric_alarm.this["cpu-warning"]'}
    run(company, "drift", "accept", str(differing["backup_days"]["id"]), "--reason", "three days are wanted")
    run(company, "drift", "reconcile", str(differing["public"]["id"]), "--auto-approve")
    assert run(company, "schedule", "run", "drift-full").count("drift-full: done") == 1
    assert found(company) == {}
    (there,) = aws.client("rds").describe_db_instances()["DBInstances"]
    assert (there["PubliclyAccessible"], there["BackupRetentionPeriod"]) == (False, 3)


@pytest.mark.long
def test_what_is_not_needed_is_taken_away_looked_at_again_and_given_back(company: Machine) -> None:
    database = identifier(company)
    measured(company, database, days=14, cpu=3, free_gb=1.8)
    assert ask(company, "rightsize", "scan")["inbox"] == {"new": 1}
    (down,) = ask(company, "rightsize", "list")["items"]
    assert (down["current_size"], down["target_size"]) == ("small", "micro")
    run(company, "rightsize", "apply", str(down["id"]))
    run(company, "rightsize", "scan")
    assert ask(company, "rightsize", "show", str(down["id"]))["status"] == "applied"
    for table, column in (("recommendation", "decided_at"), ("operation", "ended_at")):
        execute(company, f"UPDATE {table} SET {column} = datetime({column}, '-30 hours') || '.000000'")
    measured(company, database, days=1, cpu=96, free_gb=0.1)
    run(company, "rightsize", "scan")
    (back,) = ask(company, "rightsize", "list")["items"]
    assert (back["kind"], back["current_size"], back["target_size"]) == ("revert", "micro", "small")
    assert ask(company, "rightsize", "show", str(down["id"]))["outcome"] == "worse"


def measured(machine: Machine, database: str, *, days: int, cpu: float, free_gb: float) -> None:
    """What CloudWatch shows of so many days, until now."""
    steady = {
        "CPUUtilization": cpu,
        "FreeableMemory": free_gb * GIGABYTE,
        "FreeStorageSpace": 15 * GIGABYTE,
        "DatabaseConnections": 5,
        "SwapUsage": 0,
        "CPUCreditBalance": 0 if cpu > 90 else 570,
    }
    traces = {name: {"period": 300, "values": [value] * days * 288} for name, value in steady.items()}
    file = Path(machine.folder / "traces.json")
    file.write_text(json.dumps({database: traces}))
    info = lifecycle.status(machine.folder / ".controlplane" / "sandbox").info
    assert info is not None
    assert lifecycle.load_metrics(info, file) > 0
