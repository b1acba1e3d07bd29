"""Compute Optimizer's findings beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from controlplane.domain.errors import ControlPlaneError, Denied
from controlplane.domain.rightsizing.opinions import Opinion
from controlplane.services.rightsizing import inbox, scanning
from controlplane.services.rightsizing.asked import Inbox, Scanning
from tests.doors.care.neighbourhood import ADMIN, WAY, Neighbourhood
from tests.unit.rightsizing.traces import Load, flat

IDLE = Load(flat(3), 300)


@dataclass
class FakeOptimizer:
    found: list[Opinion] = field(default_factory=list)
    error: ControlPlaneError | None = None

    def opinions(self) -> Sequence[Opinion]:
        if self.error is not None:
            raise self.error
        return self.found


@pytest.fixture
def optimizer(here: Neighbourhood) -> FakeOptimizer:
    made = FakeOptimizer()
    here.premises.control = here.control = replace(here.control, opinion_source=lambda: made)
    return made


def scan(here: Neighbourhood) -> dict[str, Any]:
    return scanning.scan(here.control, ADMIN, Scanning(), WAY)


def test_what_aws_says_stands_beside_the_finding_and_decides_nothing(
    here: Neighbourhood, optimizer: FakeOptimizer
) -> None:
    says = Opinion(
        here.tenant("idle", load=IDLE), "Underprovisioned", ("CPUUnderprovisioned",), "db.m6g.large"
    )
    optimizer.found = [says, Opinion("somebody-elses", "Optimized")]
    assert scan(here)["inbox"] == {"new": 1}
    (one,) = inbox.page(here.control, ADMIN, Inbox())["items"]
    assert (one["finding"], one["target_size"]) == ("Overprovisioned", "micro")
    expected = "Compute Optimizer says Underprovisioned (CPUUnderprovisioned), and would take db.m6g.large"
    assert expected in one["remarks"]
    shown = inbox.show(here.control, ADMIN, one["id"])
    assert shown["evidence"]["compute_optimizer"]["instance_class"] == "db.m6g.large"


def test_without_an_answer_the_scan_goes_on_and_says_so(
    here: Neighbourhood, optimizer: FakeOptimizer
) -> None:
    here.tenant("idle", load=IDLE)
    optimizer.error = Denied("asking Compute Optimizer for its findings: not enabled")
    found = scan(here)
    assert found["inbox"] == {"new": 1}
    assert "not enabled" in found["problems"][0]["problem"]
