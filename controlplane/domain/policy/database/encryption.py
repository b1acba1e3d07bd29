"""Encryption at rest, from birth: it cannot be turned on later."""

from __future__ import annotations

from collections.abc import Iterator

from controlplane.domain.cost.gate import Level
from controlplane.domain.policy.values import STORES, Breach, PolicyInput, Rule


def _check(asked: PolicyInput) -> Iterator[Breach]:
    for planned in asked.staying(STORES):
        if planned.value("storage_encrypted") is not True:
            yield Breach(
                "its storage would not be encrypted", planned.address, "set storage_encrypted = true"
            )


RULE = Rule("database.encryption", Level.FORBID, "an unencrypted database stays so until it is moved", _check)
