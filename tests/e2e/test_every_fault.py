"""Every AWS call of a life meets every kind of fault: nothing is doubled, and nothing is left behind.

All reads, then all writes; in a few tenants at once, each of which meets the fault at each of these calls,
twice in a row. What they have in AWS then is compared with a tenant that met none. Each such part is a test
of its own, so that a run may go on where one was ended.
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
# What such a life calls; `test_the_calls_of_a_life_are_these` keeps the lists whole.
READS = (
    "DescribeAlarms",
    "DescribeDBInstances",
    "DescribeDBSnapshots",
    "DescribeLogGroups",
    "DescribeOrderableDBInstanceOptions",
    "DescribeParameters",
    "DescribeSecret",
    "GetCallerIdentity",
    "GetMetricStatistics",
    "GetParameter",
    "GetResources",
    "GetSecretValue",
    "ListTagsForResource",
)
WRITES = (
    "AddTagsToResource",
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
    "TagResource",
)

PARTS = {
    "reads": READS,
    "repeated reads": tuple(action for action in READS if action != "GetMetricStatistics"),  # until now
    "writes": WRITES,
}


def parts() -> list[Any]:
    """Only a read that is asked again can be answered with what was."""
    whole = [(fault, part) for fault in FAULTS if fault != "stale" for part in ("reads", "writes")]
    return [
        pytest.param(fault, PARTS[part], id=f"{fault}-{part}")
        for fault, part in [*whole, ("stale", "repeated reads")]
    ]


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


@pytest.mark.parametrize(("fault", "actions"), parts())
def test_no_fault_of_any_call_doubles_or_loses_anything(
    plain: Life, fault: str, actions: tuple[str, ...]
) -> None:
    kind = "write" if actions is WRITES else "read"
    slugs = tuple(f"{fault.partition('_')[0]}-{kind}-{place}" for place in "abc")
    # Each tenant by itself where the call names it; else whoever calls first.
    whose = [*(f"*{slug}*" for slug in slugs), ""]
    rules = [rule(action, fault, name, count=2) for name in whose for action in actions]
    for verb in LIFE:
        there = live(plain.machine, slugs, rules, verb)
        assert there == dict.fromkeys(slugs, plain.left[verb]), verb
    assert {(action, fault) for action in actions} <= struck(plain.machine)
