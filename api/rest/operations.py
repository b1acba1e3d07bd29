"""/v1/operations"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from api import models, queries
from api.answers import changing, reading
from api.deps import Approves, Caller, ReadsOperation, Sending, Settles, Steers, changed
from controlplane.services import bodies, fleet, log, operations

router = APIRouter(prefix="/v1/operations", tags=["operations"])

EVENT_STREAM = "text/event-stream"
After = Annotated[int, Query(ge=0, lt=2**62, description="Events behind this offset.")]
LastEvent = Annotated[
    str | None, Header(alias="Last-Event-ID", pattern=r"^\d{1,18}$", description="Where a follower left off.")
]
Cursor = Annotated[str, Query(max_length=20, description="The cursor of the page before.")]


@router.get("", **reading(models.OperationPage), summary="A page of operations, the newest first")
def page(caller: ReadsOperation, query: Annotated[queries.Operations, Query()]) -> Response:
    return JSONResponse(fleet.queue(caller.control, caller.actor, query.queue()))


@router.get("/{operation_id}", **reading(models.Operation), summary="One operation")
def show(caller: ReadsOperation, operation_id: str) -> Response:
    return JSONResponse(operations.show(caller.control, caller.actor, operation_id))


@router.get("/{operation_id}/plan", **reading(models.Plan), summary="Its plan, masked")
def plan(caller: ReadsOperation, operation_id: str) -> Response:
    return JSONResponse(operations.plan(caller.control, caller.actor, operation_id))


def _also(model: Any, media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    found = reading(model)
    found["responses"][200]["content"] = {media_type: {"schema": schema}}
    return found


@router.get(
    "/{operation_id}/events",
    **_also(models.Events, EVENT_STREAM, {"type": "string"}),
    summary="Its story, as a stream; as JSON for who asks for application/json only",
)
async def events(
    caller: ReadsOperation, operation_id: str, request: Request, after: After = 0, last: LastEvent = None
) -> Response:
    """Who comes late gets the whole, who comes again goes on behind `Last-Event-ID`."""
    here, actor = caller.control, caller.actor
    offset = int(last) if last else after
    first = await run_in_threadpool(operations.events, here, actor, operation_id, offset)
    if not _wants_stream(request):
        return JSONResponse({"items": first, "next_page_token": None})
    stream = caller.house.hub.follow(
        operation_id,
        offset,
        lambda position: operations.events(here, actor, operation_id, position),
        lambda: operations.show(here, actor, operation_id),
    )
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, headers=headers, media_type=EVENT_STREAM)


def _wants_stream(request: Request) -> bool:
    accepted = request.headers.get("accept", "*/*")
    return EVENT_STREAM in accepted or "application/json" not in accepted


@router.get(
    "/{operation_id}/log",
    **_also(models.Log, "text/plain", {"type": "string"}),
    summary="Terraform's own lines: plain text, or pages for who asks for application/json",
)
def lines(caller: ReadsOperation, operation_id: str, request: Request, after: Cursor = "") -> Response:
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse(log.lines(caller.control, caller.actor, operation_id, after))
    operations.require_seen(caller.control, caller.actor, operation_id)
    return PlainTextResponse("".join(_text(caller, operation_id, after)))


def _text(caller: Caller, operation_id: str, cursor: str) -> Iterator[str]:
    while True:
        found = log.lines(caller.control, caller.actor, operation_id, cursor)
        if not found["items"]:
            return
        yield from (f"{line['at'][:19]} {line['text']}\n" for line in found["items"])
        cursor = found["cursor"]


# --- what a person may tell one ---------------------------------------------------------------------


@router.post("/{operation_id}/approve", **changing(), summary="Approve the plan that waits")
def approve(
    caller: Approves, operation_id: str, sent: Sending, body: bodies.Approval | None = None
) -> Response:
    digest = body.digest if body else ""
    return changed(
        caller, sent, lambda c, ask: operations.approve(c, caller.actor, operation_id, ask, digest)
    )


@router.post("/{operation_id}/reject", **changing(), summary="Say no to the plan that waits")
def reject(caller: Approves, operation_id: str, sent: Sending, _: bodies.Nothing | None = None) -> Response:
    return changed(caller, sent, lambda c, ask: operations.reject(c, caller.actor, operation_id, ask))


@router.post("/{operation_id}/cancel", **changing(), summary="Drop it, or ask it to stop")
def cancel(
    caller: Steers, operation_id: str, sent: Sending, body: bodies.Cancellation | None = None
) -> Response:
    insist = body.insist if body else False
    return changed(
        caller, sent, lambda c, ask: operations.cancel(c, caller.actor, operation_id, ask, insist=insist)
    )


@router.post("/{operation_id}/retry", **changing(), summary="Ask for the same again, as a new operation")
def retry(caller: Steers, operation_id: str, sent: Sending, body: bodies.Nothing | None = None) -> Response:  # noqa: ARG001
    return changed(caller, sent, lambda c, ask: operations.retry(c, caller.actor, operation_id, ask))


@router.post("/{operation_id}/settle", **changing(), summary="Take it out of needs_operator")
def settle(
    caller: Settles, operation_id: str, sent: Sending, body: bodies.Settlement | None = None
) -> Response:
    outcome = body.outcome if body else "retry"
    return changed(
        caller, sent, lambda c, ask: operations.settle(c, caller.actor, operation_id, ask, outcome)
    )
