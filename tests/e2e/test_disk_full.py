"""The disk of the workspaces is really full while Terraform writes its state, after RDS made a database.

The worker sees a small file system of its own where the workspaces are; that needs a mount namespace, which
root has, and who may make user namespaces. Where neither is allowed the test is skipped and says so.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.faults import planned_again
from tests.e2e.machine import Machine, Running
from tests.e2e.team import CREATING, ask, begin, client, ended, rows, run, shown, team, wait_until

pytestmark = [pytest.mark.terraform, pytest.mark.postgres, pytest.mark.timeout(1500)]
_OWN_DISK = ("unshare", "--mount", *(() if os.geteuid() == 0 else ("--user", "--map-root-user")))
_MOUNTED = 'mount -t tmpfs -o size=4m,mode=755 none "$0" && exec "$@"'


def _refused(place: Path) -> str:
    """Why this machine gives us no file system; empty: it does."""
    words = [*_OWN_DISK, "sh", "-c", _MOUNTED, str(place), "true"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    except OSError as error:
        return f"there is no unshare: {error.strerror}"
    return done.stderr.strip() if done.returncode else ""


@pytest.fixture
def company(machine: Machine) -> Iterator[Machine]:
    refused = _refused(machine.folder)
    if refused:
        pytest.skip(f"no file system of our own: {refused}")
    with team(machine) as made:
        yield made


def workspaces(machine: Machine) -> Path:
    return machine.folder / ".controlplane" / "workspaces"


def filler(machine: Machine, worker: Running) -> Path:
    """A file on the worker's own disk, as it is seen from here."""
    return Path(f"/proc/{worker.pid}/root{workspaces(machine)}/filler")


def fill(file: Path) -> None:
    with file.open("wb", buffering=0) as full:
        for size in (65536, 512, 1):
            try:
                while full.write(b"x" * size):
                    pass
            except OSError:
                continue


def resource_ids(machine: Machine) -> list[str]:
    return [
        str(one["DbiResourceId"]) for one in client(machine, "rds").describe_db_instances()["DBInstances"]
    ]


def log(machine: Machine, operation: str) -> str:
    found = "SELECT text FROM run_line JOIN run ON run.id = run_id WHERE operation_id = ? ORDER BY at"
    return "\n".join(row["text"] for row in rows(machine, found, operation))


def test_a_full_disk_loses_nothing_and_is_named(company: Machine) -> None:
    within = (*_OWN_DISK, "sh", "-c", _MOUNTED, str(workspaces(company)))
    worker = company.start("worker", within=within)
    operation = begin(company, "create", "acme")
    wait_until("RDS creates", lambda: bool(rows(company, CREATING)))
    fill(filler(company, worker))
    assert ended(company, operation) == "needs_operator"
    problem: dict[str, Any] = shown(company, operation)["metadata"]["problem"]
    assert "no space left" in problem["detail"].lower()
    assert str(workspaces(company)) in problem["detail"]
    assert "free some space" in problem["hint"]
    assert "no space left on device" in log(company, operation)
    made = resource_ids(company)
    assert len(made) == 1
    filler(company, worker).unlink()
    command = str(ask(company, "tenant", "explain", "acme")["next_command"])
    run(company, *command.split()[1:])
    assert shown(company, operation)["status"] == "succeeded"
    assert resource_ids(company) == made
    worker.send(signal.SIGTERM)
    worker.wait(60)
    assert planned_again(company, "acme") == "no_changes"  # on the disk that everybody sees: rendered anew
