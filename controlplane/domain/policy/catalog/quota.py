"""A service quota keeps a reserve: the last tenth is for emergencies, a restore among them."""

from __future__ import annotations

from collections.abc import Iterator

from controlplane.domain.cost.gate import Level
from controlplane.domain.policy.values import Breach, PolicyInput, Rule


def _check(asked: PolicyInput) -> Iterator[Breach]:
    for quota in asked.facts.quotas:
        if quota.adding <= 0:
            continue
        after = quota.used + quota.adding
        if quota.limit is None:
            yield Breach(
                f"how many {quota.name} AWS allows is not known", way="look it up", at_most=Level.APPROVE
            )
        elif after * 100 > quota.limit * asked.limits.quota_percent:
            yield Breach(
                f"{after} of {quota.limit} {quota.name}: more than {asked.limits.quota_percent} percent",
                way="raise the quota in AWS, or use another cell",
            )


RULE = Rule("catalog.quota", Level.FORBID, "a used-up quota stops restores as well", _check)
