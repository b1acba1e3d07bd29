"""An upgrade by RDS's switchover with real Terraform and PostgreSQL, while an application writes."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.domain.migration.checklist import Item
from tests.e2e.machine import Machine
from tests.e2e.team import ask, run
from tests.e2e.test_whole_life import (
    ANSWERED,
    AUTO,
    ROWS,
    add_production,
    company,
    count,
    destroy,
    fill,
    sql,
    writer,
)

__all__ = ["company"]  # pytest finds fixtures by name
pytestmark = [pytest.mark.terraform, pytest.mark.postgres, pytest.mark.long]
STAYS = ("--strategy", "rds_blue_green", "--acknowledge", Item.STAYS_IN_NETWORK)


def changes(machine: Machine) -> list[Any]:
    """What Terraform would do now."""
    return list(ask(machine, "tenant", "reconcile", "acme", "--dry-run")["plan"]["changes"])


def held(machine: Machine) -> set[int]:
    return {int(row[0]) for row in sql(machine, "acme", "SELECT id FROM visit WHERE who = 'writer'")[0]}


@pytest.mark.timeout(3600)
def test_a_switchover_loses_no_row_and_leaves_terraform_nothing_to_do(company: Machine) -> None:
    add_production(company)
    run(company, "tenant", "create", "acme")
    fill(company, "acme")
    with writer(company, "acme") as known:
        run(company, "tenant", "upgrade", "acme", *STAYS, *ANSWERED, *AUTO)
    assert known
    assert set(known) <= held(company)
    assert count(company, "acme") == ROWS
    seen = ask(company, "tenant", "show", "acme")
    assert (seen["stage"], seen["epoch"], seen["migration_state"]) == ("production", 1, "soaking")
    assert [slot["status"] for slot in seen["slots"]] == ["present", "beside"]
    assert changes(company) == []
    assert ask(company, "catalog", "orphans")["items"] == []
    run(company, "migration", "finalize", "acme", "--override", "--reason", "a test", *AUTO)
    assert changes(company) == []
    assert count(company, "acme") == ROWS
    destroy(company, "acme")
    assert ask(company, "catalog", "orphans")["items"] == []


@pytest.mark.timeout(3600)
def test_the_side_that_was_left_is_taken_again_where_its_loss_is_accepted(company: Machine) -> None:
    add_production(company)
    run(company, "tenant", "create", "acme")
    fill(company, "acme")
    run(company, "tenant", "upgrade", "acme", *STAYS, *ANSWERED, *AUTO)
    sql(company, "acme", "INSERT INTO visit (who) VALUES ('late')")
    run(company, "migration", "rollback", "acme", "--accept-loss", *AUTO)
    assert (count(company, "acme"), count(company, "acme", "late")) == (ROWS, 0)
    seen = ask(company, "tenant", "show", "acme")
    assert (seen["stage"], seen["epoch"]) == ("poc", 2)
    assert changes(company) == []
    destroy(company, "acme")
