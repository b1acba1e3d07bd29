"""Policy on the plan: one rule a file, each pure; the server's configuration says how strong each is."""

from controlplane.domain.policy.decision import DEFAULT, Policy, configure, decide
from controlplane.domain.policy.registry import RULES
from controlplane.domain.policy.values import (
    ALL_SLOTS,
    Decision,
    Facts,
    Limits,
    Override,
    PolicyInput,
    QuotaUse,
)

__all__ = [
    "ALL_SLOTS",
    "DEFAULT",
    "RULES",
    "Decision",
    "Facts",
    "Limits",
    "Override",
    "Policy",
    "PolicyInput",
    "QuotaUse",
    "configure",
    "decide",
]
