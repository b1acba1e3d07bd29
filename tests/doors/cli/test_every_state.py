"""Whatever is not over says why, what speaks for it, who may act, and a command that this program has."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import update
from typer.main import get_command

from controlplane.catalog import load as load_catalog
from controlplane.domain.explain import RunState
from controlplane.domain.migration.states import FINAL as MOVED
from controlplane.domain.migration.states import OF_TENANT, State, Strategy
from controlplane.domain.operation import FINAL, Status
from controlplane.domain.tenant import Phase
from controlplane.operations import Create
from controlplane.services import migrations, operations, tenants
from controlplane.services.actor import Actor, Role
from controlplane.services.control import Ask, Control
from controlplane.services.explain import explain
from controlplane.store import moves
from controlplane.store import tenants as rows
from controlplane.store.database import connect, open_database
from controlplane.store.migrate import migrate
from controlplane.store.moves import Migration
from controlplane.store.tables import Operation, Run, Tenant
from controlplane.terminal.app import app
from tests.operations.house import add_platforms

ADMIN = Actor("local:ann", Role.ADMIN)
OPEN = [status for status in Status if status not in FINAL]


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    url = f"sqlite:///{tmp_path_factory.mktemp('catalog') / 'tenants.db'}"
    first = connect(url)
    migrate(first)
    first.close()
    db = open_database(url)
    add_platforms(db)
    yield Control(db, load_catalog(), worker_lives=lambda cell: True)
    db.close()


@pytest.fixture(scope="module")
def operation(control: Control) -> str:
    """A create that somebody asked for; each test says how far it and its tenant are."""
    return str(tenants.create(control, ADMIN, Create(slug="acme"), Ask())["id"])


def change(control: Control, table: Any, **values: Any) -> None:
    with control.db.write() as session:
        session.execute(update(table).values(**values))


def assert_is_a_command(line: str) -> None:
    """Parsed as the program parses it: names, options and what has to be given."""
    first, *words = shlex.split(line)
    assert first == "controlplane", line
    command: Any = get_command(app)
    while hasattr(command, "commands"):
        command = command.get_command(None, words.pop(0)) if words else None
        assert command is not None, line
    command.make_context(line, words)


def assert_says_what_next(said: dict[str, Any]) -> None:
    for word in ("cause", "evidence", "who_may_act", "next_command"):
        assert said[word], (word, said)
    assert_is_a_command(said["next_command"])


@pytest.mark.parametrize("workers", [True, False])
@pytest.mark.parametrize("status", OPEN)
def test_every_open_status_of_an_operation(
    control: Control, operation: str, status: Status, workers: bool
) -> None:
    here = replace(control, worker_lives=lambda cell: workers)
    change(here, Tenant, phase=Phase.REQUESTED.value)
    change(here, Operation, status=status.value, next_command="")
    assert_says_what_next(operations.show(here, ADMIN, operation)["metadata"])
    assert_says_what_next(explain(here, ADMIN, "acme"))


@pytest.mark.parametrize("phase", list(Phase))
def test_every_phase_of_a_tenant(control: Control, operation: str, phase: Phase) -> None:
    assert operation
    change(control, Tenant, phase=phase.value)
    for status in Status:
        change(control, Operation, status=status.value, next_command="")
        assert_says_what_next(explain(control, ADMIN, "acme"))


@pytest.mark.parametrize("state", [state for state in State if state not in MOVED])
def test_every_open_state_of_a_migration(control: Control, operation: str, state: State) -> None:
    change(control, Tenant, phase=Phase.MIGRATING.value, migration_state=OF_TENANT[state].value)
    with control.db.write() as session:
        tenant = rows.find(session, "acme")
        assert tenant is not None
        moves.begin(session, moving(operation, tenant.uid, control.now()))
    change(control, Migration, state=state.value)
    for status in (Status.APPLYING, Status.NEEDS_OPERATOR, Status.FAILED):
        change(control, Operation, status=status.value, next_command="")
        assert_says_what_next(migrations.show(control, ADMIN, "acme"))
        assert_says_what_next(explain(control, ADMIN, "acme"))


def moving(operation: str, uid: str, now: datetime) -> Migration:
    return Migration(
        id=operation,
        tenant_uid=uid,
        holder=operation,
        strategy=Strategy.SNAPSHOT_RESTORE.value,
        state=State.REQUESTED.value,
        from_epoch=1,
        to_epoch=2,
        token="t",
        requested_by="ann",
        outage_minutes=5,
        created_at=now,
    )


@pytest.mark.parametrize("lease", [0.0, 4e9])
@pytest.mark.parametrize("state", [RunState.ORDERED, RunState.CLAIMED, RunState.RUNNING])
def test_every_open_state_of_a_run(control: Control, operation: str, state: RunState, lease: float) -> None:
    change(control, Operation, status=Status.APPLYING.value)
    with control.db.write() as session:
        session.merge(
            Run(
                id="the-run",
                operation_id=operation,
                workspace_id="w",
                verb="apply",
                status=state.value,
                host="h:1",
                lease_until=lease,
            )
        )
    said = explain(control, ADMIN, "acme")
    assert_says_what_next(said)
    told = next(line for line in said["evidence"] if "the-run" in line)
    assert_is_a_command(told.rpartition("(")[2].removesuffix(")"))
