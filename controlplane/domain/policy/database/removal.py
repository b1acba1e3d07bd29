"""Databases, and the keys that they are encrypted with, go only by `destroy`."""

from __future__ import annotations

from collections.abc import Iterator

from controlplane.domain.cost.gate import Level
from controlplane.domain.plan.summary import DATABASES, Action
from controlplane.domain.policy.values import Breach, PolicyInput, Rule

KEYS = frozenset({"aws_kms_key"})


def _check(asked: PolicyInput) -> Iterator[Breach]:
    for planned in asked.removed():
        change = planned.change
        if change.type not in DATABASES | KEYS:
            continue
        if change.action is Action.REPLACE:
            cause = ", ".join(change.replace_paths) or change.reason or "Terraform's decision"
            yield Breach(
                f"would be deleted and made anew, because of {cause}",
                change.address,
                "a person settles a tainted database; anything else moves to a new slot: `tenant upgrade`",
            )
        elif not asked.facts.may_remove(change.slot):
            yield Breach("would be deleted", change.address, "only `tenant destroy` deletes a database")


RULE = Rule("database.removal", Level.FORBID, "deleting a database deletes its data", _check)
