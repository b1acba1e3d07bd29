"""The watch over tenants that soak: whether what they write still reaches the database that they left.

The log that is kept for it fills the disk of the database that serves, so there is an end to waiting: the
slot is dropped, and from then on a way back loses rows. That is written down first, with its event, and done
then: a crash between the two leaves a slot that the next look drops, never a way back that is not there.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.events.catalogue import of_way_back
from controlplane.domain.migration.evidence import SlotLook
from controlplane.domain.migration.soaking import LOST, WARNED, Level, judge, log_limit
from controlplane.steps import moving, replicating, subject
from controlplane.steps.subject import Subject
from controlplane.steps.world import world
from controlplane.store import audit, history, moves
from controlplane.store.moves import Migration
from controlplane.store.tables import Tenant, TenantEvent
from controlplane.store.webhooks import outbox

_log = logging.getLogger(__name__)
_QUIET = timedelta(hours=1)  # until somebody is warned of the same again


def look(id_: str, actor: str) -> str:
    """One look at one migration, in words; empty: there is nothing that anybody has to know."""
    with world().db.read() as session:
        row = moves.get(session, id_)
        found = subject.read(session, row.holder)
    if replicating.is_armed(row):
        return _watch(row, found, actor)
    if replicating.gone_since(row) and not row.way_back.get("slot_dropped"):
        return _drop(row, found)
    return ""


def _watch(row: Migration, found: Subject, actor: str) -> str:
    storage = moving.slot_at(found, row.to_epoch).storage_gb
    seen, why = SlotLook(exists=True), ""
    try:
        sender = replicating.control(found, row.to_epoch)
        seen = world().ports.migration.slot(sender, replicating.reverse_name(row))
        level, why = judge(seen, storage)
    except ControlPlaneError as error:
        level, why = Level.UNKNOWN, f"the slot cannot be looked at: {error.message}"
    now = world().now()
    noted: dict[str, Any] = {
        "at": now.isoformat(),
        "level": level.value,
        "why": why,
        "active": seen.active if level is not Level.UNKNOWN else None,
        "lag_bytes": seen.lag_bytes,
        "retained_bytes": seen.retained_bytes,
        "limit_bytes": log_limit(storage),
        "written": seen.written,
        "arrived_until": _arrived_until(row.way_back, seen),
        "told": dict(row.way_back.get("told", {})),
    }
    tenant = found.the_tenant()
    if level in LOST:
        return _give_up(row, found, noted, actor)
    with world().db.write() as session:
        if level in WARNED and _is_news(noted["told"], level, now):
            noted["told"][level.value] = now.isoformat()
            _tell(session, tenant, row, noted, actor)
        moves.note(session, row.id, way_back=noted)
    return f"{tenant.slug}: {why}" if why else ""


def _arrived_until(before: Mapping[str, Any], seen: SlotLook) -> str | None:
    """The last look of which everything that was written before it is known to be in the old database."""
    written = before.get("written")
    if written is not None and seen.confirmed is not None and seen.confirmed >= written:
        return str(before["at"])
    return before.get("arrived_until")


def _is_news(told: Mapping[str, str], level: Level, now: datetime) -> bool:
    at = told.get(level.value)
    return at is None or now - datetime.fromisoformat(at) >= _QUIET


def _give_up(row: Migration, found: Subject, noted: dict[str, Any], actor: str) -> str:
    tenant, why = found.the_tenant(), noted["why"]
    noted |= {"gone_since": noted["at"], "slot_dropped": False}
    with world().db.write() as session:
        if not moves.end_way_back(session, row.id, why, noted):
            return f"{tenant.slug}: {why}; it is being taken back or finalized just now"
        _tell(session, tenant, row, noted, actor)
    with world().db.read() as session:
        return _drop(moves.get(session, row.id), found)


def _drop(row: Migration, found: Subject) -> str:
    slug, name = found.the_tenant().slug, replicating.reverse_name(row)
    lost = f"{slug}: rows come back no more since {replicating.gone_since(row)}: {row.way_back['why']}"
    try:
        replicating.drop(row, found, name, publisher=row.to_epoch, alone=True)
    except ControlPlaneError as error:
        _log.warning("dropping the slot %s of %s: %s", name, slug, error)
        return f"{lost}; its slot could not be dropped yet: {error.message}"
    with world().db.write() as session:
        moves.note(session, row.id, way_back={**row.way_back, "slot_dropped": True})
    return lost


def _tell(session: Session, tenant: Tenant, row: Migration, noted: Mapping[str, Any], actor: str) -> None:
    """Those who look at the tenant, and those whom its events are sent to."""
    now = world().now()
    event = of_way_back(tenant.slug, row.id, noted, now)
    what = event.type.rpartition(".")[2]
    after = {
        name: noted.get(name) for name in ("level", "why", "retained_bytes", "limit_bytes", "arrived_until")
    }
    line = TenantEvent(tenant_uid=tenant.uid, at=now, actor=actor, what=what, before={}, after=after)
    history.append(session, line)
    audit.append(
        session,
        at=now,
        actor=actor,
        action=event.type,
        subject=event.subject,
        reason=str(noted["why"]),
        after=after,
    )
    outbox.put(session, event)
