"""A person cancels real Terraform: while it plans, while RDS creates, and insisting; then it is settled.

Three tenants in one sandbox. Of one the state is lost once it is ready.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import pytest

from tests.e2e.by_hand import hand
from tests.e2e.machine import Machine
from tests.e2e.team import CREATING, ask, begin, company_of, ended, execute, rows, run, shown, wait_until

pytestmark = [pytest.mark.terraform, pytest.mark.postgres, pytest.mark.timeout(1800)]
PLANNING = "SELECT 1 FROM run WHERE operation_id = ? AND verb = 'plan' AND status = 'running' AND pid > 0"
PLAN, LATE, INSIST = "dropped", "late", "insisted"


@pytest.fixture
def company(machine: Machine) -> Iterator[Machine]:
    with company_of(machine) as made:
        yield made


def story(machine: Machine, operation: str) -> str:
    lines = rows(machine, "SELECT text FROM operation_event WHERE operation_id = ? ORDER BY seq", operation)
    return "\n".join(line["text"] for line in lines)


def instances(machine: Machine, slug: str) -> list[str]:
    found = ask(machine, "sandbox", "status")["instances"]
    return [i for i in (str(one["identifier"]) for one in found) if i.startswith(f"{slug}-")]


def is_creating(machine: Machine, operation: str) -> bool:
    return operation in [row["operation"] for row in rows(machine, CREATING)]


def test_three_outcomes_of_a_cancel_and_a_state_that_is_lost(company: Machine) -> None:
    while_it_plans(company)
    late, insisted = begin(company, "create", LATE), begin(company, "create", INSIST)
    for operation in (late, insisted):
        wait_until("RDS creates", lambda operation=operation: is_creating(company, operation))
    run(company, "operation", "cancel", late, "--no-wait")
    run(company, "operation", "cancel", insisted, "--insist", "--no-wait")
    too_late_and_finishing(company, late)
    tainted_and_taken_over(company, insisted)
    lost_and_adopted(company, LATE)
    with hand(company) as engineer:
        for slug in (LATE, INSIST):
            code, told = engineer.plan(slug)
            assert code == 0, told


def while_it_plans(machine: Machine) -> None:
    operation = begin(machine, "create", PLAN)
    wait_until("it plans", lambda: bool(rows(machine, PLANNING, operation)))
    run(machine, "operation", "cancel", operation, "--no-wait")
    assert ended(machine, operation) == "cancelled"
    assert instances(machine, PLAN) == []


def too_late_and_finishing(machine: Machine, operation: str) -> None:
    assert ended(machine, operation) == "succeeded"
    assert "too late to interrupt" in story(machine, operation)


def tainted_and_taken_over(machine: Machine, operation: str) -> None:
    assert ended(machine, operation) == "needs_operator"
    view = shown(machine, operation)
    assert "tainted" in view["metadata"]["problem"]["detail"]
    assert "operation settle" in view["metadata"]["problem"]["hint"]
    explained = ask(machine, "tenant", "explain", INSIST)
    assert explained["who_may_act"] == "an admin"
    run(machine, *str(explained["next_command"]).split()[1:])  # word for word
    assert shown(machine, operation)["status"] == "succeeded"
    assert len(instances(machine, INSIST)) == 1
    tenant = ask(machine, "tenant", "show", INSIST)
    assert (tenant["phase"], tenant["unverified"]) == ("ready", False)


def lost_and_adopted(machine: Machine, slug: str) -> None:
    workspace = f"tenant-{ask(machine, 'tenant', 'show', slug)['uid']}"
    execute(machine, "DELETE FROM state_version WHERE workspace_id = ?", workspace)
    rmtree(Path(machine.folder, ".controlplane", "workspaces", workspace, ".run"), ignore_errors=True)
    before = instances(machine, slug)
    operation = begin(machine, "reconcile", slug)
    assert ended(machine, operation) == "succeeded", shown(machine, operation)
    assert "to be adopted" in story(machine, operation)
    assert instances(machine, slug) == before
    assert ask(machine, "tenant", "show", slug)["phase"] == "ready"
