"""Whatever changes production, a person has seen."""

from __future__ import annotations

from collections.abc import Iterator

from controlplane.domain.cost.gate import Level
from controlplane.domain.operation import Kind
from controlplane.domain.policy.values import Breach, PolicyInput, Rule


def _check(asked: PolicyInput) -> Iterator[Breach]:
    # A drill's copy is nobody's database: what it was taken from is in another workspace.
    if asked.facts.is_production and asked.facts.kind is not Kind.DRILL:
        yield Breach("every change of production needs an approval")


RULE = Rule("approval.production", Level.APPROVE, "two pairs of eyes", _check, fixed=True)
