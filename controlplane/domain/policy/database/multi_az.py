"""Production has a standby in another zone."""

from __future__ import annotations

from collections.abc import Iterator

from controlplane.domain.cost.gate import Level
from controlplane.domain.policy.values import Breach, PolicyInput, Rule


def _check(asked: PolicyInput) -> Iterator[Breach]:
    for planned in asked.staying(frozenset({"aws_db_instance"})) if asked.facts.is_production else ():
        if planned.value("multi_az") is not True:
            yield Breach("would have no standby in production", planned.address, "set multi_az = true")


RULE = Rule("database.multi_az", Level.FORBID, "without a standby a zone's failure is the tenant's", _check)
