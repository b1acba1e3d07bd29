"""/v1/reviews"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from api import queries
from api.answers import changing, reading
from api.deps import Approves, ChangesTenant, ReadsOperation, Sending, changed
from api.models import review as models
from controlplane.services.reviews import asking, opening

router = APIRouter(prefix="/v1/reviews", tags=["reviews"])
_HERE = "/v1/reviews/"


@router.get("", **reading(models.ReviewPage), summary="Reviews, the newest first")
def page(caller: ReadsOperation, query: Annotated[queries.Reviews, Query()]) -> Response:
    statuses = (query.status,) if query.status else ()
    found = asking.page(caller.control, caller.actor, statuses, query.page_size, query.page_token)
    return JSONResponse(found)


@router.post(
    "", **changing(models.ReviewInFull, 201), summary="Plan what a branch asks for, or plan it again"
)
def open_(caller: ChangesTenant, body: asking.OpenReview, sent: Sending) -> Response:
    return changed(
        caller, sent, lambda c, ask: opening.open_(c, caller.actor, body, ask), status=201, location=_HERE
    )


@router.post("/sync", **changing(models.ReviewSync, 200), summary="Answer every branch that was pushed since")
def sync(caller: ChangesTenant, sent: Sending) -> Response:
    return changed(caller, sent, lambda c, ask: opening.sync(c, caller.actor, ask), status=200)


@router.get("/{review_id}", **reading(models.ReviewInFull), summary="One, with its text and its checks")
def show(caller: ReadsOperation, review_id: str) -> Response:
    return JSONResponse(asking.show(caller.control, caller.actor, review_id))


@router.post("/{review_id}/approve", **changing(models.ReviewInFull, 200), summary="Say yes to its commit")
def approve(caller: Approves, review_id: str, sent: Sending) -> Response:
    return changed(caller, sent, lambda c, ask: asking.approve(c, caller.actor, review_id, ask), status=200)


@router.post(
    "/{review_id}/merge",
    **changing(models.ReviewInFull),
    summary="Merge it; what was planned is applied",
)
def merge(caller: Approves, review_id: str, sent: Sending) -> Response:
    return changed(caller, sent, lambda c, ask: asking.merge(c, caller.actor, review_id, ask), location=_HERE)
