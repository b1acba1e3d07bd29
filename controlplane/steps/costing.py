"""A plan's cost by the price book in force, and what gate and budgets say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from controlplane.catalog.costing import Pricer, pricer
from controlplane.domain.cost.gate import (
    CostChange,
    Finding,
    Level,
    check_budgets,
    check_change,
)
from controlplane.domain.cost.planjson import estimate_plan
from controlplane.steps.subject import Subject
from controlplane.steps.world import world
from controlplane.store.costs import budgets


def pricing() -> Pricer:
    """A region without prices makes a cost unknown, which closes the gate; it breaks no plan."""
    here = world()
    return pricer(here.prices, here.now().date())


def of_platform(found: Subject, document: Mapping[str, Any]) -> CostChange | None:
    """A platform's cost is that of its plan's resources; None for what is a tenant's."""
    if found.tenant is not None:
        return None
    by = pricing()
    region = found.platform.region if found.platform else found.payload["region"]
    return estimate_plan(by.model, by.rates(region), document)


def noted(found: Subject, change: CostChange, ceiling_usd: Decimal | None) -> list[Finding]:
    """What stands between this plan and its apply, as far as money goes."""
    by = pricing()
    findings = check_change(change, by.model.gate, ceiling_usd=ceiling_usd)
    if found.tenant is None:
        return [_asked_of_a_person(finding) for finding in findings]
    with world().db.read() as session:
        limits = budgets.for_plan(session, found.operation, by)
    return [*findings, *check_budgets(change, limits)]


def _asked_of_a_person(finding: Finding) -> Finding:
    """A platform is applied seldom and by people who know what it is for: what is unknown they may allow."""
    return replace(finding, level=Level.APPROVE) if finding.level is Level.FORBID else finding
