"""The full look: what the fast one cannot see (alarms, rules, log groups, the route) stands in a plan.

The workspace is planned as it was rendered last, so that newer templates are no drift. A plan takes seconds
of a core, so that not everybody is planned: `choice` says who. A door has no Terraform and asks the worker.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.drift import BY_PLAN
from controlplane.domain.drift.choice import ASKED, Chosen, Limits, choose
from controlplane.domain.drift.planned import differences as differences_of
from controlplane.domain.errors import ControlPlaneError, Refused, Unavailable
from controlplane.domain.names import TenantUid, WorkspaceId, tenant_workspace
from controlplane.domain.plan.summary import parse
from controlplane.domain.review.layout import TENANT_FILE
from controlplane.ports import PlanFound, PlanWanted
from controlplane.rendering import is_as_rendered
from controlplane.services.asking import Way
from controlplane.services.control import Control
from controlplane.services.drift import recording
from controlplane.services.drift.asked import Scanning
from controlplane.services.drift.recording import Look
from controlplane.services.reviews import content
from controlplane.steps.workspace import read_files
from controlplane.store import operations, tenants
from controlplane.store.fleet import differences, schedules
from controlplane.store.fleet.databases import FleetDatabase

SCHEDULE = "drift-full"


@dataclass(frozen=True)
class Fleet:
    """Who was looked at just now, by uid, and where something was seen."""

    routed: Mapping[str, FleetDatabase]
    seen: Set[str]


def refuse_elsewhere(control: Control, body: Scanning) -> None:
    """A door never holds a Terraform process: there, the worker's next look is made due now."""
    if control.plan_source is not None:
        return
    if body.selector or body.every:
        raise Refused(
            "a server plans by its schedule: a part of the fleet cannot be named there",
            hint=f"controlplane schedule run {SCHEDULE}, or scan on the worker's host without --server",
        )
    with control.db.write() as session:
        if not schedules.make_due(session, SCHEDULE, control.now(), control.cell_of_many):
            raise Unavailable(
                f"no worker has begun its schedules yet, or {SCHEDULE} is off",
                hint="controlplane schedule list",
            )


def look(control: Control, fleet: Fleet, body: Scanning, counts: Counter[str], way: Way) -> dict[str, Any]:
    if control.plan_source is None:
        return {"asked": f"the worker, by its schedule {SCHEDULE}", "planned": []}
    chosen = _chosen(control, fleet, body)
    why = {tenant_workspace(TenantUid(one.uid)): one for one in chosen}
    before = _generations(control, chosen)
    planned: list[dict[str, Any]] = []
    for found in control.plan_source().plans(_wanted(control, fleet, chosen, planned)):
        one = why[found.workspace]
        row = fleet.routed[one.uid]
        planned.append(
            {"tenant": row.slug, "why": one.why, **_taken(control, row, found, before, way, counts)}
        )
    return {"planned": planned, "inbox": {name: count for name, count in sorted(counts.items()) if count}}


def _chosen(control: Control, fleet: Fleet, body: Scanning) -> list[Chosen]:
    uids = list(fleet.routed)
    if body.every:
        return [Chosen(uid, ASKED) for uid in uids][: body.most]
    with control.db.read() as session:
        planned_at = differences.planned_at(session)
    return choose(uids, fleet.seen, planned_at, control.now(), Limits(most=body.most))


def _generations(control: Control, chosen: list[Chosen]) -> dict[str, int]:
    with control.db.read() as session:
        return {one.uid: tenants.by_uid(session, one.uid).generation for one in chosen}


# --- what is planned --------------------------------------------------------------------------------


def _wanted(
    control: Control, fleet: Fleet, chosen: list[Chosen], failed: list[dict[str, Any]]
) -> Iterator[PlanWanted]:
    for one in chosen:
        workspace = tenant_workspace(TenantUid(one.uid))
        try:
            yield PlanWanted(workspace, _files(control, one.uid, workspace))
        except ControlPlaneError as error:
            slug = fleet.routed[one.uid].slug
            failed.append({"tenant": slug, "why": one.why, "problem": error.message, "items": []})


def _files(control: Control, uid: str, workspace: WorkspaceId) -> Mapping[str, str]:
    """As they lie on this host, if they are all of one rendering; else as they would be rendered now."""
    if control.workspaces is not None:
        lying = read_files(control.workspaces / workspace)
        if is_as_rendered(lying):
            return lying
    with control.db.read() as session:
        files = content.as_recorded(session, tenants.by_uid(session, uid), control.catalog)
    return {name: text for name, text in files.items() if name != TENANT_FILE}


# --- what was found ---------------------------------------------------------------------------------


def _taken(
    control: Control,
    row: FleetDatabase,
    found: PlanFound,
    before: Mapping[str, int],
    way: Way,
    counts: Counter[str],
) -> dict[str, Any]:
    """One that was changed while it was planned says nothing: it is looked at another time."""
    try:
        if found.document is None:
            return {"problem": found.problem, "items": []}
        seen = differences_of(parse(found.document), row.slug)
    except ControlPlaneError as error:
        return {"problem": error.message, "items": []}
    with control.db.read() as session:
        if _moved(session, row, before[row.uid]):
            return {"problem": "it was changed meanwhile", "items": []}
    of = Look(row.identifier, row, seen, BY_PLAN)
    if not way.dry_run:
        recording.record_plan(control, of, counts)
        _note(control, row.uid, control.now(), len(seen))
    return {"problem": "", "items": [recording.brief(of, one) for one in seen]}


def _moved(session: Session, row: FleetDatabase, generation: int) -> bool:
    held = operations.unfinished(session, tenant_workspace(TenantUid(row.uid)))
    return bool(held) or tenants.by_uid(session, row.uid).generation != generation


def _note(control: Control, uid: str, now: datetime, found: int) -> None:
    with control.db.write() as session:
        differences.note_planned(session, uid, now, found)
