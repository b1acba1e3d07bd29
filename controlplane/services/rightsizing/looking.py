"""One tenant's metrics as they are now, and what the advisor would say of them. Nothing is written down."""

from __future__ import annotations

from typing import Any

from controlplane.catalog.rightsizing import load_rightsizing
from controlplane.domain.errors import Missing
from controlplane.domain.names import parse_slug
from controlplane.domain.rightsizing import advise
from controlplane.domain.tenant import Size
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Control
from controlplane.services.costs.book import usd
from controlplane.services.rightsizing import measuring
from controlplane.services.rightsizing.inbox import alarm_states
from controlplane.services.rightsizing.measuring import Found, Target
from controlplane.services.rightsizing.scanning import Costing, subject
from controlplane.store import tenants
from controlplane.store.fleet import databases
from controlplane.store.fleet.databases import FleetDatabase

_NEVER_TOLD = {"rule": None, "state": None, "since": None, "reason": ""}


def metrics(control: Control, actor: Actor, slug: str) -> dict[str, Any]:
    """Figures of the look-back, the alarms' thresholds beside them, and the finding."""
    actor.require(Action.READ_TENANT, parse_slug(slug))
    row, facts, now = _database(control, slug), load_rightsizing(), control.now()
    source, target = measuring.source(control), Target(row.identifier, facts.step(Size(row.size)))
    window = measuring.look_back(facts.thresholds, now)
    found = _first(measuring.long_term(source, [target], window))
    hot = _first(measuring.recent(source, [target], measuring.just_now(now)))
    measured = {**found.series, **hot.series}
    of, moment = subject(row, Costing(control)), int(now.timestamp())
    advice = advise(of, facts.ladder, measured, facts.thresholds, moment)
    return {
        "tenant": slug,
        "identifier": row.identifier,
        "size": row.size,
        "finding": advice.finding.value if advice.finding else None,
        "target_size": advice.target_now.value if advice.target_now else None,
        "target_storage_gb": advice.target_storage_gb,
        "reasons": [signal.as_json() for signal in advice.reasons],
        "blocked": [signal.as_json() for signal in advice.blocked],
        "remarks": list(advice.remarks),
        "delta_usd": usd(advice.delta_usd) if advice.target_now else None,
        "surplus_usd": usd(advice.surplus_usd),
        "storage": advice.storage.words if advice.storage else None,
        "metrics": advice.evidence["metrics"],
        "thresholds": _thresholds(control, row),
        "problems": [*found.problems, *hot.problems],
    }


def _database(control: Control, slug: str) -> FleetDatabase:
    with control.db.read() as session:
        tenants.by_slug(session, slug)
        found = [d for d in databases.every(session) if d.slug == slug and d.is_routed]
    if not found:
        raise Missing(f"{slug} has no database that runs", hint=f"controlplane tenant explain {slug}")
    return found[0]


def _first(found: Any) -> Found:
    return next((one for _, one in found), Found())


def _thresholds(control: Control, row: FleetDatabase) -> list[dict[str, Any]]:
    """The alarms of this database, as they are rendered for it."""
    size = control.catalog.sizes[Size(row.size)]
    states = alarm_states(control, row.uid)
    return [
        {
            "alarm": f"{row.identifier}-{rule.name}",
            "metric": rule.metric,
            "side": rule.side,
            "threshold": rule.threshold(size, row.storage_gb),
            "minutes": rule.minutes,
            **states.get(f"{row.identifier}-{rule.name}", _NEVER_TOLD),
        }
        for rule in control.catalog.alarms
        if row.alarms
    ]
