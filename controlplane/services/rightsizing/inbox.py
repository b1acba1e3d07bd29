"""The inbox: recommendations as rows and as doors show them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from controlplane.domain.names import parse_slug
from controlplane.domain.rightsizing import Advice
from controlplane.services import page as pages
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Control, plain
from controlplane.services.costs.book import usd
from controlplane.services.rightsizing.asked import Inbox
from controlplane.store.fleet import alarms, recommendations
from controlplane.store.fleet.databases import FleetDatabase
from controlplane.store.fleet.recommendations import ALIVE
from controlplane.store.fleet.rows import Recommendation

_PLAIN = (
    "id", "status", "kind", "finding", "reasons", "remarks", "urgent", "current_size", "risk", "risk_words",
    "outage", "revert", "outcome", "outcome_words", "seen_count", "first_seen_at", "last_seen_at",
    "decided_by", "decided_at", "decision_reason",
)  # fmt: skip


def row_of(id_: str, of: FleetDatabase, advice: Advice, now: datetime) -> Recommendation:
    return Recommendation(
        id=id_,
        tenant_uid=of.uid,
        slug=of.slug,
        identifier=of.identifier,
        status="open",
        finding=advice.finding.value if advice.finding else "",
        signature=advice.signature,
        reasons=[reason.as_json() for reason in advice.reasons],
        remarks=[*advice.remarks, *(signal.words for signal in advice.blocked)],
        urgent=advice.urgent,
        current_size=advice.current.value,
        target_size=advice.target_now.value if advice.target_now else "",
        target_storage_gb=advice.target_storage_gb or 0,
        monthly_before=advice.monthly_before,
        monthly_after=advice.monthly_after,
        delta_usd=advice.delta_usd if advice.target_now else None,
        risk=advice.risk,
        risk_words=advice.risk_words,
        outage=advice.outage,
        revert=advice.revert,
        evidence={**advice.evidence, "storage": _storage(advice), "surplus_usd": usd(advice.surplus_usd)},
        first_seen_at=now,
        last_seen_at=now,
    )


def _storage(advice: Advice) -> dict[str, Any] | None:
    found = advice.storage
    if found is None:
        return None
    return {
        "words": found.words,
        "growth_gb_a_day": found.growth_gb_a_day,
        "days_until_full": found.days_until_full,
        "days_until_ceiling": found.days_until_ceiling,
    }


def view(row: Recommendation, *, whole: bool = True) -> dict[str, Any]:
    shown = {name: plain(getattr(row, name)) for name in _PLAIN}
    shown |= {
        "tenant": row.slug,
        "target_size": row.target_size or None,
        "target_storage_gb": row.target_storage_gb or None,
        "monthly_usd": usd(row.monthly_before),
        "monthly_usd_after": usd(row.monthly_after),
        "delta_usd": usd(row.delta_usd),
        "operation": row.operation_id,
        "next_command": _next(row),
    }
    return shown | ({"evidence": row.evidence} if whole else {})


def _next(row: Recommendation) -> str:
    if row.status == "open":
        return f"controlplane rightsize propose {row.id}"
    return f"controlplane operation show {row.operation_id}" if row.status == "proposed" else ""


def page(control: Control, actor: Actor, wanted: Inbox) -> dict[str, Any]:
    """The newest first; only of tenants that this actor sees."""
    actor.require(Action.READ_FLEET)
    statuses = (wanted.status,) if wanted.status else ALIVE
    after = str(pages.decode(wanted.page_token).get("after", "")) if wanted.page_token else ""
    if wanted.tenant:
        actor.require(Action.READ_TENANT, parse_slug(wanted.tenant, "tenant"))
    seen: list[Recommendation] = []
    more = True
    with control.db.read() as session:
        while more and len(seen) <= wanted.page_size:
            rows = recommendations.page(session, statuses, wanted.page_size + 1, after, wanted.tenant)
            seen += [row for row in rows if actor.sees(row.slug)]
            more = len(rows) > wanted.page_size
            after = rows[-1].id if rows else after
    items = seen[: wanted.page_size]
    token = pages.encode({"seq": 0, "after": items[-1].id}) if len(seen) > wanted.page_size else None
    return {"items": [view(row, whole=False) for row in items], "next_page_token": token}


def show(control: Control, actor: Actor, id_: str) -> dict[str, Any]:
    with control.db.read() as session:
        row = recommendations.get(session, id_)
    actor.require(Action.READ_TENANT, row.slug)
    return {**view(row), "alarms": list(alarm_states(control, row.tenant_uid).values())}


def alarm_states(control: Control, uid: str) -> dict[str, dict[str, Any]]:
    """Of a tenant's alarms, by name, as far as CloudWatch told us."""
    with control.db.read() as session:
        rows = alarms.of_tenant(session, uid)
    return {
        row.name: {"rule": row.rule, "state": row.state, "since": plain(row.since), "reason": row.reason}
        for row in rows
    }
