"""Real Terraform is killed in the middle of creating real databases; everything settles, nothing is doubled.

Three tenants are created at once. While RDS creates their databases the worker is killed, of the first tenant
Terraform too, of the second its supervisor as well. Another worker finds all three and brings them to ready.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.by_hand import hand
from tests.e2e.machine import Machine, Running
from tests.e2e.team import CREATING, ask, rows, run, team, wait_until

pytestmark = [pytest.mark.terraform, pytest.mark.postgres, pytest.mark.timeout(1500)]
SLUGS = ("first", "second", "third")


@pytest.fixture
def sandbox(machine: Machine) -> Iterator[Machine]:
    with team(machine) as made:
        yield made


def parent_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("PPid:")).split()[1])


def kill_in_the_middle(machine: Machine, worker: Running) -> None:
    """The worker; Terraform of the first two; the supervisor of the second before that."""
    pids = {row["slug"]: row["pid"] for row in rows(machine, CREATING)}
    worker.send(signal.SIGKILL)
    worker.wait(30)
    os.kill(parent_of(pids["second"]), signal.SIGKILL)
    for slug in ("first", "second"):
        os.killpg(os.getpgid(pids[slug]), signal.SIGKILL)


def all_ready(machine: Machine) -> bool:
    creates = rows(
        machine, "SELECT tenant_slug, status, waiting_for, error FROM operation WHERE kind = 'create'"
    )
    assert not [row for row in creates if row["status"] in ("failed", "needs_operator")], creates
    return [row["status"] for row in creates] == ["succeeded"] * len(SLUGS)


def test_killed_creates_settle_without_a_second_database(sandbox: Machine) -> None:
    worker = sandbox.start("worker")
    for slug in SLUGS:
        run(sandbox, "tenant", "create", slug, "--no-wait")
    wait_until("all three are being created", lambda: len(rows(sandbox, CREATING)) == len(SLUGS))
    kill_in_the_middle(sandbox, worker)
    successor = sandbox.start("worker")
    try:
        wait_until("all three are ready", lambda: all_ready(sandbox))
    finally:
        successor.send(signal.SIGTERM)
        successor.wait(60)
    attempts = rows(sandbox, "SELECT tenant_slug, attempt FROM operation WHERE kind = 'create' ORDER BY seq")
    assert [row["attempt"] for row in attempts] == [2, 2, 1]
    assert len(ask(sandbox, "sandbox", "status")["instances"]) == len(SLUGS)
    with hand(sandbox) as engineer:
        for slug in SLUGS:
            tenant = ask(sandbox, "tenant", "show", slug)
            assert (tenant["phase"], tenant["unverified"]) == ("ready", False)
            code, told = engineer.plan(slug)
            assert code == 0, told
