"""A team of one with a sandbox: the program's own words, and a look into its catalog."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import boto3

from tests.e2e.machine import Machine

SECONDS = 900
INSPECTOR = "inspector"  # who looks into AWS past the control plane
BLUEPRINT = "rds_per_tenant"  # databases alone: what tests here are about, in half the time
# Applies in which RDS is making a database at this moment.
CREATING = """
    SELECT run.pid, operation.id AS operation, operation.tenant_slug AS slug
    FROM run JOIN operation ON operation.id = run.operation_id
    WHERE run.verb = 'apply' AND run.status = 'running' AND EXISTS (SELECT 1 FROM run_line
    WHERE run_line.run_id = run.id AND run_line.text LIKE '%aws_db_instance.this: Still creating%')
"""


@contextmanager
def team(machine: Machine) -> Iterator[Machine]:
    """With a platform, so that tenants can be made."""
    machine.settings |= {"CONTROLPLANE_TWO_PERSON": "false", "CONTROLPLANE_BLUEPRINT": BLUEPRINT}
    run(machine, "sandbox", "start")
    try:
        run(machine, "blueprint", "apply", BLUEPRINT, "--auto-approve", "--timeout", "600")
        yield machine
    finally:
        machine.run("sandbox", "stop", seconds=60)


@contextmanager
def company_of(machine: Machine) -> Iterator[Machine]:
    """A team with a worker of its own, so that changes go on beside one another."""
    with team(machine) as made:
        worker = made.start("worker")
        try:
            yield made
        finally:
            worker.send(signal.SIGTERM)
            worker.wait(60)


def run(machine: Machine, *words: str) -> str:
    code, told = machine.run(*words, seconds=SECONDS)
    assert code == 0, (words, told[-3000:])
    return told


def ask(machine: Machine, *words: str) -> dict[str, Any]:
    return answer(run(machine, *words, "-o", "json"))


def answer(told: str) -> dict[str, Any]:
    """The document after the progress, which has braces of its own."""
    lines = told.splitlines()
    return dict(json.loads("\n".join(lines[lines.index("{") : len(lines) - lines[::-1].index("}")])))


def rows(machine: Machine, query: str, *values: object) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(machine.folder / "tenants.db", timeout=30)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query, values)]


def wait_until(what: str, true: Callable[[], bool], seconds: float = SECONDS, every: float = 1) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(every)


def execute(machine: Machine, statement: str, *values: object) -> None:
    """What no door does: harm."""
    with closing(sqlite3.connect(machine.folder / "tenants.db", timeout=30)) as connection, connection:
        connection.execute(statement, values)


def begin(machine: Machine, verb: str, slug: str, *more: str) -> str:
    """Ask for a change of a tenant, and leave it to the worker; its operation."""
    return str(ask(machine, "tenant", verb, slug, *more, "--no-wait", "--auto-approve")["id"])


def shown(machine: Machine, operation: str) -> dict[str, Any]:
    return ask(machine, "operation", "show", operation)


def ended(machine: Machine, operation: str) -> str:
    """Its status, once nothing goes on by itself."""
    found: list[str] = []

    def over() -> bool:
        view = shown(machine, operation)
        found[:] = [view["status"]]
        return view["done"] or view["status"] == "needs_operator"

    wait_until(f"{operation} is over", over, every=4)  # each look starts the program
    return found[0]


def sandbox_of(machine: Machine) -> dict[str, Any]:
    file = machine.folder / ".controlplane" / "sandbox" / "sandbox.json"
    return dict(json.loads(file.read_text()))


def client(machine: Machine, service: str) -> Any:
    """AWS without the control plane."""
    found = sandbox_of(machine)
    return boto3.client(
        service,
        region_name=str(found["region"]),
        endpoint_url=str(found["endpoint_url"]),
        aws_access_key_id=INSPECTOR,
        aws_secret_access_key=INSPECTOR,
    )
