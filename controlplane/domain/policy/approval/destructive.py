"""Whatever deletes, replaces or forgets, a person has seen."""

from __future__ import annotations

from collections.abc import Iterator

from controlplane.domain.cost.gate import Level
from controlplane.domain.operation import Kind
from controlplane.domain.plan.summary import Action
from controlplane.domain.policy.values import Breach, Planned, PolicyInput, Rule


def _check(asked: PolicyInput) -> Iterator[Breach]:
    if asked.facts.kind is Kind.DESTROY:
        yield Breach("it takes the tenant's resources away")
    if asked.facts.kind is Kind.DRILL:
        return  # all that there is in its workspace is a copy, which it made itself
    for planned in asked.planned:
        change = planned.change
        if change.removes and not _is_rotation(asked, planned):
            yield Breach(f"would be {change.action}d", change.address)
        elif change.action is Action.FORGET and change.is_database:
            yield Breach("Terraform would no longer know it", change.address)


def _is_rotation(asked: PolicyInput, planned: Planned) -> bool:
    """A new version of a secret is a replacement in Terraform's eyes; the old one stays readable."""
    return asked.facts.kind is Kind.ROTATE and planned.change.type == "aws_secretsmanager_secret_version"


RULE = Rule("approval.destructive", Level.APPROVE, "what is gone is gone", _check, fixed=True)
