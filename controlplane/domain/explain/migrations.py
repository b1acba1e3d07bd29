"""One row for every state of a migration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from controlplane.domain.explain.words import ADMINS, NOBODY, OPERATORS, SYSTEM, Explanation, at
from controlplane.domain.migration.states import State


@dataclass(frozen=True)
class MigrationFacts:
    slug: str
    operation: str  # that moves it, or moved it last
    operation_is_over: bool = False
    operation_is_held: bool = False
    closed: str = ""  # whose logins the fence holds, such as `e1`
    lapses_at: datetime | None = None
    finalize_from: datetime | None = None
    may_finalize: bool = False
    leftover: bool = False  # a database that nobody needs any more is still there
    note: str = ""
    way_back: str = ""  # what is to be known of it while the tenant soaks


MIGRATION_ROWS: Mapping[State, str] = {
    State.REQUESTED: "the move is asked for and has not begun",
    State.PREFLIGHT: "both sides are looked at before anything is touched",
    State.APPROVED: "the move is approved; the source still serves",
    State.TARGET_READY: "the new database is there",
    State.SEEDING: "the rows are being brought over",
    State.CATCHING_UP: "what is written meanwhile follows",
    State.PREVERIFIED: "the copy was compared while the source serves",
    State.FENCING: "the source is being closed to its application",
    State.FENCED: "the source is closed: nobody writes until the switch, or until the fence lapses",
    State.DRAINED: "the source is closed and quiet",
    State.VERIFIED: "the copy is the same; the switch is next",
    State.REVERSE_ARMED: "the way back is ready; the switch is next",
    State.FLIPPED: "the route points to the new database, which is still closed",
    State.OPEN: "the new database serves",
    State.SOAKING: "the new database serves, and the way back is kept",
    State.FINALIZING: "the old database is being removed",
    State.UNFENCING: "the source is being opened again",
    State.NEEDS_OPERATOR: "it stopped where only a person can decide",
    State.COMPLETE: "it is complete",
    State.REVERSED: "it was taken back after the switch",
    State.ROLLED_BACK: "it was called off before the switch",
}


def explain_migration(state: State, facts: MigrationFacts) -> Explanation:
    who, command = _who(state, facts)
    return Explanation(MIGRATION_ROWS[state], _evidence(facts), who, command)


def _who(state: State, f: MigrationFacts) -> tuple[str, str]:
    if f.operation_is_held:
        return ADMINS, f"controlplane operation settle {f.operation}"
    if not f.operation_is_over:
        return SYSTEM, f"controlplane operation show {f.operation}"
    if state is State.FINALIZING or (state is State.SOAKING and f.may_finalize):
        return OPERATORS, f"controlplane migration finalize {f.slug}"
    if state is State.SOAKING:
        return NOBODY, f"controlplane migration show {f.slug}"
    if f.leftover or state is State.NEEDS_OPERATOR:
        return OPERATORS, f"controlplane migration rollback {f.slug}"
    return NOBODY, f"controlplane tenant show {f.slug}"


def _evidence(f: MigrationFacts) -> str:
    told = [f"operation {f.operation}", f.note]
    if f.closed:
        until = f"its fence lapses at {at(f.lapses_at)}" if f.lapses_at else "and stays so"
        told.append(f"{f.closed} is closed, {until}")
    if f.way_back:
        told.append(f"its way back: {f.way_back}")
    if f.finalize_from:
        told.append(f"it may be finalized from {at(f.finalize_from)}")
    return "; ".join(line for line in told if line)
