"""The control plane is stopped, an engineer goes on by hand, and hands back. Nobody is in anybody's way.

What the engineer has: the rendered folder, an API token, Terraform, and credentials for AWS.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.by_hand import Hand, hand
from tests.e2e.machine import Machine
from tests.e2e.team import ask, rows, run, team, wait_until

pytestmark = [pytest.mark.terraform, pytest.mark.postgres, pytest.mark.timeout(1500)]
APPLYING = "SELECT id FROM run WHERE verb = 'apply' AND status = 'running' AND pid > 0"
PLANS = "SELECT count(*) AS number FROM run WHERE verb = 'plan'"
EXPORTED = "tenant.auto.tfvars.json"


@pytest.fixture
def company(machine: Machine) -> Iterator[Machine]:
    with team(machine) as made:
        run(made, "tenant", "create", "acme")
        yield made


def test_an_engineer_takes_over_and_hands_back(company: Machine) -> None:
    with hand(company) as engineer:
        code, told = engineer.plan("acme")
        assert code == 0, told
        mend_by_hand(engineer)
        worker = company.start("worker")
        assert reconciled(company) == "no_changes"
        meet_a_run_of_ours(company, engineer)
        code, told = engineer.plan("acme")
        assert code == 0, told
        edit_by_hand(company, engineer)
        worker.send(signal.SIGTERM)
        worker.wait(60)
        code, told = engineer.plan("acme")
        assert code == 0, told


def reconciled(machine: Machine, *words: str) -> str:
    return str(ask(machine, "tenant", "reconcile", "acme", "--auto-approve", *words)["status"])


def mend_by_hand(engineer: Hand) -> None:
    """Somebody deleted an alarm. The engineer's own apply brings it back, and we store the state of it."""
    alarms = engineer.client("cloudwatch")
    name = alarms.describe_alarms(AlarmNamePrefix="acme-")["MetricAlarms"][0]["AlarmName"]
    alarms.delete_alarms(AlarmNames=[name])
    code, told = engineer.terraform(engineer.folder("acme"), "apply", "-no-color", "-auto-approve")
    assert code == 0 and "1 added, 0 changed, 0 destroyed" in told, told
    assert [a["AlarmName"] for a in alarms.describe_alarms(AlarmNames=[name])["MetricAlarms"]] == [name]
    written = "SELECT written_by FROM state_version ORDER BY seq DESC LIMIT 1"
    assert "engineer" in rows(engineer.machine, written)[0]["written_by"]


def meet_a_run_of_ours(machine: Machine, engineer: Hand) -> None:
    """While our apply goes on, Terraform by hand is told whose the lock is, and cannot take it away."""
    operation = ask(machine, "tenant", "resize", "acme", "--size", "small", "--no-wait", "--auto-approve")
    wait_until("our apply runs", lambda: bool(rows(machine, APPLYING)))
    ours = f"run:{rows(machine, APPLYING)[0]['id']}"
    folder = engineer.copy("acme")  # in ours the backend is that of the run, as long as it goes on
    code, told = engineer.terraform(folder, "plan", "-no-color", "-lock-timeout=0s")
    assert code == 1, told
    assert "Error acquiring the state lock" in told
    assert ours in told and str(operation["id"]) in told
    code, told = engineer.terraform(folder, "force-unlock", "-no-color", "-force", ours)
    assert code == 1, told
    held = "SELECT lock_id FROM state_lock"
    assert [row["lock_id"] for row in rows(machine, held)] == [ours]
    view = ask(machine, "operation", "show", str(operation["id"]))
    assert view["status"] == "applying"
    wait_until("the resize is done", lambda: rows(machine, held) == [])
    wait_until("the resize is over", lambda: is_over(machine, str(operation["id"])))
    assert ask(machine, "operation", "show", str(operation["id"]))["status"] == "succeeded"


def is_over(machine: Machine, operation: str) -> bool:
    return bool(ask(machine, "operation", "show", operation)["done"])


def edit_by_hand(machine: Machine, engineer: Hand) -> None:
    """A rendered file that was edited is named before anything is planned; on request it is written over."""
    file = engineer.folder("acme") / EXPORTED
    values: dict[str, Any] = json.loads(file.read_text())
    values["slots"]["e1"]["storage_gb"] = 999
    file.write_text(json.dumps(values))
    before = rows(machine, PLANS)
    code, told = machine.run("tenant", "reconcile", "acme")
    assert code != 0 and EXPORTED in told and "--discard-edits" in told, told
    assert rows(machine, PLANS) == before
    assert reconciled(machine, "--discard-edits") == "no_changes"
    assert json.loads(file.read_text())["slots"]["e1"]["storage_gb"] != 999
