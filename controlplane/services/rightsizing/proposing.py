"""From a recommendation to a change that waits: a review or an operation, with evidence and the way back.

One is open for a tenant. What a later look finds renews it, or takes its place while it waits for a yes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.operation import Kind, Status
from controlplane.operations import Request, operation_type
from controlplane.services.actor import Actor, Role
from controlplane.services.control import Ask, Control
from controlplane.services.costs.book import usd
from controlplane.services.once import within
from controlplane.services.reviews import machine
from controlplane.services.reviews.machine import RIGHTSIZING, Proposal
from controlplane.store import operations
from controlplane.store.fleet import recommendations
from controlplane.store.fleet.rows import Recommendation

ACTOR = Actor("schedule:rightsizing", Role.ADMIN, origin="schedule")
_FIGURES = ("p50", "p95", "p99", "max")
_RENEWED = (
    "finding", "signature", "reasons", "remarks", "urgent", "current_size", "target_size",
    "target_storage_gb", "monthly_before", "monthly_after", "delta_usd", "risk", "risk_words", "outage",
    "revert", "evidence", "last_seen_at",
)  # fmt: skip


def propose(control: Control, actor: Actor, row: Recommendation, ask: Ask) -> dict[str, Any]:
    """Answers the operation."""
    way_back = row.revert if row.target_size else ""
    wanted = Proposal(RIGHTSIZING, Kind.RESIZE, row.slug, _request(row), evidence(row), way_back)
    return machine.propose(control, actor, wanted, ask)


def _request(row: Recommendation) -> Request:
    wanted = {"size": row.target_size or None, "storage_gb": row.target_storage_gb or None}
    return operation_type(Kind.RESIZE).request.model_validate(wanted)


def why(row: Recommendation) -> str:
    words = "; ".join(str(reason["words"]) for reason in row.reasons) or "storage"
    return f"right-sizing: {row.finding}: {words}"[:1000]


def evidence(row: Recommendation) -> dict[str, str]:
    """What it rests on, for a person who has to say yes or no."""
    found = {
        "finding": row.finding,
        "reasons": "; ".join(str(reason["words"]) for reason in row.reasons),
        "measured": _window(row.evidence),
        "CPU, percent": _figures(row.evidence.get("metrics", {}).get("cpu", {})),
        "storage": str((row.evidence.get("storage") or {}).get("words", "")),
        "remarks": "; ".join(row.remarks),
        "USD a month more": usd(row.delta_usd) or "unknown",
        "risk": row.risk_words,
        "outage": row.outage,
        "no way back": "RDS never shrinks storage" if row.target_storage_gb else "",
    }
    return {name: words for name, words in found.items() if words}


def _window(found: Mapping[str, Any]) -> str:
    if "from" not in found:
        return ""
    days = " to ".join(f"{datetime.fromtimestamp(found[name], UTC):%Y-%m-%d}" for name in ("from", "until"))
    missing = ", ".join(found.get("not_measured", ()))
    return days + (f"; not measured: {missing}" if missing else "")


def _figures(series: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {series[name]}" for name in _FIGURES if name in series)


def renew(control: Control, found: Recommendation) -> bool:
    """What was proposed and still waits follows what the newest look found; whether it did."""
    try:
        with control.db.write() as session:
            standing = recommendations.proposed_of(session, found.tenant_uid)
            if standing is None or standing.kind != found.kind:
                return False
            operation = operations.get(session, str(standing.operation_id))
            if operation.status != Status.AWAITING_APPROVAL:
                return False
            made = propose(within(control, session), ACTOR, found, Ask(reason=why(found)))
            values = {name: getattr(found, name) for name in _RENEWED}
            counted = {"operation_id": made["id"], "seen_count": Recommendation.seen_count + 1}
            return recommendations.move(session, standing.id, ("proposed",), values | counted)
    except ControlPlaneError:
        return False  # it stays as it was decided; who holds it is told where it is shown
