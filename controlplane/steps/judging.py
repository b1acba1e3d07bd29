"""What a plan costs, what it does to the database, and what the rules say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from controlplane.catalog.attributes import load_attributes
from controlplane.catalog.prices.model import load_model
from controlplane.domain.cost.estimate import Estimate
from controlplane.domain.cost.gate import CostChange, Finding
from controlplane.domain.errors import Conflict
from controlplane.domain.migration.outage import of_move
from controlplane.domain.migration.states import Strategy
from controlplane.domain.names import slot_key
from controlplane.domain.operation import Kind
from controlplane.domain.plan.forecast import Forecast, Outage, forecast, total_outage
from controlplane.domain.plan.summary import Action as PlanAction
from controlplane.domain.plan.summary import PlanSummary
from controlplane.domain.policy.decision import decide
from controlplane.domain.policy.values import ALL_SLOTS, Facts, Override, PolicyInput, QuotaUse
from controlplane.domain.selectors import subject_of
from controlplane.domain.tenant import Environment, Phase, Stage
from controlplane.domain.windows import look, parse_window
from controlplane.domain.workspace import SlotSpec
from controlplane.steps import costing
from controlplane.steps.subject import Subject
from controlplane.steps.world import world
from controlplane.store import slots
from controlplane.store.guard import overrides, windows
from controlplane.store.tables import Operation, Plan

APPROVE, FORBID = "approve", "forbid"


def judge(found: Subject, document: Mapping[str, Any], summary: PlanSummary) -> dict[str, Any]:
    """Forecast, cost and findings of a plan, as plain data that is stored with it."""
    outlook = forecast(document, load_attributes())
    change = cost_change(found) or costing.of_platform(found, document)
    # What is gone within the hour is not judged by what it would cost a month.
    lasts = change is not None and found.kind is not Kind.DRILL
    noted = costing.noted(found, change, _ceiling(found)) if change and lasts else ()
    here = world()
    asked = PolicyInput(summary, document, _facts(found, summary), tuple(noted))
    decision = decide(here.policy, asked, _overrides(found), here.now())
    return {
        "forecast": {
            "outage": _outage(found, outlook).words(),
            "databases": [f.to_json() for f in outlook],
        },
        "policy": [] if _is_kept_asleep(found) else [_finding(f) for f in decision.findings],
        "cost": _cost_columns(change),
        "cost_lines": change.as_json() if change else {},
        "delicate": _is_delicate(found, summary),
    }


def _outage(found: Subject, outlook: Sequence[Forecast]) -> Outage:
    """What the plan's changes cost, or the fence of a move to another database."""
    changes = total_outage(outlook)
    if found.kind is not Kind.UPGRADE:
        return changes
    return of_move(Strategy(found.payload["strategy"]), int(found.payload["outage_minutes"]), changes)


def _is_kept_asleep(found: Subject) -> bool:
    """What is suspended stays so: whoever wanted that was asked then."""
    return found.kind is Kind.SUSPEND and found.the_tenant().phase == Phase.SUSPENDED


def _finding(found: Finding) -> dict[str, Any]:
    evidence = {name: str(value) for name, value in found.evidence.items()}
    return {"rule": found.rule, "level": found.level.value, "message": found.message, "evidence": evidence}


def _facts(found: Subject, summary: PlanSummary) -> Facts:
    """What the plan cannot tell by itself."""
    catalog, tenant = world().catalog, found.tenant
    payload, becomes = found.payload, found.becomes() if found.tenant else {}
    leaving = {slot_key(payload["leaving"])} if "leaving" in payload else set()
    if payload.get("destroy"):
        leaving.add(ALL_SLOTS)
    return Facts(
        kind=found.kind,
        environment=Environment(
            becomes.get("environment", tenant.environment) if tenant else payload["environment"]
        ),
        region=tenant.region if tenant else payload["region"],
        stage=Stage(becomes.get("stage", tenant.stage)) if tenant else None,
        removable_slots=frozenset(leaving),
        size=found.route_slot().size if tenant and found.slots else None,
        tenant_uid=tenant.uid if tenant else "",
        rightsizing_decision=tenant.rightsizing_decision if tenant else "",
        regions=frozenset(catalog.regions),
        classes=frozenset(size.instance_class for size in catalog.sizes.values()),
        quotas=_quotas(found, summary),
    )


def _quotas(found: Subject, summary: PlanSummary) -> tuple[QuotaUse, ...]:
    """Instances of the region, counted in the catalog: what is wanted counts before it is there."""
    new = [c.slot for c in summary.changes if c.is_database and c.action is PlanAction.CREATE]
    if found.tenant is None or not new:
        return ()
    recorded = {slot_key(slot.epoch) for slot in found.slots}
    with world().db.read() as session:
        used = slots.count_in_region(session, found.tenant.region)
    quota = world().catalog.quotas["rds_instances"]
    counted = sum(slot in recorded for slot in new)  # of a tenant that is born, its slot is wanted already
    return (QuotaUse(quota.name, max(0, used - counted), len(new), quota.limit),)


def _overrides(found: Subject) -> list[Override]:
    uid = found.tenant.uid if found.tenant else None
    with world().db.read() as session:
        rows = overrides.living(session, uid, world().now())
    return [Override(r.rule, r.person, r.reason, r.expires_at, r.tenant_uid) for r in rows]


def cost_change(found: Subject) -> CostChange | None:
    """Before and after, per month; None for what is not a tenant's own workspace."""
    if found.tenant is None:
        return None
    tenant = found.tenant
    if found.is_schema:
        return _cost_of_schema(found)
    slots_now = (*found.slots, *found.beside)
    there = [s for s in slots_now if tenant.phase not in (Phase.REQUESTED, Phase.PROVISIONING)]
    after: Sequence[SlotSpec] = () if found.kind is Kind.DESTROY else (*found.wanted(), *_stays_beside(found))
    stopped = tenant.phase == Phase.SUSPENDED
    stops = found.kind is Kind.SUSPEND
    return CostChange(
        _estimate(there, tenant.stage, tenant.region, running=not stopped),
        _estimate(after, tenant.stage, tenant.region, running=not stops),
    )


def _stays_beside(found: Subject) -> tuple[SlotSpec, ...]:
    """What a switchover left, until it is finalised or becomes a slot again."""
    ends = found.kind in (Kind.FINALIZE, Kind.ROLLBACK)
    return () if ends else found.beside


def _cost_of_schema(found: Subject) -> CostChange:
    tenant, own = found.the_tenant(), costing.pricing().estimate_schema(found.the_tenant().region)
    nothing = replace(own, lines=())
    begins = tenant.phase in (Phase.REQUESTED, Phase.PROVISIONING)
    return CostChange(nothing if begins else own, nothing if found.kind is Kind.DESTROY else own)


def _estimate(slots: Sequence[SlotSpec], stage: str, region: str, *, running: bool = True) -> Estimate:
    return costing.pricing().estimate(slots, stage, region, running=running)


def _ceiling(found: Subject) -> Decimal | None:
    """A PoC inside its tier's band needs nobody's approval; above it does."""
    tenant = found.tenant
    if tenant is None or found.becomes().get("stage", tenant.stage) != Stage.POC:
        return None
    tier = found.becomes().get("cost_tier", tenant.cost_tier)
    return load_model().bands[tier][1]


def _cost_columns(change: CostChange | None) -> dict[str, Decimal | None]:
    if change is None:
        return {}
    return {"cost_before": change.before.total, "cost_after": change.after.total}


def _is_delicate(found: Subject, summary: PlanSummary) -> bool:
    """What two persons have to want."""
    tenant = found.tenant
    stages = (tenant.stage, found.becomes().get("stage")) if tenant else ()
    production = Stage.PRODUCTION in stages
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
    """When the operation's change window opens; None: it is open, or none is against it."""
    tenant = found.tenant
    if tenant is None:
        return None
    with world().db.read() as session:
        rows = windows.every(session)
    if not rows:
        return None
    fields = {
        name: str(getattr(tenant, name)) for name in ("slug", "stage", "size", "region", "cell", "phase")
    }
    opening = look(
        [parse_window(r.name, r.effect, r.cron, r.minutes, r.zone, selector=r.selector) for r in rows],
        subject_of(fields, found.labels or {}),
        world().now(),
    )
    if opening.open:
        return None
    if opening.at is None:
        raise Conflict(
            f"no change window opens within a year: {opening.reason}", hint="controlplane window list"
        )
    return opening.at


def monthly_usd(found: Subject) -> Decimal | None:
    """What a tenant's slots cost a month; None where a price is not known. A stopped one is not computing."""
    tenant = found.the_tenant()
    if found.is_schema:
        gone = tenant.phase == Phase.TORN_DOWN
        return Decimal(0) if gone else costing.pricing().estimate_schema(tenant.region).total
    running = tenant.phase != Phase.SUSPENDED
    return _estimate((*found.slots, *found.beside), tenant.stage, tenant.region, running=running).total
