"""AWS throttles, breaks, does a thing without answering and shows what was: with real Terraform, nothing is
doubled, nothing is left behind, and whatever does not end by itself says the command that ends it.

What a tenant whose calls met faults has in AWS is compared with a tenant that met none.
"""

from __future__ import annotations

import re
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from controlplane.sandbox import lifecycle
from tests.e2e.faults import FAULTS, brought_to, calm, inject, inventory, planned_again, rule, struck
from tests.e2e.machine import Machine
from tests.e2e.team import INSPECTOR, begin, ended, team

pytestmark = [pytest.mark.terraform, pytest.mark.postgres]
PLAIN = "plain"  # meets no fault
MARK = re.compile("unanswered-|throttled-|stale-")
CREATE = [
    rule("CreateDBInstance", "timeout_after_effect", "unanswered-*"),
    rule("CreateSecret", "timeout_after_effect", "*unanswered-*", nth=2),
    rule("DescribeDBInstances", "throttle", "throttled-*", nth=2, count=4),
    rule("PutMetricAlarm", "error", "throttled-*", count=2),
    rule("DescribeDBInstances", "stale", "stale-*", nth=2, count=3),
    rule("PutParameter", "timeout_after_effect", "*stale-*"),
]
DESTROY = [
    rule("DeleteDBInstance", "timeout_after_effect", "unanswered-*"),
    rule("CreateDBSnapshot", "error", "throttled-*", count=2),
    rule("ModifyDBInstance", "throttle", "throttled-*", count=3),
    rule("DeleteSecret", "timeout_after_effect", "*stale-*"),
]


@pytest.fixture
def company(machine: Machine) -> Iterator[Machine]:
    """With a worker of its own."""
    with team(machine) as made:
        worker = made.start("worker")
        yield made
        worker.send(signal.SIGTERM)
        worker.wait(60)


def live(machine: Machine, slugs: tuple[str, ...], rules: list[dict[str, Any]], verb: str) -> dict[str, Any]:
    """Change all of them at once under these faults; what each has in AWS once it is where it shall be."""
    inject(machine, rules)
    more = {"create": (), "destroy": ("--confirm",)}[verb]
    asked = [begin(machine, verb, slug, *(more and (*more, slug))) for slug in slugs]
    for operation in asked:
        ended(machine, operation)
    calm(machine)
    for slug in slugs:
        brought_to(machine, slug, {"create": "ready", "destroy": "torn_down"}[verb])
    return {slug: inventory(machine, slug) for slug in slugs}


def assert_alike(found: dict[str, Any], plain: list[str]) -> None:
    assert found == dict.fromkeys(found, plain)


@pytest.mark.timeout(1200)
def test_a_create_that_meets_every_kind_of_fault_ends_as_if_it_had_met_none(company: Machine) -> None:
    rules = [one | {"identifier": MARK.sub("struck-", str(one["identifier"]))} for one in CREATE]
    # Of two rules the first one strikes: stale answers follow the throttled ones.
    rules = [one | {"nth": 7} if one["fault"] == "stale" else one for one in rules]
    there = live(company, (PLAIN, "struck"), rules, "create")
    assert_alike(there, there[PLAIN])
    assert len([name for name in there[PLAIN] if name.startswith("instance ")]) == 1
    assert struck(company) >= {(one["action"], one["fault"]) for one in rules}
    assert planned_again(company, "struck") == "no_changes"


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_most_telling_faults_double_nothing_and_leave_nothing(company: Machine) -> None:
    slugs = (PLAIN, "unanswered", "throttled", "stale")
    there = live(company, slugs, CREATE, "create")
    assert_alike(there, there[PLAIN])
    assert len([name for name in there[PLAIN] if name.startswith("instance ")]) == 1
    assert {planned_again(company, slug) for slug in slugs} == {"no_changes"}
    left = live(company, slugs, DESTROY, "destroy")
    assert_alike(left, left[PLAIN])
    assert not [name for name in left[PLAIN] if name.startswith(("instance ", "alarm ", "parameter "))]
    assert struck(company) >= {(one["action"], one["fault"]) for one in (*CREATE, *DESTROY)}


def calls(machine: Machine) -> Counter[str]:
    """How often each AWS action was called so far, but for who takes the inventory."""
    info = lifecycle.status(machine.folder / ".controlplane" / "sandbox").info
    assert info is not None
    counted: Counter[str] = Counter()
    for who, actions in lifecycle.recorded_actions(info).items():
        if who != INSPECTOR:
            counted.update({name.partition(":")[2]: count for name, count in actions.items()})
    return counted


@pytest.mark.long
@pytest.mark.timeout(6 * 3600)
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_of_any_call_doubles_or_loses_anything(company: Machine, fault: str) -> None:
    """Every action of a create and a destroy meets the fault, twice in a row, six actions at a time."""
    before = calls(company)
    there = live(company, (PLAIN,), [], "create")[PLAIN]
    left = live(company, (PLAIN,), [], "destroy")[PLAIN]
    walked = sorted(calls(company) - before)
    for number in range(0, len(walked), 6):
        rules = [
            rule(action, fault, nth=2 if fault == "stale" else 1, count=2) for action in walked[number:][:6]
        ]
        slugs = tuple(f"{fault.partition('_')[0]}-{number}-{place}" for place in "abcdef")
        assert_alike(live(company, slugs, rules, "create"), there)
        assert_alike(live(company, slugs, rules, "destroy"), left)
    assert {action for action, injected in struck(company) if injected == fault} == set(walked)
