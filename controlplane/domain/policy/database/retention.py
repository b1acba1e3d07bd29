"""Production keeps its automated backups for a week."""

from __future__ import annotations

from collections.abc import Iterator

from controlplane.domain.cost.gate import Level
from controlplane.domain.policy.values import STORES, Breach, PolicyInput, Rule


def _check(asked: PolicyInput) -> Iterator[Breach]:
    least = asked.limits.retention_days
    for planned in asked.staying(STORES) if asked.facts.is_production else ():
        days = planned.value("backup_retention_period")
        if not isinstance(days, int) or days < least:
            said = f"{days} days" if isinstance(days, int) else "for a time that is not known before apply"
            yield Breach(
                f"its backups would be kept {said}, in production {least} days at least",
                planned.address,
                f"set backup_retention_period = {least}",
            )


RULE = Rule("database.retention", Level.FORBID, "point-in-time restore reaches as far as the backups", _check)
