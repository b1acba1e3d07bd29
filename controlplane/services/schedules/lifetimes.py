"""Proofs of concept that were made for a time: warned of their end at two days, two hours and thirty minutes,
and then destroyed as a person would destroy them, with a final snapshot and a grace period.

Nobody is destroyed unwarned: when no clock ran for days, the last warning comes first, and the end half an
hour after it. What has gone to production has no end any more.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.operation import Kind
from controlplane.operations import Destroy
from controlplane.services import tenants as asking
from controlplane.services.actor import Actor, Role
from controlplane.services.control import Ask, Control
from controlplane.store import audit, history, tenants
from controlplane.store.tables import Tenant, TenantEvent

REAPER = Actor("controlplane:lifetime", Role.OPERATOR, origin="lifetime")
LAST = timedelta(minutes=30)
WARNINGS = {"30 minutes": LAST, "2 hours": timedelta(hours=2), "2 days": timedelta(days=2)}
_TOLD = "expiring"


def sweep(control: Control) -> list[str]:
    """What was said and what was asked for, in words."""
    now = control.now()
    with control.db.read() as session:
        rows = tenants.expiring(session, now + max(WARNINGS.values()))
    return [said for row in rows if (said := _tend(control, row, now))]


def _tend(control: Control, row: Tenant, now: datetime) -> str:
    left = row.expires_at - now if row.expires_at else LAST
    with control.db.write() as session:
        told = _told(session, row)
        due = next((name for name, before in WARNINGS.items() if left <= before), "")
        if due and due not in told:
            _tell(control, session, row, due)
            return f"{row.slug} was warned: {due} or less are left"
        warned_at = min((at for name, at in told.items() if name == "30 minutes"), default=now)
    if left > timedelta(0) or now - warned_at < LAST:
        return ""
    return _end(control, row)


def _told(session: Session, row: Tenant) -> dict[str, datetime]:
    """The warnings of this very end: an end that was put off is warned of again."""
    until = row.expires_at.isoformat() if row.expires_at else ""
    events = history.of_kind(session, row.uid, _TOLD)
    return {str(e.after["left"]): e.at for e in events if e.after.get("expires_at") == until}


def _tell(control: Control, session: Session, row: Tenant, left: str) -> None:
    now, after = control.now(), {"left": left, "expires_at": row.expires_at}
    event = TenantEvent(tenant_uid=row.uid, at=now, actor=REAPER.name, what=_TOLD, before={}, after=after)
    history.append(session, event)
    audit.append(
        session,
        at=now,
        actor=REAPER.name,
        action="tenant.expiring",
        subject=f"tenant/{row.slug}",
        reason=f"{left} or less are left; PATCH /v1/tenants/{row.slug} with ttl_days puts it off",
        origin=REAPER.origin,
        after=history.plain(after),
    )


def _end(control: Control, row: Tenant) -> str:
    body, ask = Destroy(confirm=row.slug), Ask("its time is over", auto_approve=True, priority=30)
    try:
        asked: dict[str, Any] = asking.change(control, REAPER, Kind.DESTROY, row.slug, body, ask)
    except ControlPlaneError as error:
        return f"{row.slug} could not be ended: {error.message}"
    return f"{row.slug} is destroyed by {asked['id']}"
