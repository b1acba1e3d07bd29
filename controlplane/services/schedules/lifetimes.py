"""Proofs of concept that were made for a time: warned of their end at two days, two hours and thirty minutes,
and then destroyed as a person would destroy them, with a final snapshot and a grace period.

Where changes go through reviews the end is a review, and stays one until somebody merges it.
Nobody is destroyed unwarned: when no clock ran for days, the last warning comes first, and the end half an
hour after it. What has gone to production has no end any more.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.events.catalogue import of_expiry
from controlplane.domain.operation import Kind, Status
from controlplane.operations import Destroy
from controlplane.services.actor import Actor, Role
from controlplane.services.control import Ask, Control
from controlplane.services.reviews.machine import TTL, Proposal, propose, withdraw
from controlplane.store import audit, history, operations, tenants
from controlplane.store.operations import OperationFilter
from controlplane.store.tables import Tenant, TenantEvent
from controlplane.store.webhooks import outbox

REAPER = Actor("controlplane:lifetime", Role.OPERATOR, origin="lifetime")
LAST = timedelta(minutes=30)
WARNINGS = {"30 minutes": LAST, "2 hours": timedelta(hours=2), "2 days": timedelta(days=2)}
_TOLD = "expiring"
_MOST = 1_000
_NO, _HELD = (Status.REJECTED, Status.CANCELLED), timedelta(days=1)


def sweep(control: Control) -> list[str]:
    """What was said and what was asked for, in words."""
    now = control.now()
    with control.db.read() as session:
        rows = tenants.expiring(session, now + max(WARNINGS.values()))
    said = [said for row in rows if (said := _tend(control, row, now))]
    return [*said, *_take_back(control, now)]


def _take_back(control: Control, now: datetime) -> list[str]:
    """Ends that wait for a yes, of tenants whose end was put off or taken away meanwhile."""
    waiting = OperationFilter(kind=Kind.DESTROY.value, status=Status.AWAITING_APPROVAL.value)
    said = []
    with control.db.write() as session:
        for one in operations.page(session, waiting, None, _MOST):
            row = tenants.by_slug(session, one.tenant_slug)
            if one.requested_by == REAPER.name and (row.expires_at is None or row.expires_at > now):
                withdraw(control, session, row.slug, TTL, "its end was put off")
                said.append(f"{row.slug} is not destroyed: its end was put off")
    return said


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
    outbox.put(session, of_expiry(row.slug, left, row.expires_at, now))


def _end(control: Control, row: Tenant) -> str:
    until = row.expires_at.isoformat() if row.expires_at else ""
    with control.db.read() as session:
        if _was_refused(session, row, control.now()):
            return ""
        told = {f"warned, {name} left": f"{at:%Y-%m-%d %H:%M}" for name, at in _told(session, row).items()}
    evidence = {"its end": until, **told}
    back = f"controlplane tenant restore {row.slug}"
    wanted = Proposal(TTL, Kind.DESTROY, row.slug, Destroy(confirm=row.slug), evidence, back)
    ask = Ask("its time is over", auto_approve=True, priority=30)
    try:
        asked = propose(control, REAPER, wanted, ask)
    except ControlPlaneError as error:
        return f"{row.slug} could not be ended: {error.message}"
    waits = f", which waits in {asked['review']}" if asked.get("review") else ""
    return f"{row.slug} is destroyed by {asked['id']}{waits}"


def _was_refused(session: Session, row: Tenant, now: datetime) -> bool:
    """Whoever said no has a day to put the end off, before it is asked again."""
    asked = operations.page(session, OperationFilter(tenant_uid=row.uid, kind=Kind.DESTROY.value), None, 1)
    return any(
        one.requested_by == REAPER.name and one.status in _NO and one.ended_at and now - one.ended_at < _HELD
        for one in asked
    )
