"""/v1/recommendations, /v1/drift, /v1/catalog, /v1/quotas and /v1/schedules"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from api.answers import changing, reading
from api.deps import ChangesFleet, ChangesTenant, ReadsFleet, ReadsTenant, Sending, changed
from api.models import Json, Operation, Page, View
from controlplane.services import adoption, cells, quotas
from controlplane.services.drift import asked as drift_asked
from controlplane.services.drift import deciding as differences
from controlplane.services.drift import scanning as drift
from controlplane.services.records import finder
from controlplane.services.recovery import drilling
from controlplane.services.rightsizing import asked, deciding, inbox, looking, scanning
from controlplane.services.schedules import listing, running

router = APIRouter(prefix="/v1", tags=["care"])


# --- what is answered -------------------------------------------------------------------------------


class Recommendation(View):
    id: str
    tenant: str
    status: str
    kind: str
    finding: str
    reasons: list[Json]
    urgent: bool
    current_size: str
    target_size: str | None
    target_storage_gb: int | None
    monthly_usd: str | None
    monthly_usd_after: str | None
    delta_usd: str | None
    risk: str
    outage: str
    revert: str
    operation: str | None


class Recommendations(Page):
    items: list[Recommendation]


class Scanned(View):
    id: str
    kind: str
    looked_at: int
    inbox: dict[str, int]
    dry_run: bool


class Metrics(View):
    tenant: str
    finding: str | None
    metrics: Json
    thresholds: list[Json]


class Difference(View):
    id: str
    tenant: str | None
    identifier: str
    attribute: str
    severity: str
    expected: str
    found: str
    words: str
    next_step: str
    status: str


class Orphan(View):
    identifier: str
    tenant: str | None
    in_catalog: bool
    in_state: bool
    in_aws: bool
    situation: str
    meaning: str
    next_step: str
    for_a_person: bool
    operation: str | None


class SharedDatabase(View):
    identifier: str
    platform: str
    why: str


class Orphans(Page):
    items: list[Orphan]
    not_looked_into: list[SharedDatabase]
    looked_at: str


class Stranger(View):
    identifier: str
    proposed_slug: str
    proposed_size: str
    proposed_stage: str
    obstacles: list[str]
    next_command: str


class Unmanaged(Page):
    items: list[Stranger]


class Differences(Page):
    items: list[Difference]


class Quotas(Page):
    region: str
    items: list[Json]


class Cell(View):
    name: str
    region: str
    closed: bool
    tenants: int
    tenants_left: int | None
    workers: int | None
    state: str


class Cells(Page):
    items: list[Cell]


class Answered(View):
    region: str
    answered: list[str]


class Schedule(View):
    name: str
    cell: str | None
    cron: str
    zone: str
    enabled: bool
    due_at: str
    last_status: str
    missed: int
    overdue: bool


class Schedules(Page):
    items: list[Schedule]


class Drill(View):
    id: str
    tenant: str
    copy_slug: str
    status: str
    done: bool
    rto_seconds: float | None
    rpo_seconds: float | None
    backup_reaches: str | None
    checks: list[Json]
    problem: str
    started_at: str | None
    ended_at: str | None


class Drills(Page):
    items: list[Drill]
    promised: dict[str, int]


# --- right-sizing -----------------------------------------------------------------------------------


@router.get("/recommendations", **reading(Recommendations), summary="What right-sizing proposes")
def recommendations(caller: ReadsFleet, query: Annotated[asked.Inbox, Query()]) -> Response:
    return JSONResponse(inbox.page(caller.control, caller.actor, query))


@router.post("/recommendations/scans", **changing(Scanned, 200), summary="Look at the fleet's metrics now")
def scan(caller: ChangesFleet, sent: Sending, body: asked.Scanning | None = None) -> Response:
    return JSONResponse(scanning.scan(caller.control, caller.actor, body or asked.Scanning(), sent))


@router.get(
    "/recommendations/{recommendation_id}", **reading(Recommendation), summary="One, with its evidence"
)
def recommendation(caller: ReadsTenant, recommendation_id: str) -> Response:
    return JSONResponse(inbox.show(caller.control, caller.actor, recommendation_id))


@router.post(
    "/recommendations/{recommendation_id}/propose",
    **changing(Operation),
    summary="Make the operation that does it, with plan and approval",
)
def propose(caller: ChangesTenant, recommendation_id: str, sent: Sending) -> Response:
    return changed(caller, sent, lambda c, ask: deciding.propose(c, caller.actor, recommendation_id, ask))


@router.post(
    "/recommendations/{recommendation_id}/apply",
    **changing(Operation),
    summary="Propose it and approve it, where policy lets one person do that",
)
def apply(caller: ChangesTenant, recommendation_id: str, sent: Sending) -> Response:
    return changed(caller, sent, lambda c, ask: deciding.apply(c, caller.actor, recommendation_id, ask))


@router.post(
    "/recommendations/{recommendation_id}/dismiss",
    **changing(Recommendation, 200),
    summary="Not now: it is not proposed again for a while",
)
def dismiss(
    caller: ChangesTenant, recommendation_id: str, sent: Sending, body: asked.Dismissal | None = None
) -> Response:
    wanted = body or asked.Dismissal()
    return changed(
        caller,
        sent,
        lambda c, ask: deciding.dismiss(c, caller.actor, recommendation_id, wanted, ask),
        status=200,
    )


@router.get("/tenants/{slug}/metrics", **reading(Metrics), summary="Its metrics, and what is said of them")
def metrics(caller: ReadsTenant, slug: str) -> Response:
    return JSONResponse(looking.metrics(caller.control, caller.actor, slug))


# --- drift ------------------------------------------------------------------------------------------


@router.get("/drift", **reading(Differences), summary="What AWS has other than recorded")
def differing(caller: ReadsFleet, query: Annotated[drift_asked.Listing, Query()]) -> Response:
    return JSONResponse(differences.page(caller.control, caller.actor, query))


@router.post("/drift/scans", **changing(Scanned, 200), summary="Compare AWS with the record now")
def compare(caller: ChangesFleet, sent: Sending, body: drift_asked.Scanning | None = None) -> Response:
    return JSONResponse(drift.scan(caller.control, caller.actor, body or drift_asked.Scanning(), sent))


@router.get("/drift/{difference_id}", **reading(Difference), summary="One difference")
def difference(caller: ReadsTenant, difference_id: str) -> Response:
    return JSONResponse(differences.show(caller.control, caller.actor, difference_id))


@router.post(
    "/drift/{difference_id}/accept", **changing(Difference, 200), summary="Record it as what is wanted"
)
def accept(caller: ChangesTenant, difference_id: str, sent: Sending) -> Response:
    return changed(
        caller, sent, lambda c, ask: differences.accept(c, caller.actor, difference_id, ask), status=200
    )


@router.post(
    "/drift/{difference_id}/reconcile",
    **changing(Operation),
    summary="Take it back, by an operation with plan and approval",
)
def reconcile(caller: ChangesTenant, difference_id: str, sent: Sending) -> Response:
    return changed(caller, sent, lambda c, ask: differences.reconcile(c, caller.actor, difference_id, ask))


@router.get("/catalog/orphans", **reading(Orphans), summary="What catalog, states and AWS do not all know")
def orphans(caller: ReadsFleet) -> Response:
    return JSONResponse(finder.orphans(caller.control, caller.actor))


@router.get(
    "/catalog/unmanaged",
    **reading(Unmanaged),
    summary="Databases that nobody manages",
)
def unmanaged(caller: ReadsFleet) -> Response:
    return JSONResponse(adoption.discover(caller.control, caller.actor))


# --- quotas and schedules ---------------------------------------------------------------------------

Region = Annotated[str, Query(max_length=40)]


@router.get("/quotas", **reading(Quotas), summary="What runs out, and at which tenant")
def limits(caller: ReadsFleet, region: Region = "") -> Response:
    return JSONResponse(quotas.show(caller.control, caller.actor, region))


@router.get("/cells", **reading(Cells), summary="Cells, and how much room is left in each")
def all_cells(caller: ReadsFleet) -> Response:
    return JSONResponse(cells.page(caller.control, caller.actor))


@router.get("/cells/{name}", **reading(Cell), summary="One cell with its quotas")
def one_cell(caller: ReadsFleet, name: str) -> Response:
    return JSONResponse(cells.show(caller.control, caller.actor, name))


@router.post("/quotas/refresh", **changing(Answered, 200), summary="Ask AWS what it grants")
def ask_quotas(caller: ChangesFleet, sent: Sending) -> Response:
    return JSONResponse(quotas.refresh(caller.control, caller.actor, sent))


@router.get(
    "/drills", **reading(Drills), summary="Restore drills: what was measured, beside what is promised"
)
def drills(caller: ReadsFleet, query: Annotated[drilling.Listing, Query()]) -> Response:
    return JSONResponse(drilling.page(caller.control, caller.actor, query))


@router.get("/schedules", **reading(Schedules), summary="What is done by the clock, and how it went")
def schedules(caller: ReadsFleet) -> Response:
    return JSONResponse(listing.page(caller.control, caller.actor))


@router.post("/schedules/{name}/run", **changing(Schedule, 200), summary="Do it now")
def run(caller: ChangesFleet, name: str, sent: Sending, body: listing.Running | None = None) -> Response:
    cell = body.cell if body else ""
    return JSONResponse(running.run(caller.control, caller.actor, name, sent.ask, cell))


@router.patch("/schedules/{name}", **changing(Schedule, 200), summary="Change when it is due, or turn it off")
def change(caller: ChangesFleet, name: str, body: listing.Change, sent: Sending) -> Response:
    return changed(caller, sent, lambda c, ask: listing.change(c, caller.actor, name, body, ask), status=200)
