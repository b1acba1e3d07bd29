"""The switchover: RDS gives the green side name and address of the blue one, or leaves all as it was.

From its begin on the route's flip says `switching`: then nobody takes the move back before RDS has said what
came of it, and a fence that lapses meanwhile is lifted by the name, whichever side that means by now.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from controlplane.domain.errors import Conflict
from controlplane.domain.migration.bluegreen import LONGEST_SECONDS, SHORTEST_SECONDS
from controlplane.domain.migration.states import Flip, State
from controlplane.domain.migration.windows import seconds_left
from controlplane.domain.names import WorkspaceId
from controlplane.domain.plan.settle import read_state
from controlplane.durable import reach, step
from controlplane.ports import BlueGreen
from controlplane.steps import credentials, moving, subject
from controlplane.steps.bluegreen import green
from controlplane.steps.credentials import login
from controlplane.steps.story import effect, say
from controlplane.steps.subject import Subject
from controlplane.steps.workspace import database_in
from controlplane.steps.world import world
from controlplane.store import moves, operations, slots, tenants
from controlplane.store.moves import Migration
from controlplane.store.tenants import Route

_AVAILABLE, _UNDER_WAY, _DONE = "available", "switchover_in_progress", "switchover_completed"
_SILENCE_SECONDS = 600.0  # for which RDS may go on without an end beyond the time that it was given


@step("is_switching")
def is_begun(operation_id: str) -> bool:
    """Whether all that comes before it lies behind: of a try that a person takes up again."""
    return moving.of(operation_id).flip in (Flip.SWITCHING, Flip.FLIPPED)


@effect("switch_over", "switching over to the green side")
def switch(operation_id: str) -> dict[str, Any]:
    """Waits until RDS has said what came of it."""
    row = moving.of(operation_id)
    if row.flip == Flip.OPEN:
        row = _begin(operation_id, row)
    if row.flip == Flip.SWITCHING:
        patience = _ask(row)
        reach("switch_over", "middle")
        row = _over(operation_id, row, patience)
    if row.flip != Flip.FLIPPED:
        seen = world().ports.cloud.blue_green(green.name_of(row))
        said = f": {seen.status}, {seen.detail}" if seen is not None else ""
        raise Conflict(
            f"RDS did not switch over, and left all as it was{said}",
            hint="ask again in a quieter hour, or with a longer outage: --outage-minutes N",
        )
    return {"serves": moving.slot_at(subject.load(operation_id), row.to_epoch).identifier}


def _begin(operation_id: str, row: Migration) -> Migration:
    here = world()
    with here.db.write() as session:
        row = moves.get(session, row.id)
        moving.require_leave(session, operation_id, row)
        if moving.has_lapsed(row, here.now()) or not moves.flip(session, row.id, Flip.OPEN, Flip.SWITCHING):
            raise moving.too_late(row)
        return moves.get(session, row.id)


def _ask(row: Migration) -> float:
    """How long RDS was given: as long as the fence stands, so that it is over by then. Whose fence leaves too
    little is not asked."""
    left = seconds_left(row.fence_deadline, world().now()) or 0
    seconds, status = min(left, LONGEST_SECONDS), green.deployment(row).status
    if seconds >= SHORTEST_SECONDS and status == _AVAILABLE:
        world().ports.cloud.switch_over(green.name_of(row), seconds)
        return seconds + _SILENCE_SECONDS
    return _SILENCE_SECONDS if status == _UNDER_WAY else 0.0


def _over(operation_id: str, row: Migration, patience: float) -> Migration:
    deadline = time.monotonic() + patience
    while True:
        row = resolved(row, asked_again=time.monotonic() > deadline)
        if row.flip != Flip.SWITCHING:
            return row
        if time.monotonic() > deadline:
            raise Conflict(
                f"RDS is still switching over after {patience:.0f} s",
                hint=f"look at the deployment in RDS, then: controlplane operation settle {operation_id}",
            )
        time.sleep(world().poll_seconds)


def resolved(row: Migration, *, asked_again: bool = True) -> Migration:
    """What came of a switchover, written down; as it is while RDS goes on. What is still `available` was
    never begun, once nobody waits for its begin any more."""
    if row.flip != Flip.SWITCHING:
        return row
    seen = green.deployment(row)
    if seen.status == _DONE:
        return _record(row, seen)
    if seen.status == _UNDER_WAY or (seen.status == _AVAILABLE and not asked_again):
        return row
    with world().db.write() as session:
        moves.flip(session, row.id, Flip.SWITCHING, Flip.ABORTED)
        return moves.get(session, row.id)


def _record(row: Migration, seen: BlueGreen) -> Migration:
    """The switch, of migration, route and spec together; the old side gets an epoch of its own."""
    here = world()
    with here.db.read() as session:
        found = subject.read(session, row.holder)
    slot = moving.slot_at(found, row.to_epoch)
    at, old = credentials.endpoint_of(slot), here.ports.cloud.database(seen.blue)
    if old is None:
        raise Conflict(
            f"RDS switched over, and {seen.blue} is not there", hint="look at the deployment in RDS"
        )
    with here.db.write() as session:
        now, uid = here.now(), row.tenant_uid
        epoch = max(one.epoch for one in slots.every(session, uid)) + 1
        values = {"from_epoch": epoch, "fenced_epoch": epoch, "fence_deadline": None, "flipped_at": now}
        if not moves.flip(session, row.id, Flip.SWITCHING, Flip.FLIPPED, **values):
            return moves.get(session, row.id)
        left = replace(slot, epoch=epoch, identifier=seen.blue, credential_write=False)
        slots.save(session, uid, left, status=slots.BESIDE)
        slots.record_resource(session, uid, epoch, old.resource_id)
        by = moving.by_whom(found.operation)
        tenants.flip_route(session, uid, row.to_epoch, Route(at["host"], at["port"], row.to_epoch), **by)
        tenants.change(session, uid, row.after, **by)
        moves.enter(session, row.id, State.FLIPPED, now)
        return moves.get(session, row.id)


# --- behind it --------------------------------------------------------------------------------------


@effect("try_green", "trying the side that serves now")
def canary(operation_id: str) -> None:
    """It has the last row that was written behind the fence, and takes new ones."""
    found, row = subject.load(operation_id), moving.of(operation_id)
    control = login(found.the_tenant(), moving.slot_at(found, row.to_epoch), "cp_control")
    migration = world().ports.migration
    if not migration.has_marker(control, row.token):
        raise Conflict(
            "the side that serves now lacks the last row that was written behind the fence",
            hint=f"compare it with {moving.slot_at(found, row.from_epoch).identifier} before anybody writes",
        )
    migration.write_marker(control, f"{row.token}-switched")


@effect("take_into_state", "letting the state mean the side that serves")
def take_into_state(operation_id: str) -> dict[str, Any]:
    """A state knows a database by its resource id, and by that it goes on to mean the one that was left:
    that is forgotten, under a new serial, and the one of the name imported by the next plan."""
    found = subject.load(operation_id)
    stale = _stale(found)
    if stale:
        here, operation = world(), found.operation
        here.ports.runner.forget(WorkspaceId(operation.workspace_id), list(stale))
        fresh = [[address, name] for address, name in stale.items()]
        with here.db.write() as session:
            kept = [pair for pair in operation.imports if pair not in fresh]
            operations.note(session, operation_id, imports=[*kept, *fresh])
        say(operation_id, "state", f"{', '.join(stale)} means the side that serves from the next plan on")
    return {"forgotten": list(stale)}


def _stale(found: Subject) -> dict[str, str]:
    """Address → name of every database in the state that is by now the side which was left."""
    with world().db.read() as session:
        left = {row.resource_id for row in slots.beside(session, found.the_tenant().uid)}
    if not left:
        return {}
    state = read_state(world().ports.runner.state(WorkspaceId(found.operation.workspace_id)))
    return {
        address: slot.identifier
        for slot in found.slots
        for address, one in state.items()
        if address.startswith(database_in(slot)) and one.attributes.get("resource_id") in left
    }
