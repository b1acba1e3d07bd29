"""Off-hours: who sleeps at night, by windows whose effect is `sleep`, each in its own time zone.

It is only asked for here, by ordinary operations, and by no review: the window was the decision, and nobody's
desired spec changes. Who was woken by a person within a night stays awake until that night is over, and
who was suspended by a person is not woken.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from controlplane.domain.errors import Conflict
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Phase
from controlplane.domain.windows import Effect, Window, night_since, parse_window
from controlplane.operations import Request, Resume, Suspend
from controlplane.services import cells, tenants
from controlplane.services.actor import Actor, Role
from controlplane.services.control import Ask, Control
from controlplane.services.keeping import KEEPER
from controlplane.store import operations
from controlplane.store.fleet import databases
from controlplane.store.fleet.databases import FleetDatabase
from controlplane.store.guard import windows
from controlplane.store.operations import OperationFilter
from controlplane.store.tables import Operation

NIGHT = Actor("controlplane:off-hours", Role.OPERATOR, origin="off-hours")
_SLEEP, _WAKE = "its off-hours began", "its off-hours are over"


def follow(control: Control) -> list[str]:
    """What was asked for, in words, in every cell; whom an operation holds is looked at next time."""
    wanted = []
    regions = {cell.region for cell in cells.known(control).values()}
    with control.db.read() as session:
        nights = _nights(session)
        for row in (one for one in databases.every(session) if one.region in regions):
            verb = _wanted(session, nights, row, control.now()) if row.is_routed else None
            if verb is not None and not row.busy_with:
                wanted.append((row.slug, verb))
    return [f"{slug}: {verb}" for slug, verb in wanted if _ask(control, slug, verb)]


def _nights(session: Session) -> list[Window]:
    rows = [row for row in windows.every(session) if row.effect == Effect.SLEEP]
    return [
        parse_window(row.name, row.effect, row.cron, row.minutes, row.zone, selector=row.selector)
        for row in rows
    ]


def _wanted(session: Session, nights: Sequence[Window], row: FleetDatabase, now: datetime) -> Kind | None:
    since = night_since(nights, row.selectable, now)
    if row.phase == Phase.READY and since is not None:
        woken = _last(session, row.uid, Kind.RESUME)
        by_hand = woken is not None and woken.requested_by != NIGHT.name and woken.created_at >= since
        return None if by_hand else Kind.SUSPEND
    if row.phase == Phase.SUSPENDED and since is None:
        slept = _last(session, row.uid, Kind.SUSPEND)
        return Kind.RESUME if slept is not None and slept.requested_by == NIGHT.name else None
    return None


def _last(session: Session, uid: str, kind: Kind) -> Operation | None:
    """The newest of this kind, but for those by which a database that AWS started was stopped again."""
    rows = operations.page(session, OperationFilter(tenant_uid=uid, kind=kind.value), None, 20)
    return next((row for row in rows if row.requested_by != KEEPER.name), None)


def _ask(control: Control, slug: str, verb: Kind) -> bool:
    body: Request = Suspend() if verb is Kind.SUSPEND else Resume()
    ask = Ask(_SLEEP if verb is Kind.SUSPEND else _WAKE, priority=30, is_decided=True)
    try:
        tenants.change(control, NIGHT, verb, slug, body, ask)
    except Conflict:
        return False
    return True
