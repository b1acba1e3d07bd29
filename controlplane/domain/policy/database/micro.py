"""Micro in production only where somebody decided so, with a reason."""

from __future__ import annotations

from collections.abc import Iterator

from controlplane.domain.cost.gate import Level
from controlplane.domain.policy.values import INSTANCES, NOT_KNOWN, Breach, PolicyInput, Rule


def _check(asked: PolicyInput) -> Iterator[Breach]:
    if not asked.facts.is_production or asked.facts.rightsizing_decision.strip():
        return
    for planned in asked.staying(INSTANCES):
        chosen = planned.value("instance_class")
        if chosen is NOT_KNOWN or str(chosen).endswith(".micro"):
            way = "take small, or record a right-sizing decision"
            yield Breach(f"its class would be {chosen} in production", planned.address, way)


RULE = Rule("database.micro", Level.FORBID, "micro has no reserve for production's peaks", _check)
