"""Every rule there is. A new one: a file with its RULE, and a line here."""

from __future__ import annotations

from controlplane.domain.policy.approval import adoption, destructive, production
from controlplane.domain.policy.catalog import quota, region_or_class
from controlplane.domain.policy.database import (
    encryption,
    final_snapshot,
    micro,
    multi_az,
    password,
    protection,
    removal,
    retention,
)
from controlplane.domain.policy.network import open_port, public_access
from controlplane.domain.policy.values import Rule

RULES: tuple[Rule, ...] = (
    removal.RULE,
    public_access.RULE,
    open_port.RULE,
    password.RULE,
    final_snapshot.RULE,
    retention.RULE,
    multi_az.RULE,
    encryption.RULE,
    protection.RULE,
    micro.RULE,
    region_or_class.RULE,
    quota.RULE,
    production.RULE,
    destructive.RULE,
    adoption.RULE,
)
