"""Lifting a fence, whoever dies: by the operation that takes itself back, or by the watch over its lease.

Who lifts a fence before its time first takes the flip away, by compare-and-set: so a switch and an unfencing
never both win.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.migration.states import FINAL, ON_LAPSE, Flip, State, Strategy
from controlplane.domain.names import WorkspaceId, slot_key
from controlplane.domain.operation import Kind, Status
from controlplane.domain.plan.settle import read_state
from controlplane.domain.workspace import SlotSpec
from controlplane.steps import moving, replicating, subject, workspace
from controlplane.steps.bluegreen import green, switch
from controlplane.steps.credentials import login
from controlplane.steps.story import effect
from controlplane.steps.subject import Subject
from controlplane.steps.world import world
from controlplane.store import moves, operations, slots
from controlplane.store.moves import Migration

_AT_WORK = frozenset({Status.APPLYING, Status.VERIFYING})
_log = logging.getLogger(__name__)


def _subject_of(row: Migration) -> Subject:
    with world().db.read() as session:
        return subject.read(session, row.holder)


def _lift(row: Migration, epoch: int) -> None:
    """Open what the fence closed. Where the database is gone there is nobody to let in."""
    found = _subject_of(row)
    slot = next((s for s in found.slots if s.epoch == epoch), None)
    if slot is not None and world().ports.cloud.database(slot.identifier) is not None:
        world().ports.database.unfence(login(found.the_tenant(), slot, "cp_control"))


def fence_in_words(row: Migration) -> str:
    """Whom the fence holds closed now, as the database says."""
    epoch = row.fenced_epoch
    if epoch is None:
        return "there is no fence"
    found = _subject_of(row)
    try:
        control = login(found.the_tenant(), moving.slot_at(found, epoch), "cp_control")
        closed = world().ports.migration.fenced_logins(control)
    except ControlPlaneError as error:
        return f"whether e{epoch} is fenced is not known: {error.message}"
    return f"e{epoch} is closed for {', '.join(closed)}" if closed else f"e{epoch} is open"


# --- the watch --------------------------------------------------------------------------------------


def tend() -> None:
    """One look: whose fence lapsed, and whose operation ended without it. Whether its leg lives or not."""
    here = world()
    with here.db.read() as session:
        lapsed, left = moves.lapsed(session, here.now()), moves.abandoned(session)
    for row in lapsed:
        words = f"the fence stood for {row.outage_minutes} minutes: it is lifted, and nothing is switched"
        _guarded(row, lambda row=row, words=words: _give_up(row, words))  # type: ignore[misc]
    for row in left:
        _guarded(row, lambda row=row: _give_up(row, ""))  # type: ignore[misc]


def _guarded(row: Migration, act: Callable[[], None]) -> None:
    """One database that does not answer keeps nobody from lifting the others' fences."""
    try:
        act()
    except ControlPlaneError as error:
        _log.warning("the fence of migration %s: %s", row.id, error)


def _give_up(row: Migration, words: str) -> None:
    """A look that dies between the flip and the lifting is made again."""
    if row.flip == Flip.SWITCHING:
        (_let_in if words else _give_up_switching)(row)
        return
    if not _take_flip(row):
        return  # the switch was faster
    if words:
        with world().db.write() as session:
            operations.tell(session, row.holder, world().now(), "warning", text=words)
            moves.note(session, row.id, note=words)
    _lift_and_note(row)


def _let_in(row: Migration) -> None:
    """While RDS switches over whoever has the name is the truth: it is opened, and the switch is RDS's."""
    _lift(row, row.to_epoch)
    words = f"the fence stood for {row.outage_minutes} minutes: it is lifted, while RDS switches over"
    with world().db.write() as session:
        operations.tell(session, row.holder, world().now(), "warning", text=words)
        moves.note(session, row.id, note=words, fence_deadline=None, fenced_epoch=None, fenced_at=None)


def _give_up_switching(row: Migration) -> None:
    """Its operation ended; what came of the switchover is written down, and whoever serves is opened."""
    row = switch.resolved(row)
    if row.flip == Flip.FLIPPED:
        _lift(row, row.to_epoch)
        moving.reach(row.id, State.OPEN)
    elif row.flip == Flip.ABORTED:
        _lift_and_note(row)


def _take_flip(row: Migration) -> bool:
    """Nobody can switch any more; False where somebody did."""
    was = Flip(row.flip)
    if was not in ON_LAPSE:
        return True
    with world().db.write() as session:
        return moves.flip(session, row.id, was, ON_LAPSE[was])


def _lift_and_note(row: Migration) -> None:
    here = world()
    left = row.from_epoch if row.flip in (Flip.FLIPPED, Flip.RETURNING) else None
    if row.fenced_at is not None and row.fenced_epoch not in (None, left):  # what was left stays closed
        _lift(row, int(row.fenced_epoch or 0))
    called_off = row.flip not in (Flip.FLIPPED, Flip.RETURNING)
    if called_off:
        replicating.drop_all(row, _subject_of(row))
    is_over = not called_off or green.end(row)  # else the watch asks again
    with here.db.write() as session:
        row = moves.get(session, row.id)
        # After a way back that was not taken the source stays closed, as it was.
        stays = row.flip == Flip.FLIPPED
        fence = (row.from_epoch, moves.since(row, State.FENCED)) if stays else (None, None)
        moves.note(session, row.id, fence_deadline=None, fenced_epoch=fence[0], fenced_at=fence[1])
        if row.flip == Flip.ABORTED and State(row.state) not in FINAL:
            moves.enter(session, row.id, State.ROLLED_BACK if is_over else State.UNFENCING, here.now())


# --- taking back ------------------------------------------------------------------------------------


@effect("take_back", "taking back what was begun")
def take_back(operation_id: str) -> dict[str, Any]:
    """Before the switch everything can be: the flip is taken away, the fence lifted, the tenant stays.

    After it nothing is undone here: the target is the truth, and a person decides. `undone` is None where
    this operation had begun nothing."""
    found = subject.load(operation_id)
    with world().db.read() as session:
        row = moves.find(session, found.payload.get("migration", operation_id))
    if row is None or row.holder != operation_id:
        return _answer(None)
    if found.kind is Kind.UPGRADE and row.flip in (Flip.RETURNING, Flip.REVERSED):
        return _after_return(found, row)
    return _undo(found, row)


def _after_return(found: Subject, row: Migration) -> dict[str, Any]:
    """An upgrade went back by itself since its checks failed; or could not: whether it may stay behind the
    switch, a person decides."""
    if row.flip == Flip.REVERSED:
        return _answer(True, "partially_applied", _stays(row.from_epoch), _removal(found, row))
    if _take_flip(row):
        _lift_or_hold(row)
        moving.reach(row.id, State.OPEN)
    return _answer(False, note=_stays(row.to_epoch))


def _undo(found: Subject, row: Migration) -> dict[str, Any]:
    row = switch.resolved(row)
    if row.strategy == Strategy.RDS_BLUE_GREEN and row.flip == Flip.FLIPPED:
        return _stay_switched(found, row)
    returning = row.flip == Flip.RETURNING
    if not (_take_flip(row) and (returning or row.flip in (Flip.OPEN, Flip.ABORTED))):
        return _answer(False, note=fence_in_words(row))
    if _was_changed_in_place(found, row):
        return _answer(False, note="the database was changed, or may have been")
    _lift_or_hold(row)
    status = Status(found.operation.status)
    stays = row.to_epoch if returning else row.from_epoch
    note = _stays(stays)
    if returning:
        return _answer(True, "failed", note, f"controlplane migration rollback {found.operation.tenant_slug}")
    if _drop_unborn(found, row):
        return _answer(True, "failed" if status in _AT_WORK else "", note)
    return _answer(True, "partially_applied" if status in _AT_WORK else "", note, _removal(found, row))


def _stay_switched(found: Subject, row: Migration) -> dict[str, Any]:
    """The side that was left gets nothing back: nobody is kept out of the one that serves."""
    if found.kind is Kind.UPGRADE:
        _lift(row, row.to_epoch)
        moving.reach(row.id, State.OPEN)
    return _answer(False, note=_stays(row.to_epoch))


def _stays(epoch: int) -> str:
    return f"the tenant stays at e{epoch}, which is open"


def _removal(found: Subject, row: Migration) -> str:
    return f"controlplane migration rollback {found.operation.tenant_slug} removes e{row.to_epoch}"


def _answer(undone: bool | None, status: str = "", note: str = "", hint: str = "") -> dict[str, Any]:
    phase = "ready" if undone else None
    return {"undone": undone, "status": status, "phase": phase, "note": note, "hint": hint}


def _was_changed_in_place(found: Subject, row: Migration) -> bool:
    if row.from_epoch != row.to_epoch:
        return False
    with world().db.read() as session:
        return operations.any_plan_consumed(session, found.operation.id)


def _lift_or_hold(row: Migration) -> None:
    try:
        _lift_and_note(row)
    except ControlPlaneError as error:
        with world().db.write() as session:
            moves.enter(session, row.id, State.NEEDS_OPERATOR, world().now())
        error.message += f"; {fence_in_words(row)}"
        raise


def _places_of(found: Subject, slot: SlotSpec) -> list[str]:
    """Where Terraform keeps what came with this slot; on a platform new to the tenant, its way in too."""
    places = [f'module.database["{slot_key(slot.epoch)}"]']
    if all(other.environment != slot.environment for other in found.slots if other.epoch != slot.epoch):
        places.append(f'module.access["{slot.environment}"]')
    return places


def _drop_unborn(found: Subject, row: Migration) -> bool:
    """A slot of which nothing was made is forgotten again; False: something of it has to be removed."""
    slot = next((s for s in found.slots if s.epoch == row.to_epoch != row.from_epoch), None)
    if slot is None:
        return True
    state = world().ports.runner.state(WorkspaceId(found.operation.workspace_id))
    made = read_state(state)
    if any(place in address for address in made for place in _places_of(found, slot)):
        return False
    if world().ports.cloud.database(slot.identifier) is not None:
        return False
    with world().db.write() as session:
        slots.set_status(session, found.the_tenant().uid, slot.epoch, slots.GONE)
    workspace.leave(found.operation.id)
    return True
