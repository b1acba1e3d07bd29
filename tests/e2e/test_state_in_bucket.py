"""States in S3: Terraform is killed while RDS creates, it is settled, and an engineer goes on without us."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.e2e.by_hand import hand
from tests.e2e.faults import brought_to, planned_again
from tests.e2e.machine import Machine
from tests.e2e.team import CREATING, ask, begin, client, company_of, ended, rows, run, wait_until

pytestmark = [
    pytest.mark.terraform,
    pytest.mark.postgres,
    pytest.mark.long,
    pytest.mark.timeout(2400),
]
BUCKET = "states"


@pytest.fixture
def company(machine: Machine) -> Iterator[Machine]:
    machine.settings["CONTROLPLANE_STATE"] = f"s3://{BUCKET}/fleet"
    with company_of(machine) as made:
        yield made


def test_killed_terraform_is_settled_and_plain_terraform_sees_what_we_see(company: Machine) -> None:
    operation = begin(company, "create", "acme")
    wait_until("RDS creates", lambda: bool(rows(company, CREATING)))
    os.killpg(int(rows(company, CREATING)[0]["pid"]), signal.SIGKILL)
    ended(company, operation)
    brought_to(company, "acme", phase="ready")
    assert len(ask(company, "sandbox", "status")["instances"]) == 1
    assert planned_again(company, "acme") == "no_changes"
    with hand(company) as engineer:
        folder = engineer.folder("acme")
        code, told = engineer.terraform(folder, "init", "-no-color", "-backend-config=backend.s3.tfbackend")
        assert code == 0, told
        code, told = engineer.terraform(folder, "plan", "-no-color", "-detailed-exitcode")
        assert code == 0, told
    assert _keys(company, ".tflock") == []
    assert "keeps versions, encrypts by aws:kms" in run(company, "doctor", "-o", "json")


def _keys(machine: Machine, end: str) -> list[str]:
    found = client(machine, "s3").list_objects_v2(Bucket=BUCKET)["Contents"]
    return [one["Key"] for one in found if one["Key"].endswith(end)]
