"""What an adoption changes of a database that works, a person has seen."""

from __future__ import annotations

from collections.abc import Iterator

from controlplane.domain.cost.gate import Level
from controlplane.domain.operation import Kind
from controlplane.domain.plan.summary import Action
from controlplane.domain.policy.values import Breach, PolicyInput, Rule


def _check(asked: PolicyInput) -> Iterator[Breach]:
    if asked.facts.kind is not Kind.ADOPT:
        return
    for planned in asked.planned:
        change = planned.change
        if change.action is Action.UPDATE:
            changed = ", ".join(change.changed) or "some of its settings"
            yield Breach(f"taking it over changes {changed}", change.address)


RULE = Rule("approval.adoption", Level.APPROVE, "it works today as it is", _check, fixed=True)
