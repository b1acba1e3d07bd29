"""Every state has a cause, evidence, somebody who may act, and a command that exists."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from controlplane.domain.explain import (
    MIGRATION_ROWS,
    OPERATION_ROWS,
    RUN_ROWS,
    TENANT_ROWS,
    Explanation,
    MigrationFacts,
    OperationFacts,
    RunFacts,
    RunState,
    TenantFacts,
    explain_migration,
    explain_operation,
    explain_run,
    explain_tenant,
)
from controlplane.domain.migration.states import State
from controlplane.domain.operation import Status
from controlplane.domain.tenant import Phase

AT = datetime(2025, 6, 2, 12, 0, tzinfo=UTC)
BARE, TENANT = OperationFacts("op1", "resize", "acme"), TenantFacts("acme")
FULL = replace(
    BARE, holder="op0", queue_position=3, digest="d1", expires_at=AT, opens_at=AT, evidence=("line",)
)
COMMANDS = {
    "operation": {"show", "log", "plan", "approve", "retry", "settle"},
    "tenant": {"show", "resume", "restore", "reconcile"},
    "migration": {"show", "finalize", "rollback"},
    "window": {"list"},
    "catalog": {"orphans"},
    "doctor": set(),
    "worker": {"--until-idle"},
}


def _check(said: Explanation) -> None:
    assert all(said.to_json().values())
    words = said.command.split()
    assert words[0] == "controlplane" and words[1] in COMMANDS
    assert len(words) == 2 or words[2] in COMMANDS[words[1]]


@pytest.mark.parametrize("status", list(Status))
def test_every_status_is_explained_with_and_without_facts(status: Status) -> None:
    for facts in (BARE, FULL, replace(BARE, workers_alive=False), replace(BARE, retryable=True)):
        _check(explain_operation(status, facts))


@pytest.mark.parametrize("phase", list(Phase))
def test_every_phase_is_explained_with_and_without_facts(phase: Phase) -> None:
    full = TenantFacts("acme", "op1", "why", {"instance_class": "db.t4g.small"}, True, AT, "snap", ("line",))
    for facts in (TENANT, full):
        _check(explain_tenant(phase, facts))


@pytest.mark.parametrize("state", list(State))
def test_every_state_of_a_migration_is_explained(state: State) -> None:
    bare = MigrationFacts("acme", "op1")
    over = replace(bare, operation_is_over=True)
    for facts in (
        bare,
        over,
        replace(bare, operation_is_held=True),
        replace(over, leftover=True, may_finalize=True, closed="e1", lapses_at=AT, finalize_from=AT),
    ):
        _check(explain_migration(state, facts))


@pytest.mark.parametrize("state", list(RunState))
def test_every_state_of_a_run_is_explained(state: RunState) -> None:
    bare = RunFacts("op1-1-plan", "op1")
    for facts in (bare, RunFacts("r", "op1", "host", 7, AT, is_leased=False, exit_code=1)):
        _check(explain_run(state, facts))


def test_the_tables_have_no_row_for_what_does_not_exist() -> None:
    assert set(OPERATION_ROWS) == set(Status) and set(TENANT_ROWS) == set(Phase)
    assert set(MIGRATION_ROWS) == set(State) and set(RUN_ROWS) == set(RunState)


def test_a_waiting_operation_names_what_it_waits_for() -> None:
    held = explain_operation(Status.PENDING, FULL)
    assert "op0 holds acme" in held.cause and "position 3" in held.evidence
    assert held.command == "controlplane operation show op0"
    idle = explain_operation(Status.PENDING, replace(BARE, workers_alive=False))
    assert "no worker" in idle.cause and idle.command == "controlplane worker --until-idle"


def test_an_approval_names_reasons_the_digest_and_who_may_not() -> None:
    facts = replace(FULL, approval_reasons=("production",), needs_second_person=True, requested_by="ann")
    said = explain_operation(Status.AWAITING_APPROVAL, facts)
    assert (
        "production" in said.cause
        and "other than ann" in said.who
        and "2025-06-02 12:00 UTC" in said.evidence
    )
    assert said.command == "controlplane operation approve op1 --digest d1"


def test_a_window_that_never_opens_is_for_an_admin() -> None:
    assert "opens 2025-06-02 12:00" in explain_operation(Status.AWAITING_WINDOW, FULL).evidence
    never = explain_operation(Status.AWAITING_WINDOW, BARE)
    assert "admin" in never.who and never.command == "controlplane window list"


def test_an_unverified_tenant_is_not_called_fine() -> None:
    said = explain_tenant(Phase.READY, replace(TENANT, unverified=True))
    assert "cannot be reached" in said.cause and said.command == "controlplane doctor"


def test_pending_values_are_listed() -> None:
    said = explain_tenant(Phase.CONVERGING, replace(TENANT, pending={"multi_az": "true"}))
    assert "multi_az → true" in said.evidence
