"""A tenant's place among the rules of its load balancer, taken in the transaction that accepts its change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Environment
from controlplane.services.control import Control
from controlplane.services.quotas import check_rule
from controlplane.store import platforms, slots
from controlplane.store.tables import Tenant
from controlplane.store.tenants import rules

_NEED_NONE = frozenset({Kind.DRILL, Kind.DESTROY})  # nobody is to reach the one, nor soon the other


def hold(
    control: Control, session: Session, kind: Kind, tenant: Tenant, payload: Mapping[str, Any]
) -> list[str]:
    """One on every platform that its databases lie on, or are to; what it has it keeps. Refuses where the
    load balancer is full; answers what to warn of."""
    if kind in _NEED_NONE or not control.catalog.blueprint(tenant.blueprint).has_access:
        return []
    rules.release(session, tenant.uid)
    warnings, moving = [], tenant.slug if kind is Kind.UPGRADE else ""
    for environment in sorted(_environments(session, tenant, payload)):
        home = platforms.find(session, tenant.blueprint, environment.value, tenant.cell)
        if home is not None and environment not in rules.of_tenant(session, tenant.uid):
            used = rules.count(session, home.workspace_id)
            warnings += check_rule(control, session, home, used, moving=moving)
            rules.take(session, home.workspace_id, tenant.uid)
    return warnings


def _environments(session: Session, tenant: Tenant, payload: Mapping[str, Any]) -> set[Environment]:
    """Of its databases and of the one that the change would make; at first there is none yet."""
    said = [slot.environment for slot in slots.present(session, tenant.uid)]
    if "slot" in payload:
        said.append(payload["slot"]["environment"] or "")
    return {Environment(one or tenant.environment) for one in said or [""]}
