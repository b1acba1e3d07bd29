"""AWS throttles, breaks, does a thing without answering and shows what was: with real Terraform, nothing is
doubled, nothing is left behind, and whatever does not end by itself says the command that ends it.

What a tenant whose calls met faults has in AWS is compared with a tenant that met none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.faults import live, planned_again, rule, struck
from tests.e2e.machine import Machine
from tests.e2e.team import company_of

pytestmark = [pytest.mark.terraform, pytest.mark.postgres]
PLAIN = "plain"  # meets no fault
MARK = re.compile("unanswered-|throttled-|stale-")
CREATE = [
    rule("CreateDBInstance", "timeout_after_effect", "unanswered-*"),
    rule("CreateSecret", "timeout_after_effect", "*unanswered-*", nth=2),
    rule("DescribeDBInstances", "throttle", "throttled-*", nth=2, count=4),
    rule("PutMetricAlarm", "error", "throttled-*", count=2),
    rule("DescribeDBInstances", "stale", "stale-*", count=3),
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
    with company_of(machine) as made:
        yield made


def assert_alike(found: dict[str, Any], plain: list[str]) -> None:
    assert found == dict.fromkeys(found, plain)


@pytest.mark.timeout(1200)
def test_a_create_that_meets_every_kind_of_fault_ends_as_if_it_had_met_none(company: Machine) -> None:
    rules = [one | {"identifier": MARK.sub("struck-", str(one["identifier"]))} for one in CREATE]
    # Of two rules the first one strikes: stale answers follow the throttled ones.
    rules = [one | {"nth": 6} if one["fault"] == "stale" else one for one in rules]
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
