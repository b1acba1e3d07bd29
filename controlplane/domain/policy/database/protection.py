"""Deletion protection stays on until a database may go."""

from __future__ import annotations

from collections.abc import Iterator

from controlplane.domain.cost.gate import Level
from controlplane.domain.policy.values import STORES, Breach, PolicyInput, Rule


def _check(asked: PolicyInput) -> Iterator[Breach]:
    for planned in asked.staying(STORES):
        if planned.value("deletion_protection") is not True and not asked.facts.may_remove(
            planned.change.slot
        ):
            way = "leave deletion_protection = true; `tenant destroy` takes it off by itself"
            yield Breach("would not be protected against deletion", planned.address, way)


RULE = Rule("database.protection", Level.FORBID, "protection makes an accidental delete fail safely", _check)
