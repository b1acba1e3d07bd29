"""Rows that travel while the application goes on: to the new database before the switch, and back after it.

Everything has a name made of its two epochs, and everything looks first: each of these may be run again.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from controlplane.domain.errors import Conflict, ControlPlaneError, Refused
from controlplane.domain.migration.evidence import Replication
from controlplane.domain.migration.soaking import log_limit
from controlplane.domain.migration.states import Flip, State, Strategy
from controlplane.ports import Login
from controlplane.steps import credentials, moving, subject
from controlplane.steps.credentials import login
from controlplane.steps.story import effect, say
from controlplane.steps.subject import Subject
from controlplane.steps.world import world
from controlplane.store import moves
from controlplane.store.moves import Migration

T = TypeVar("T")
_log = logging.getLogger(__name__)
LAG_SECONDS = 5.0  # within which a sentinel arrives, for a while, before anybody is fenced
_STEADY_MOST_SECONDS = 3600.0
_ARRIVAL_SECONDS = 120.0
_TRIAL_SECONDS = 20.0  # of an outage that was approved for something else
_SEED_SECONDS = 24 * 3600.0


def forward_name(row: Migration) -> str:
    return f"controlplane_e{row.from_epoch}_e{row.to_epoch}"


def reverse_name(row: Migration) -> str:
    return f"controlplane_e{row.to_epoch}_e{row.from_epoch}"


def control(found: Subject, epoch: int) -> Login:
    return login(found.the_tenant(), moving.slot_at(found, epoch), "cp_control")


def sides(found: Subject, row: Migration) -> tuple[Login, Login]:
    return control(found, row.from_epoch), control(found, row.to_epoch)


# --- forward ----------------------------------------------------------------------------------------


@effect("empty_target", "giving the new database its logins and the schema")
def prepare_target(operation_id: str) -> None:
    """Closed to its application from its birth. The schema comes by a file that lives as long as this step;
    it is loaded in one transaction, unless it is there."""
    found, row = subject.load(operation_id), moving.of(operation_id)
    target = moving.slot_at(found, row.to_epoch)
    credentials.make_logins(found.the_tenant(), target)
    moving.reach(row.id, State.TARGET_READY)
    ours, theirs = sides(found, row)
    here = world().ports
    here.database.fence(theirs)
    _require_able(theirs, f"e{row.to_epoch}")
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "schema")
        here.migration.dump_schema(ours, file)
        here.migration.load_schema(ours, login(found.the_tenant(), target, "master"), file)


def _require_able(database: Login, name: str) -> None:
    missing = unable(database)
    if missing:
        raise Refused(f"{name} cannot replicate: {missing}", hint="--strategy snapshot_restore")


def unable(database: Login) -> str:
    """Why rows cannot travel from and to this database; empty: they can."""
    found = world().ports.migration.obstacles(database, Strategy.LOGICAL_REPLICATION.value)
    return "; ".join(f"{one.name}: {one.detail}" for one in found if one.blocks)


@effect("follow", "copying the rows while the application goes on")
def follow(operation_id: str) -> dict[str, Any]:
    """Until every table is copied and follows. The slot's log is watched: it fills the source's disk."""
    row = moving.require_open(operation_id)
    found = subject.load(operation_id)
    ours, theirs = sides(found, row)
    moving.reach(row.id, State.SEEDING)
    migration, name = world().ports.migration, forward_name(row)
    migration.publish(ours, name)
    migration.subscribe(ours, theirs, name, copy_rows=True)

    def ready() -> Replication | None:
        seen = _looked_after(operation_id, found, row)
        return seen if seen.exists and seen.tables_ready == seen.tables else None

    seen = wait(ready, _SEED_SECONDS, "the tables are not copied")
    moving.reach(row.id, State.CATCHING_UP)
    return {"tables": seen.tables}


def _looked_after(operation_id: str, found: Subject, row: Migration) -> Replication:
    """One look; raises when somebody called it off or when the slot keeps more than the source can bear."""
    moving.require_wanted(operation_id)
    ours, theirs = sides(found, row)
    seen = world().ports.migration.replication(ours, theirs, forward_name(row))
    cap = log_limit(moving.slot_at(found, row.from_epoch).storage_gb)
    if (seen.retained_bytes or 0) > cap:
        raise Conflict(
            f"the copy falls behind: its slot keeps {seen.retained_bytes} bytes "
            f"of the source's disk, {cap} at most",
            hint="ask again in a quieter hour, or: --strategy snapshot_restore",
        )
    return seen


def wait(look: Callable[[], T | None], seconds: float, otherwise: str) -> T:
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise Conflict(f"{otherwise} after {seconds:.0f} s", hint="controlplane migration show SLUG")
        time.sleep(world().poll_seconds)


@effect("catch_up", "waiting until the new database follows closely")
def catch_up(operation_id: str) -> dict[str, Any]:
    """A sentinel row after the other, each of which arrives in time, for as long as it has to hold."""
    row, found = moving.require_open(operation_id), subject.load(operation_id)
    slowest = follows_closely(*sides(found, row), row.token, lambda: _looked_after(operation_id, found, row))
    words = f"e{row.to_epoch} follows: the slowest of the last sentinels took {slowest:.2f} s"
    say(operation_id, "replication", words)
    return {"slowest_seconds": round(slowest, 3)}


def follows_closely(ours: Login, theirs: Login, token: str, look: Callable[[], object]) -> float:
    """The slowest of the last sentinels, once they arrived in time for as long as it has to hold. `look`
    raises when nobody is to wait any longer."""
    began, steady, number = time.monotonic(), time.monotonic(), 0
    slowest = 0.0
    while time.monotonic() - steady < world().steady_seconds or number == 0:
        look()
        number += 1
        took = send(ours, theirs, f"{token}-lag-{number % 10}-{time.time_ns()}")
        slowest = max(slowest, took)
        if took > LAG_SECONDS:
            steady, slowest = time.monotonic(), 0.0
        if time.monotonic() - began > _STEADY_MOST_SECONDS:
            raise Conflict(f"the new database does not follow within {LAG_SECONDS:.0f} s")
        time.sleep(min(1.0, world().poll_seconds))
    return slowest


def send(publisher: Login, subscriber: Login, token: str, seconds: float = _ARRIVAL_SECONDS) -> float:
    """How long a row took from one to the other."""
    migration, began = world().ports.migration, time.monotonic()
    migration.write_marker(publisher, token)
    wait(lambda: migration.has_marker(subscriber, token) or None, seconds, "a sentinel did not arrive")
    return time.monotonic() - began


@effect("verify_before", "comparing what does not change before anybody is fenced")
def verify_before(operation_id: str) -> dict[str, Any]:
    """Schema, constraints, roles and settings: a difference that a fence would only find too late."""
    row, found = moving.require_open(operation_id), subject.load(operation_id)
    ours, theirs = sides(found, row)
    migration = world().ports.migration
    migration.copy_sequences(ours, theirs)
    migration.freshen(theirs)
    done = migration.verify(ours, theirs)
    failed = [f"{c.id} {c.name}: {c.detail}" for c in done.checks if c.id in ("V0", "V5") and not c.passed]
    if failed:
        raise Conflict(
            "the source changed since its schema was copied: " + "; ".join(failed),
            hint="leave the schema as it is until the upgrade is over, then ask again",
        )
    moving.reach(row.id, State.PREVERIFIED)
    return {"checked": ["V0", "V5"]}


@effect("await_rest", "waiting for the last rows")
def await_rest(operation_id: str) -> dict[str, Any]:
    """The row that was written behind the closed door is the last one; sequences are copied, none travels."""
    row, found = moving.require_open(operation_id), subject.load(operation_id)
    ours, theirs = sides(found, row)
    took = send(ours, theirs, row.token)
    return {"seconds": round(took, 3), "sequences": world().ports.migration.copy_sequences(ours, theirs)}


# --- back -------------------------------------------------------------------------------------------


@effect("turn_round", "sending rows back from now on")
def turn_round(operation_id: str) -> dict[str, Any]:
    """While both sides are closed and hold the same: forward ends, the way back begins and is proven."""
    row, found = moving.of(operation_id), subject.load(operation_id)
    if row.flip == Flip.FLIPPED:
        return dict(row.receipts.get("reverse", {}))
    moving.require_open(row.id)
    ours, theirs = sides(found, row)
    if row.strategy == Strategy.LOGICAL_REPLICATION:
        world().ports.migration.unsubscribe(ours, theirs, forward_name(row))
    return _armed(row, _arm(row, ours, theirs, _ARRIVAL_SECONDS))


@effect("arm_reverse", "sending rows back from now on, where the databases allow it")
def try_turn_round(operation_id: str) -> dict[str, Any]:
    """As above; what stands in the way is kept and said, and the upgrade goes on without."""
    row, found = moving.of(operation_id), subject.load(operation_id)
    if row.flip == Flip.FLIPPED:
        return dict(row.receipts.get("reverse", {}))
    moving.require_open(row.id)
    ours, theirs = sides(found, row)
    try:
        why = unable(ours) or unable(theirs)
        if not why:
            return _armed(row, _arm(row, ours, theirs, _TRIAL_SECONDS))
    except ControlPlaneError as error:
        why = error.message
        drop(row, found, reverse_name(row), publisher=row.to_epoch)
    say(operation_id, "warning", f"a way back would lose what is written after the switch: {why}")
    moving.keep(row.id, "receipts", {"reverse": {"armed": False, "why": why}})
    return {"armed": False, "why": why}


def _armed(row: Migration, receipt: dict[str, Any]) -> dict[str, Any]:
    moving.keep(row.id, "receipts", {"reverse": receipt})
    moving.reach(row.id, State.REVERSE_ARMED)
    return receipt


def _arm(row: Migration, ours: Login, theirs: Login, seconds: float) -> dict[str, Any]:
    migration, name = world().ports.migration, reverse_name(row)
    migration.publish(theirs, name)
    migration.subscribe(theirs, ours, name, copy_rows=False)
    took = send(theirs, ours, f"{row.token}-armed", seconds)
    return {"armed": True, "name": name, "seconds": round(took, 3)}


def is_armed(row: Migration) -> bool:
    return bool(row.receipts.get("reverse", {}).get("armed"))


def gone_since(row: Migration) -> str | None:
    """When it stopped, if it was given up while its tenant soaked."""
    return row.way_back.get("gone_since")


def loses_since(row: Migration) -> str | None:
    """From when on the old database may lack rows, where they are not sent back (any more)."""
    begun = row.flipped_at if row.strategy == Strategy.RDS_BLUE_GREEN else row.opened_at
    return row.way_back.get("arrived_until") or (begun.isoformat() if begun else None)


@effect("bring_back", "waiting until the old database has everything")
def bring_back(operation_id: str) -> dict[str, Any]:
    """While the new one is closed. What does not arrive is what the way back gives up."""
    row, found = moving.of(operation_id), subject.load(operation_id)
    if row.flip == Flip.REVERSED or not is_armed(row):
        return {"armed": is_armed(row)}
    ours, theirs = sides(found, row)
    try:
        took = send(theirs, ours, f"{row.token}-back-{operation_id}")
    except ControlPlaneError as error:
        if not found.payload.get("accept_loss"):
            raise
        say(operation_id, "warning", f"not everything came back: {error.message}")
        return {"armed": True, "arrived": False}
    moved = world().ports.migration.copy_sequences(theirs, ours)
    return {"armed": True, "arrived": True, "seconds": round(took, 3), "sequences": moved}


@effect("end_reverse", "ending the way back")
def end_reverse(operation_id: str) -> None:
    """Nothing is kept for it any more: a slot that nobody reads fills its publisher's disk."""
    row, found = moving.of(operation_id), subject.load(operation_id)
    if is_armed(row):
        drop(row, found, reverse_name(row), publisher=row.to_epoch)
        moving.keep(row.id, "receipts", {"reverse": {**row.receipts["reverse"], "armed": False}})
    elif gone_since(row):
        drop(row, found, reverse_name(row), publisher=row.to_epoch, alone=True)


def drop(row: Migration, found: Subject, name: str, *, publisher: int, alone: bool = False) -> None:
    """Slot, publication and subscription of one direction; a database that is gone took its part along, and
    one that does not answer keeps the source from nothing, nor the target where it is `alone` by now."""
    subscriber = row.from_epoch if publisher == row.to_epoch else row.to_epoch
    if not _is_there(found, publisher):
        return
    migration, sender = world().ports.migration, control(found, publisher)
    try:
        migration.unsubscribe(sender, control(found, subscriber), name)
    except ControlPlaneError:
        if publisher == row.to_epoch and not alone:
            raise
        migration.unsubscribe(sender, None, name)


def _is_there(found: Subject, epoch: int) -> bool:
    slot = next((s for s in found.slots if s.epoch == epoch), None)
    return slot is not None and world().ports.cloud.database(slot.identifier) is not None


def drop_all(row: Migration, found: Subject) -> None:
    """What a move that is called off had begun, in both directions."""
    if State(row.state) in (State.REQUESTED, State.PREFLIGHT, State.APPROVED):
        return
    if row.strategy == Strategy.LOGICAL_REPLICATION:
        drop(row, found, forward_name(row), publisher=row.from_epoch)
    if moves.since(row, State.VERIFIED) is None or row.from_epoch == row.to_epoch:
        return  # nobody sent anything back yet
    try:
        drop(row, found, reverse_name(row), publisher=row.to_epoch)
    except ControlPlaneError as error:  # the new database is to go, and its slot with it
        _log.warning("ending what e%s sends back: %s", row.to_epoch, error)
