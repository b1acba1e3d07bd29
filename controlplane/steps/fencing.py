"""The fence around a database that is left: raised with a lease, and drained. The lease is written, and
somebody watches over it, before the first login is closed: whoever dies, it is lifted (`lifting`)."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from controlplane.domain.errors import Conflict, Refused
from controlplane.domain.migration.states import Flip, State
from controlplane.domain.migration.windows import seconds_left
from controlplane.steps import moving, subject
from controlplane.steps.credentials import login
from controlplane.steps.story import effect, say
from controlplane.steps.world import world
from controlplane.store import moves

_DRAIN_SECONDS = 120


@effect("raise_fence", "closing the source to its application")
def fence_source(operation_id: str) -> dict[str, Any]:
    """From here until the switch nobody writes. A fence that lapsed meanwhile is not raised again."""
    row = moving.require_open(operation_id)
    moving.reach(row.id, State.FENCING)
    ended = _raise(operation_id, row.id, row.from_epoch, Flip.OPEN)
    moving.reach(row.id, State.FENCED)
    return {"sessions_ended": ended}


@effect("fence_target", "closing the new database to its application")
def fence_target(operation_id: str) -> dict[str, Any]:
    row = moving.of(operation_id)
    if row.flip == Flip.REVERSED:
        return {"sessions_ended": 0}
    return {"sessions_ended": _raise(operation_id, row.id, row.to_epoch, Flip.RETURNING)}


def _raise(operation_id: str, id_: str, epoch: int, while_: Flip) -> int:
    here = world()
    with here.db.write() as session:
        row, now = moves.get(session, id_), here.now()
        since, deadline = now, now + timedelta(minutes=row.outage_minutes)
        if row.fenced_epoch == epoch and row.fenced_at is not None and row.fence_deadline is not None:
            since, deadline = row.fenced_at, row.fence_deadline  # raised before: its lease goes on
        values = {"fenced_epoch": epoch, "fence_deadline": deadline, "fenced_at": since}
        if not moves.flip(session, id_, while_, while_, **values):
            raise Conflict("the fence lapsed and was lifted: nothing is closed again")
    here.guard()
    found = subject.load(operation_id)
    control = login(found.the_tenant(), moving.slot_at(found, epoch), "cp_control")
    ended = here.ports.database.fence(control)
    with here.db.read() as session:
        still = moves.get(session, id_).flip == while_
    if not still:  # it was lifted while we closed: nobody watches this one
        here.ports.database.unfence(control)
        raise Conflict("the fence lapsed while it was being raised, and was lifted")
    left = seconds_left(deadline, here.now())
    say(operation_id, "fence", f"e{epoch} is closed to its application; the fence lapses in {left} s")
    return ended


@effect("drain", "waiting until the source is quiet")
def drain(operation_id: str) -> dict[str, Any]:
    """No session, no open login, no prepared transaction; then a row whose commit flushes all before it."""
    row = moving.require_open(operation_id)
    found = subject.load(operation_id)
    control = login(found.the_tenant(), moving.slot_at(found, row.from_epoch), "cp_control")
    deadline = time.monotonic() + _DRAIN_SECONDS
    while True:
        seen = world().ports.migration.activity(control)
        if seen.quiet:
            break
        if time.monotonic() > deadline:
            raise Refused(
                f"the source does not become quiet: {seen.sessions} sessions, open logins "
                f"{', '.join(seen.open_logins) or 'none'}, prepared {', '.join(seen.prepared) or 'none'}",
                hint="end them, then ask again",
            )
        time.sleep(world().poll_seconds)
    position = world().ports.migration.write_marker(control, row.token)
    moving.keep(row.id, "receipts", {"marker": {"token": row.token, "position": position}})
    moving.reach(row.id, State.DRAINED)
    return {"position": position}
