"""No database has a public address."""

from __future__ import annotations

from collections.abc import Iterator

from controlplane.domain.cost.gate import Level
from controlplane.domain.policy.values import INSTANCES, Breach, PolicyInput, Rule


def _check(asked: PolicyInput) -> Iterator[Breach]:
    for planned in asked.coming(INSTANCES):
        if planned.value("publicly_accessible") not in (None, False):
            yield Breach("would have a public address", planned.address, "set publicly_accessible = false")


RULE = Rule("network.public_access", Level.FORBID, "databases live in private subnets", _check)
