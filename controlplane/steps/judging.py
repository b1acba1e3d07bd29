"""What a plan costs, what it does to the database, and what the rules say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from controlplane.catalog.attributes import load_attributes
from controlplane.catalog.pricebook import load_book
from controlplane.catalog.prices.model import load_model
from controlplane.domain.cost.estimate import Estimate
from controlplane.domain.cost.gate import CostChange, check_change
from controlplane.domain.cost.tenant import estimate_slots, shape_of_slot
from controlplane.domain.operation import Kind
from controlplane.domain.plan.forecast import forecast, total_outage
from controlplane.domain.plan.summary import PlanSummary
from controlplane.domain.tenant import Phase, Stage
from controlplane.domain.workspace import SlotSpec
from controlplane.steps.subject import Subject
from controlplane.store.tables import Operation, Plan

ADVISE, APPROVE, FORBID = "advise", "approve", "forbid"


def judge(found: Subject, document: Mapping[str, Any], summary: PlanSummary) -> dict[str, Any]:
    """Forecast, cost and findings of a plan, as plain data that is stored with it."""
    outlook = forecast(document, load_attributes())
    change = cost_change(found)
    findings = [
        {"rule": f.rule, "level": f.level.value, "message": f.message, "evidence": dict(f.evidence)}
        for f in (check_change(change, load_model().gate, ceiling_usd=_ceiling(found)) if change else [])
    ]
    findings += _standing(found, summary)
    return {
        "forecast": {
            "outage": total_outage(outlook).words(),
            "databases": [f.to_json() for f in outlook],
        },
        "policy": findings,
        "cost": _cost_columns(change),
        "cost_lines": change.as_json() if change else {},
        "delicate": _is_delicate(found, summary),
    }


def cost_change(found: Subject) -> CostChange | None:
    """Before and after, per month; None for what is not a tenant's own workspace."""
    if found.tenant is None:
        return None
    tenant = found.tenant
    there = [s for s in found.slots if tenant.phase not in (Phase.REQUESTED, Phase.PROVISIONING)]
    after: Sequence[SlotSpec] = () if found.kind is Kind.DESTROY else found.wanted()
    return CostChange(
        _estimate(there, tenant.stage, tenant.region), _estimate(after, tenant.stage, tenant.region)
    )


def _estimate(slots: Sequence[SlotSpec], stage: str, region: str) -> Estimate:
    shapes = [(f"e{slot.epoch}", shape_of_slot(slot, stage)) for slot in slots]
    return estimate_slots(load_model(), load_book().rates(region), shapes)


def _ceiling(found: Subject) -> Decimal | None:
    """A PoC inside its tier's band needs nobody's approval; above it does."""
    tenant = found.the_tenant()
    if tenant.stage != Stage.POC:
        return None
    return load_model().bands[tenant.cost_tier][1]


def _cost_columns(change: CostChange | None) -> dict[str, Decimal | None]:
    if change is None:
        return {}
    return {"cost_before": change.before.total, "cost_after": change.after.total}


def _standing(found: Subject, summary: PlanSummary) -> list[dict[str, Any]]:
    """What always needs an approval, whatever it costs."""
    reasons = []
    if found.tenant is not None and found.tenant.stage == Stage.PRODUCTION:
        reasons.append(("approval.production", "every change of a production tenant needs an approval"))
    removed = [c.address for c in summary.removals if c.is_database]
    if removed or found.kind is Kind.DESTROY:
        what = ", ".join(removed) or "the tenant"
        reasons.append(("approval.destructive", f"this takes away {what}"))
    elif summary.removals:
        gone = ", ".join(c.address for c in summary.removals[:3])
        reasons.append(("approval.removal", f"this deletes or replaces {gone}"))
    return [{"rule": rule, "level": APPROVE, "message": message, "evidence": {}} for rule, message in reasons]


def _is_delicate(found: Subject, summary: PlanSummary) -> bool:
    """What two persons have to want."""
    production = found.tenant is not None and found.tenant.stage == Stage.PRODUCTION
    return production or found.kind is Kind.DESTROY or bool(summary.removals)


def verdict(operation: Operation, plan: Plan) -> dict[str, Any]:
    """What the recorded findings come to."""
    forbidden = [f for f in operation.policy if f["level"] == FORBID]
    wanted = [f for f in operation.policy if f["level"] == APPROVE]
    problem = {
        "code": "policy_refused",
        "kind": "refused",
        "detail": "refused by policy: " + "; ".join(f"{f['rule']}: {f['message']}" for f in forbidden),
        "hint": "change the request, or have an override recorded with person, reason and expiry",
    }
    return {
        "refused": bool(forbidden),
        "problem": problem,
        "needs_approval": bool(wanted),
        "why": "; ".join(f["message"] for f in wanted),
        "delicate": bool(plan.summary.get("delicate")),
    }


def window_opens(found: Subject) -> datetime | None:
    """When the operation's change window opens; None: it is open, or there is none."""
    del found
    return None
