"""Terraform is killed at every moment of a tenant's life, wherever states are kept: nothing is made again.

Six tenants at once. One is left alone; of the others Terraform is killed at another moment each, in the
create, in a resize and in the destroy. Afterwards all have the same in AWS, and want nothing more.
"""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.e2e.faults import asked_of_all, inject, lived, planned_again, rule
from tests.e2e.machine import Machine
from tests.e2e.team import SECONDS, client, company_of, rows

pytestmark = [pytest.mark.terraform, pytest.mark.postgres, pytest.mark.long, pytest.mark.timeout(3600)]
HOMES = {"catalog": "", "bucket": "s3://states/fleet"}
PLAIN = "plain"
# What Terraform has said when it is killed.
MOMENTS = {
    "create": {
        "planning": "plan for operation%",
        "others": "%aws_ssm_parameter.this: Creation complete%",
        "asked": "%aws_db_instance.this: Creating...%",
        "amid": "%aws_db_instance.this: Still creating%",
        "made": "%aws_db_instance.this: Creation complete%",
    },
    "resize": {
        "planning": "plan for operation%",
        "others": "apply for operation%",
        "asked": "%aws_db_instance.this: Modifying...%",
        "amid": "%aws_db_instance.this: Still modifying%",
        "made": "%aws_db_instance.this: Modifications complete%",
    },
    "destroy": {
        "planning": "plan for operation%",
        "others": "%aws_db_instance.this: Modifying...%",
        "asked": "%aws_db_instance.this: Destroying...%",
        "amid": "%aws_db_instance.this: Still destroying%",
        "made": "%aws_db_instance.this: Destruction complete%",
    },
}
# Terraform's own end follows at once: mostly met, and no defect where it is not.
FLEETING = {("create", "made"), ("resize", "made")}
SLUGS = (PLAIN, *MOMENTS["create"])
# Between the end of the database and that of Terraform is one call, which is over too soon to be met.
HELD_UP = [rule("DeleteLogGroup", "throttle", "*made*", count=4)]
AT_THAT = """
    SELECT run.pid FROM run JOIN operation ON operation.id = run.operation_id
    WHERE operation.tenant_slug = ? AND operation.kind = ? AND run.status = 'running' AND run.pid > 0
    AND EXISTS (SELECT 1 FROM run_line WHERE run_line.run_id = run.id AND run_line.text LIKE ?)
"""
OVER = "SELECT 1 FROM operation WHERE tenant_slug = ? AND kind = ? AND ended_at IS NOT NULL"


@pytest.mark.parametrize("home", HOMES)
def test_a_life_in_which_terraform_is_killed_ends_as_one_in_which_it_is_not(
    machine: Machine, home: str
) -> None:
    if HOMES[home]:
        machine.settings["CONTROLPLANE_STATE"] = HOMES[home]
    with company_of(machine) as company:
        for verb, moments in MOMENTS.items():
            inject(company, HELD_UP)
            with ThreadPoolExecutor(1) as beside:  # the first may be far while the last is asked for
                killed = beside.submit(kill_each, company, verb, moments)
                asked = asked_of_all(company, SLUGS, verb)
                killed.result()
            before = databases(company)
            there = lived(company, asked, verb)
            assert there == dict.fromkeys(SLUGS, there[PLAIN]), verb
            if verb != "destroy":
                assert before <= databases(company), "none was replaced"
                assert {planned_again(company, slug) for slug in SLUGS} == {"no_changes"}


def kill_each(machine: Machine, verb: str, moments: dict[str, str]) -> None:
    """Terraform and all its children, of each tenant at its moment."""
    left, end = dict(moments), time.monotonic() + SECONDS
    while left:
        assert time.monotonic() < end, left
        for slug, said in list(left.items()):
            found = rows(machine, AT_THAT, slug, verb, said)
            if not (found and is_killed(found[0]["pid"])):
                if not rows(machine, OVER, slug, verb):
                    continue
                assert (verb, slug) in FLEETING, f"{slug} is over, and never was at {said!r}"
            del left[slug]
        time.sleep(0.05)


def is_killed(pid: str) -> bool:
    """False: it has ended by itself since we looked."""
    with suppress(ProcessLookupError):
        os.killpg(int(pid), signal.SIGKILL)
        return True
    return False


def databases(machine: Machine) -> set[str]:
    found = client(machine, "rds").describe_db_instances()["DBInstances"]
    return {str(one["DbiResourceId"]) for one in found}
