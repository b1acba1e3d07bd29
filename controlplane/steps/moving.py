"""A migration's row as it is moved along: opened, entered, flipped, reversed. Each is one transaction.

`reach` leaves alone what lies behind, so that a leg that runs again changes nothing; the flip and its abort
are one compare-and-set, so that of an operation and the watch over its fence only one wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.errors import Conflict, Refused
from controlplane.domain.migration.states import FINAL, Flip, State, Strategy, is_reached, may_flip
from controlplane.domain.migration.windows import is_expired
from controlplane.domain.operation import Kind, Status
from controlplane.domain.tenant import Environment, Phase, Stage
from controlplane.domain.workspace import SlotSpec
from controlplane.durable import step
from controlplane.steps import credentials, subject
from controlplane.steps.story import effect
from controlplane.steps.subject import Subject
from controlplane.steps.world import world
from controlplane.store import moves, operations, slots, tenants
from controlplane.store.moves import Migration
from controlplane.store.tables import Operation
from controlplane.store.tenants import Route
from controlplane.store.tenants.rows import By


def of(operation_id: str) -> Migration:
    """The migration that an operation moves: an upgrade's own, or the one that its payload names."""
    with world().db.read() as session:
        operation = operations.get(session, operation_id)
        return moves.get(session, operation.payload.get("migration", operation_id))


def slot_at(found: Subject, epoch: int) -> SlotSpec:
    slot = next((s for s in (*found.slots, *found.beside) if s.epoch == epoch), None)
    if slot is None:
        raise Conflict(
            f"{found.the_tenant().slug} has no slot e{epoch}", hint="controlplane tenant show SLUG"
        )
    return slot


def by_whom(operation: Operation) -> By:
    return By(actor=operation.requested_by, operation_id=operation.id, now=world().now())


def reach(id_: str, state: State) -> None:
    """Enter the state unless it lies behind."""
    with world().db.write() as session:
        row = moves.get(session, id_)
        if not is_reached(Strategy(row.strategy), State(row.state), state):
            moves.enter(session, id_, state, world().now())


def keep(id_: str, column: str, entries: Mapping[str, Any]) -> None:
    with world().db.write() as session:
        moves.add(session, id_, column, entries)


@effect("open_migration", "opening the migration")
def begin(operation_id: str) -> None:
    """Its row, and each slot told of what stage and platform it is, before the tenant's own change."""
    here = world()
    with here.db.write() as session:
        found = subject.read(session, operation_id)
        tenant, payload, operation = found.the_tenant(), found.payload, found.operation
        _require_fresh(found, moves.find(session, operation_id))
        for slot in found.slots:
            if slot.stage is None or slot.environment is None:
                stage, home = Stage(tenant.stage), Environment(tenant.environment)
                kept = replace(slot, stage=stage, environment=home)
                slots.save(session, tenant.uid, kept, status="present")
        row = Migration(
            id=operation_id,
            tenant_uid=tenant.uid,
            holder=operation_id,
            strategy=payload["strategy"],
            state=State.REQUESTED.value,
            from_epoch=payload["source_epoch"],
            to_epoch=payload["slot"]["epoch"],
            token=f"controlplane-{operation_id}",
            requested_by=operation.requested_by,
            outage_minutes=payload["outage_minutes"],
            before=payload["before"],
            after=payload["after"],
            timings=[
                {"state": "requested", "at": operation.created_at.isoformat(), "operation": operation_id}
            ],
            checklist=payload["checklist"],
            created_at=here.now(),
        )
        moves.begin(session, row)
    reach(operation_id, State.PREFLIGHT)


def _require_fresh(found: Subject, row: Migration | None) -> None:
    """A request that is tried again names an epoch and a snapshot that were used up by its first try."""
    slug, payload = found.the_tenant().slug, found.payload
    if row is not None and State(row.state) in FINAL:
        raise Conflict(
            f"{slug}: this migration is {row.state}",
            hint=f"ask for a new one: controlplane tenant upgrade {slug}",
        )
    epochs = (found.the_tenant().epoch, payload["source_epoch"])
    flipped = row is not None and row.flip != Flip.OPEN
    if not flipped and epochs[0] != epochs[1]:
        raise Conflict(
            f"{slug} moved to epoch {epochs[0]} since this was asked for",
            hint=f"ask for a new one: controlplane tenant upgrade {slug}",
        )
    wanted = int(payload["slot"]["epoch"])
    if row is None and wanted != payload["source_epoch"] and wanted in _epochs_ever(found):
        raise Conflict(
            f"{slug}: its slot e{wanted} was used by an earlier try",
            hint=f"ask for a new one: controlplane tenant upgrade {slug}",
        )


def _epochs_ever(found: Subject) -> set[int]:
    with world().db.read() as session:
        return {row.epoch for row in slots.every(session, found.the_tenant().uid)}


@step("approve_migration")
def approved(operation_id: str) -> None:
    """Its plan may be applied: from here on the operation is at work, and no longer waits for anybody."""
    here = world()
    with here.db.write() as session:
        found = subject.read(session, operation_id)
        operations.move(session, operation_id, Status.APPLYING, here.now(), waiting_for="", next_command="")
        by = by_whom(found.operation)
        tenants.set_phase(session, found.the_tenant().uid, Phase.MIGRATING, **by)
    reach(operation_id, State.APPROVED)


@effect("flip", "switching the route")
def flip(operation_id: str) -> dict[str, Any]:
    """The one switch, of migration, route and spec together. After it the target is the truth."""
    here = world()
    found, row = subject.load(operation_id), of(operation_id)
    at = credentials.endpoint_of(slot_at(found, row.to_epoch))
    with here.db.write() as session:
        row = moves.get(session, row.id)
        if row.flip == Flip.FLIPPED:
            return {"epoch": row.to_epoch}
        if row.flip != Flip.OPEN:  # given up: by then its state no longer says that it was verified
            raise too_late(row)
        require_leave(session, operation_id, row)
        now = here.now()
        lifted = {"fence_deadline": None, "flipped_at": now}
        if has_lapsed(row, now) or not moves.flip(session, row.id, Flip.OPEN, Flip.FLIPPED, **lifted):
            raise too_late(row)
        by = by_whom(found.operation)
        route = Route(at["host"], at["port"], row.to_epoch)
        tenants.flip_route(session, row.tenant_uid, row.from_epoch, route, **by)
        tenants.change(session, row.tenant_uid, row.after, **by)
        moves.enter(session, row.id, State.FLIPPED, now)
    return {"epoch": row.to_epoch}


def require_leave(session: Session, operation_id: str, row: Migration) -> None:
    """Only a verified target, and only while nobody called it off."""
    _require_uncancelled(session, operation_id)
    checked = row.verification
    if not may_flip(Strategy(row.strategy), State(row.state)) or not checked.get("passed"):
        raise Refused(
            "switching the route: the target is not verified", hint="controlplane migration show SLUG"
        )
    if is_expired(datetime.fromisoformat(checked["at"]), world().now()):
        raise Refused("switching the route: the verification is older than 24 h", hint="verify it again")


def has_lapsed(row: Migration, now: datetime) -> bool:
    """Nobody may switch behind a fence that stood too long, though its watch has not looked yet."""
    return row.fence_deadline is not None and row.fence_deadline <= now


def too_late(row: Migration) -> Conflict:
    return Conflict(
        f"the fence of {row.outage_minutes} minutes lapsed before the switch, and was lifted: "
        "the tenant stays where it is",
        hint="ask again with a longer outage: --outage-minutes N",
    )


def require_open(id_: str) -> Migration:
    """Raise unless the source may still be left."""
    with world().db.read() as session:
        row = moves.get(session, id_)
    if row.flip != Flip.OPEN:
        raise too_late(row)
    return row


def require_wanted(operation_id: str) -> None:
    """Raise when somebody called it off, or when its fence was lifted meanwhile."""
    with world().db.read() as session:
        _require_uncancelled(session, operation_id)
    require_open(operation_id)


def _require_uncancelled(session: Session, operation_id: str) -> None:
    if operations.get(session, operation_id).cancel_requested:
        raise Conflict("cancelled before the switch: the tenant stays where it is")


@effect("begin_return", "beginning the way back")
def begin_return(operation_id: str) -> None:
    row = of(operation_id)
    with world().db.write() as session:
        moves.note(session, row.id, holder=operation_id)
        if row.flip == Flip.REVERSED:
            return
        if row.flip != Flip.RETURNING and not moves.flip(session, row.id, Flip.FLIPPED, Flip.RETURNING):
            raise Conflict(f"the migration is {row.state}: there is no way back from here")


@effect("reverse", "switching the route back")
def reverse(operation_id: str) -> dict[str, Any]:
    """The same switch the other way round."""
    here = world()
    found, row = subject.load(operation_id), of(operation_id)
    at = credentials.endpoint_of(slot_at(found, row.from_epoch))
    with here.db.write() as session:
        row = moves.get(session, row.id)
        if row.flip == Flip.REVERSED:
            return {"epoch": row.from_epoch}
        now = here.now()
        back = not has_lapsed(row, now) and moves.flip(
            session, row.id, Flip.RETURNING, Flip.REVERSED, fence_deadline=None
        )
        if not back:
            raise Conflict(
                "the fence lapsed before the way back was done, and was lifted: the new database stays",
                hint="ask again: controlplane migration rollback SLUG",
            )
        by = by_whom(found.operation)
        route = Route(at["host"], at["port"], row.from_epoch)
        tenants.flip_route(session, row.tenant_uid, row.to_epoch, route, **by)
        tenants.change(session, row.tenant_uid, row.before, **by)
        moves.enter(session, row.id, State.REVERSED, now, found.operation.requested_by)
    return {"epoch": row.from_epoch}


@step("serve_again")
def serve_again(operation_id: str) -> None:
    """The tenant serves; what follows only takes away what it left."""
    here = world()
    with here.db.write() as session:
        operation = operations.get(session, operation_id)
        tenants.set_phase(session, str(operation.tenant_uid), Phase.READY, **by_whom(operation))


@effect("soak", "beginning the fallback window")
def soak(operation_id: str) -> dict[str, Any]:
    row = of(operation_id)
    reach(row.id, State.SOAKING)
    return {"migration": "soaking", "epoch": row.to_epoch, "source_epoch": row.from_epoch}


@effect("begin_finalizing", "ending the fallback window")
def begin_finalizing(operation_id: str) -> None:
    row = of(operation_id)
    with world().db.write() as session:
        moves.note(session, row.id, holder=operation_id)
        if row.state != State.FINALIZING:
            moves.enter(session, row.id, State.FINALIZING, world().now())


def leaving_epoch(found: Subject) -> int:
    """Whose slot a finalised or reversed migration takes away."""
    if found.kind not in (Kind.FINALIZE, Kind.ROLLBACK):
        raise Conflict(f"a {found.kind} takes no slot away")
    return int(found.payload["leaving"])
