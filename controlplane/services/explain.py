"""Why a tenant is as it is, what speaks for it, who may act, and the next command."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.errors import Missing
from controlplane.domain.explain import RunFacts, RunState, explain_run
from controlplane.domain.names import parse_slug
from controlplane.services import guidance, views
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Control, plain
from controlplane.services.recovery.restoring import restorable_until
from controlplane.store import operations, runs, slots, story, tenants
from controlplane.store.operations import OperationFilter
from controlplane.store.tables import Run, Tenant

_LINES = 5


def explain(control: Control, actor: Actor, slug: str) -> dict[str, Any]:
    actor.require(Action.READ_TENANT, parse_slug(slug))
    with control.db.read() as session:
        row = tenants.find(session, slug)
        if row is None:
            raise Missing(f"there is no tenant {slug!r}", hint="controlplane tenant list")
        view = views.tenant(row, {})
        recent = operations.page(session, OperationFilter(tenant_uid=row.uid), None, 1)
        latest = views.operation(session, recent[0]) if recent else None
        told = story.last_events(session, recent[0].id, _LINES) if recent else []
        left = _left(control, session, row)
        run = runs.open_run(session, recent[0].id) if recent else None
    going_on = [_run_in_words(run, control.now())] if run is not None else []
    evidence = [*_evidence(view, latest), *going_on, *(f"{plain(e.at)[:19]} {e.text}" for e in told)]
    found = guidance.of_tenant(view, latest, house=guidance.house_of(control, row.cell), left=left)
    return {
        "slug": slug,
        "phase": view["phase"],
        "cause": found.cause,
        "who_may_act": found.who,
        "next_command": found.command,
        "evidence": [found.evidence, *evidence],
        "operation": latest["id"] if latest else None,
    }


def _left(control: Control, session: Session, row: Tenant) -> guidance.Remains:
    until = restorable_until(session, row)
    if until is None or until < control.now():
        return guidance.Remains()
    kept = [slot.final_snapshot for slot in slots.every(session, row.uid) if slot.final_snapshot]
    return guidance.Remains(until, str(kept[-1]["identifier"]) if kept else "")


def _evidence(view: dict[str, Any], latest: dict[str, Any] | None) -> Iterator[str]:
    if view["phase_reason"]:
        yield f"phase: {view['phase_reason']}"
    if view["observed_generation"] < view["generation"]:
        yield f"generation {view['generation']} is wanted, {view['observed_generation']} is reached"
    if latest is not None:
        yield f"last operation: {latest['kind']} {latest['id']} is {latest['status']}"
        problem = latest.get("error") or latest["metadata"].get("problem")
        if problem:
            yield f"its problem: {problem.get('detail', '')}"


def _run_in_words(run: Run, now: datetime) -> str:
    found = explain_run(
        RunState(run.status),
        RunFacts(
            id=run.id,
            operation=run.operation_id,
            host=run.host.partition(":")[0],
            pid=run.pid,
            lease_until=datetime.fromtimestamp(run.lease_until, UTC) if run.lease_until else None,
            is_leased=run.lease_until >= now.timestamp(),
            exit_code=run.exit_code,
        ),
    )
    return f"{found.cause}: {found.evidence} ({found.command})"
