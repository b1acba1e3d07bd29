"""Migrations as doors see them: the picture of one, and what a person may tell it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain import names
from controlplane.domain.errors import Conflict, Missing
from controlplane.domain.explain import MigrationFacts, explain_migration
from controlplane.domain.migration.states import FINAL, PATHS, Flip, State, Strategy
from controlplane.domain.migration.windows import (
    SOAK_LEAST,
    SOAK_MOST,
    VERIFICATION_HOLDS,
    is_expired,
    seconds_left,
)
from controlplane.domain.operation import HELD, Kind, Status, is_final
from controlplane.operations import Finalize, Rollback
from controlplane.services import operations as asking
from controlplane.services import tenants
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Ask, Control, plain
from controlplane.services.moves import row_of
from controlplane.steps.replicating import gone_since, is_armed, loses_since
from controlplane.store import moves, operations, slots
from controlplane.store import tenants as tenant_rows
from controlplane.store.moves import Migration
from controlplane.store.tables import Operation, Tenant

# --- the picture ------------------------------------------------------------------------------------


def show(control: Control, actor: Actor, slug: str) -> dict[str, Any]:
    """States with their times, where truth is, what was verified, and what is left of both windows."""
    actor.require(Action.READ_TENANT, names.parse_slug(slug))
    with control.db.read() as session:
        tenant = _tenant(session, slug)
        row = row_of(session, tenant)
        holder = operations.get(session, row.holder)
        leftover = sorted({s.epoch for s in slots.present(session, tenant.uid)} - {tenant.epoch})
        return _picture(control, tenant, row, holder, leftover)


def _picture(
    control: Control, tenant: Tenant, row: Migration, holder: Operation, leftover: list[int]
) -> dict[str, Any]:
    now, state = control.now(), State(row.state)
    strategy = Strategy(row.strategy)
    return {
        "tenant": tenant.slug,
        "id": row.id,
        "strategy": row.strategy,
        "state": row.state,
        "migration_state": tenant.migration_state,
        "states": [{"state": s.value, **_reached(row, s)} for s in _every_state(strategy, row)],
        "operation": {"id": holder.id, "kind": holder.kind, "status": holder.status, "stage": holder.stage},
        "source": f"e{row.from_epoch}",
        "target": f"e{row.to_epoch}",
        "truth": f"e{tenant.epoch}",
        "leftover": [f"e{epoch}" for epoch in leftover] if state in FINAL else [],
        "fence": {
            "closed": f"e{row.fenced_epoch}" if row.fenced_epoch is not None else None,
            "since": plain(row.fenced_at),
            "lapses_at": plain(row.fence_deadline),
            "seconds_left": seconds_left(row.fence_deadline, now),
        },
        "fallback": _fallback(row, now),
        "way_back": _way_back(row),
        "rollback_loses": _would_lose(tenant, row),
        "verification": _verification(row, now),
        "checklist": row.checklist,
        "receipts": row.receipts,
        "loss": row.loss,
        "note": row.note,
        "started_at": plain(row.created_at),
        "opened_at": plain(row.opened_at),
        "ended_at": plain(row.ended_at),
        **_told(tenant, row, holder, leftover, now),
    }


def _every_state(strategy: Strategy, row: Migration) -> list[State]:
    """The strategy's path, then what the migration met beside it."""
    path = list(PATHS[strategy])
    return path + [State(t["state"]) for t in row.timings if State(t["state"]) not in path]


def _reached(row: Migration, state: State) -> dict[str, Any]:
    """When it came there, by whose operation, and how long it stayed."""
    for number, entry in enumerate(row.timings):
        if entry["state"] == state:
            following = row.timings[number + 1]["at"] if number + 1 < len(row.timings) else None
            begun = datetime.fromisoformat(entry["at"])
            lasted = (datetime.fromisoformat(following) - begun).total_seconds() if following else None
            return {"at": entry["at"], "seconds": lasted, "operation": entry["operation"]}
    return {"at": None, "seconds": None, "operation": None}


def _fallback(row: Migration, now: datetime) -> dict[str, Any]:
    if row.opened_at is None or row.state not in (State.SOAKING, State.FINALIZING):
        return {"until": None, "seconds_left": None, "finalize_from": None}
    until = row.opened_at + SOAK_MOST
    earliest = row.opened_at + SOAK_LEAST
    return {
        "until": plain(until),
        "seconds_left": seconds_left(until, now),
        "finalize_from": plain(earliest),
    }


_LOOKED = ("level", "why", "active", "lag_bytes", "retained_bytes", "limit_bytes", "arrived_until")


def _way_back(row: Migration) -> dict[str, Any]:
    """Whether rows are sent back, and how that stood at the last look; null: not looked at, or not known."""
    seen = row.way_back
    return {
        "armed": is_armed(row),
        "looked_at": seen.get("at"),
        **{name: seen.get(name) for name in _LOOKED},
        "gone_since": gone_since(row),
        "slot_dropped": seen.get("slot_dropped"),
    }


def _would_lose(tenant: Tenant, row: Migration) -> str:
    if row.flip in (Flip.OPEN, Flip.SWITCHING):
        return "nothing: the route was not switched"
    if row.flip in (Flip.FLIPPED, Flip.RETURNING) and is_armed(row):
        return f"nothing: what is written to e{row.to_epoch} is sent back to e{row.from_epoch}"
    if row.flip in (Flip.FLIPPED, Flip.RETURNING):
        ended = f"rows came back until {gone_since(row)}: {row.way_back['why']}; " if gone_since(row) else ""
        since = loses_since(row) or "the switch"
        return f"{ended}everything written since {since}; how much is counted when both databases are closed"
    return f"there is no way back to take: e{tenant.epoch} is the truth"


def _verification(row: Migration, now: datetime) -> dict[str, Any] | None:
    if not row.verification:
        return None
    at = datetime.fromisoformat(row.verification["at"])
    return {**row.verification, "expires_at": plain(at + VERIFICATION_HOLDS), "expired": is_expired(at, now)}


def _told(
    tenant: Tenant, row: Migration, holder: Operation, leftover: list[int], now: datetime
) -> dict[str, str]:
    """Why it is where it is, who may act, and the next command."""
    earliest = row.opened_at + SOAK_LEAST if row.opened_at is not None else None
    found = explain_migration(
        State(row.state),
        MigrationFacts(
            slug=tenant.slug,
            operation=holder.id,
            operation_is_over=is_final(Status(holder.status)),
            operation_is_held=Status(holder.status) in HELD,
            closed=f"e{row.fenced_epoch}" if row.fenced_epoch is not None else "",
            lapses_at=row.fence_deadline,
            finalize_from=earliest if row.state == State.SOAKING else None,
            may_finalize=earliest is not None and earliest <= now,
            leftover=bool(leftover),
            note=row.note,
            way_back=row.way_back.get("why", "") if row.flip == Flip.FLIPPED else "",
        ),
    )
    return {
        "cause": found.cause,
        "evidence": found.evidence,
        "who_may_act": found.who,
        "next_command": found.command,
    }


# --- what a person tells one ------------------------------------------------------------------------


def rollback(control: Control, actor: Actor, slug: str, body: Rollback, ask: Ask) -> dict[str, Any]:
    """Before the switch the upgrade is called off, for nothing; after it there is a way back of its own."""
    actor.require(Action.DESTROY_TENANT, names.parse_slug(slug))
    with control.db.read() as session:
        tenant = _tenant(session, slug)
        row = moves.current(session, tenant.uid)
        holder = operations.get(session, row.holder) if row is not None else None
    running = holder is not None and not is_final(Status(holder.status)) and Status(holder.status) not in HELD
    if row is not None and holder is not None and row.flip == Flip.OPEN and running:
        return asking.cancel(control, actor, holder.id, ask)
    return tenants.change(control, actor, Kind.ROLLBACK, slug, body, ask)


def advance(control: Control, actor: Actor, slug: str, ask: Ask) -> dict[str, Any]:
    """The next legal step: what is held is taken up again, what has soaked is finalized."""
    actor.require(Action.DESTROY_TENANT, names.parse_slug(slug))
    with control.db.read() as session:
        tenant = _tenant(session, slug)
        row = row_of(session, tenant)
        holder = operations.get(session, row.holder)
    if Status(holder.status) in HELD:
        return asking.settle(control, actor, holder.id, ask)
    if is_final(Status(holder.status)) and row.state in (State.SOAKING, State.FINALIZING):
        return tenants.change(control, actor, Kind.FINALIZE, slug, Finalize(), ask)
    waits = holder.waiting_for or f"its operation is {holder.status}"
    raise Conflict(
        f"{slug}: nothing to advance: its migration is {row.state}, {waits}",
        hint=holder.next_command or f"controlplane migration show {slug}",
    )


def _tenant(session: Session, slug: str) -> Tenant:
    found = tenant_rows.find(session, names.parse_slug(slug))
    if found is None:
        raise Missing(f"there is no tenant {slug!r}", hint="controlplane tenant list")
    return found
