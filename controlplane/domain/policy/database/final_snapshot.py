"""A database leaves a final snapshot."""

from __future__ import annotations

from collections.abc import Iterator

from controlplane.domain.cost.gate import Level
from controlplane.domain.policy.values import STORES, Breach, PolicyInput, Rule

_WAY = "set skip_final_snapshot = false and a final_snapshot_identifier, and apply that first"


def _check(asked: PolicyInput) -> Iterator[Breach]:
    for planned in asked.removed():
        # What a delete does is read from the state, so from `before`.
        unnamed = not planned.before.get("final_snapshot_identifier")
        if planned.change.type in STORES and (planned.before.get("skip_final_snapshot") or unnamed):
            yield Breach("would be deleted without a final snapshot", planned.address, _WAY)
    for planned in asked.coming(STORES):
        if planned.value("skip_final_snapshot") not in (None, False):
            yield Breach("would skip the final snapshot when it is deleted", planned.address, _WAY)


RULE = Rule("database.final_snapshot", Level.FORBID, "a destroyed tenant must be restorable", _check)
