"""What people do with a recommendation: propose it as a change, apply it, or dismiss it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from controlplane.catalog.rightsizing import load_rightsizing
from controlplane.domain.errors import Conflict
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Ask, Control
from controlplane.services.once import within
from controlplane.services.rightsizing import proposing
from controlplane.services.rightsizing.asked import Dismissal
from controlplane.services.rightsizing.inbox import view
from controlplane.store import audit
from controlplane.store.fleet import recommendations
from controlplane.store.fleet.rows import Recommendation


def propose(control: Control, actor: Actor, id_: str, ask: Ask) -> dict[str, Any]:
    """The ordinary operation or its review, with plan, policy and approval; answers the operation."""
    row = _open(control, actor, id_)
    why = ask.reason or proposing.why(row)
    with control.db.write() as session:
        operation = proposing.propose(within(control, session), actor, row, replace(ask, reason=why))
        values = {
            "status": "proposed",
            "operation_id": operation["id"],
            "decided_by": actor.name,
            "decided_at": control.now(),
            "decision_reason": why,
        }
        _decide(session, row, values)
        _record(control, session, actor, ask, "rightsizing.proposed", row)
    return operation


def apply(control: Control, actor: Actor, id_: str, ask: Ask) -> dict[str, Any]:
    """Propose it and approve it at once, where policy lets one person do that."""
    return propose(control, actor, id_, replace(ask, auto_approve=True))


def dismiss(control: Control, actor: Actor, id_: str, body: Dismissal, ask: Ask) -> dict[str, Any]:
    """Not now: the same proposal is not made again for a while, and for longer each time."""
    row = _open(control, actor, id_)
    days = body.days or load_rightsizing().thresholds.suppress_days
    now = control.now()
    with control.db.write() as session:
        values = {
            "status": "dismissed",
            "decided_by": actor.name,
            "decided_at": now,
            "decision_reason": ask.reason,
        }
        _decide(session, row, values)
        decided = {"now": now, "actor": actor.name, "reason": ask.reason}
        until = recommendations.suppress(session, row.tenant_uid, row.signature, days, decided)
        _record(control, session, actor, ask, "rightsizing.dismissed", row)
        return {**view(recommendations.get(session, id_)), "silent_until": until.isoformat()}


def _open(control: Control, actor: Actor, id_: str) -> Recommendation:
    with control.db.read() as session:
        row = recommendations.get(session, id_)
    actor.require(Action.CHANGE_TENANT, row.slug)
    if row.status != "open":
        raise _decided(row)
    return row


def _decide(session: Session, row: Recommendation, values: dict[str, Any]) -> None:
    if not recommendations.move(session, row.id, ("open",), values):
        raise _decided(recommendations.get(session, row.id))


def _decided(row: Recommendation) -> Conflict:
    way = (
        f"controlplane operation show {row.operation_id}"
        if row.operation_id
        else "controlplane rightsize scan"
    )
    return Conflict(f"the recommendation {row.id} for {row.slug} is {row.status} already", hint=way)


def _record(
    control: Control, session: Session, actor: Actor, ask: Ask, action: str, row: Recommendation
) -> None:
    audit.append(
        session,
        at=control.now(),
        actor=actor.name,
        action=action,
        subject=f"tenant/{row.slug}",
        reason=ask.reason,
        request_id=ask.request_id,
        origin=actor.origin,
        after={"recommendation": row.id, "size": row.target_size, "storage_gb": row.target_storage_gb},
    )
