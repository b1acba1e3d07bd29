"""Every AWS call of a life meets every kind of fault: nothing is doubled, and nothing is left behind.

A group of calls at a time, in a few tenants at once, each of which meets the fault at each of these calls,
twice in a row. What they have in AWS then is compared with a tenant that met none. Each group is a test of
its own: `-k 'error and CreateSecret'` runs the one whose name begins so, or goes on where a run was ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.faults import FAULTS, calls, live, rule, struck
from tests.e2e.machine import Machine, borrowed
from tests.e2e.team import company_of

pytestmark = [pytest.mark.terraform, pytest.mark.postgres, pytest.mark.long, pytest.mark.timeout(3600)]
PLAIN = "plain"  # meets no fault
LIFE = ("create", "resize", "destroy")
AT_ONCE = 8
# What such a life calls; `test_the_calls_of_a_life_are_these` keeps the lists whole.
READS = (
    "DescribeAlarms",
    "DescribeDBInstances",
    "DescribeDBSnapshots",
    "DescribeLogGroups",
    "DescribeParameters",
    "DescribeSecret",
    "GetCallerIdentity",
    "GetParameter",
    "GetResources",
    "GetSecretValue",
    "ListTagsForResource",
)
WRITES = (
    "CreateDBInstance",
    "CreateDBSnapshot",
    "CreateLogGroup",
    "CreateSecret",
    "DeleteAlarms",
    "DeleteDBInstance",
    "DeleteLogGroup",
    "DeleteParameter",
    "DeleteSecret",
    "ModifyDBInstance",
    "PutMetricAlarm",
    "PutParameter",
    "PutRetentionPolicy",
)


def groups() -> Iterator[Any]:
    """Only a read can answer what was."""
    for fault in FAULTS:
        actions = READS if fault == "stale" else READS + WRITES
        for number in range(0, len(actions), AT_ONCE):
            yield pytest.param(fault, actions[number:][:AT_ONCE], id=f"{fault}-{actions[number]}")


@dataclass(frozen=True)
class Life:
    """What a tenant without a fault had in AWS after each change, and what was called for it."""

    machine: Machine
    left: dict[str, list[str]]
    called: frozenset[str]


@pytest.fixture(scope="module")
def plain() -> Iterator[Life]:
    with borrowed() as machine, company_of(machine) as company:
        before = calls(company)
        left = {verb: live(company, (PLAIN,), [], verb)[PLAIN] for verb in LIFE}
        yield Life(company, left, frozenset(calls(company) - before))


def test_the_calls_of_a_life_are_these(plain: Life) -> None:
    assert sorted(plain.called) == sorted(READS + WRITES)
    assert len([name for name in plain.left["create"] if name.startswith("instance ")]) == 1
    assert not [n for n in plain.left["destroy"] if n.startswith(("instance ", "alarm ", "parameter "))]


@pytest.mark.parametrize(("fault", "actions"), list(groups()))
def test_no_fault_of_any_call_doubles_or_loses_anything(
    plain: Life, fault: str, actions: tuple[str, ...]
) -> None:
    slugs = tuple(f"{fault.partition('_')[0]}-{actions[0].lower()}-{place}" for place in "abcd")
    # Each tenant by itself where the call names it; else whoever calls first.
    rules = [rule(action, fault, f"*{whose}*", count=2) for whose in (*slugs, "") for action in actions]
    for verb in LIFE:
        there = live(plain.machine, slugs, rules, verb)
        assert there == dict.fromkeys(slugs, plain.left[verb]), verb
    assert {(action, fault) for action in actions} <= struck(plain.machine)
