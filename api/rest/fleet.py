"""/v1/audit, /v1/windows and /v1/doctor"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from api import models, queries
from api.answers import changing, reading
from api.deps import Caller, ChangesFleet, ReadsAudit, ReadsFleet, Sending, changed
from controlplane.domain.errors import Missing
from controlplane.services import audit, bodies, windows

router = APIRouter(prefix="/v1", tags=["fleet"])
JSON_LINES = "application/x-ndjson"
_LINE = '{"seq": 1, "actor": "local:ann", "action": "tenant.create", "subject": "tenant/acme", …}\n'


@router.get("/audit", **reading(models.AuditPage), summary="A page of the audit, the newest first")
def entries(caller: ReadsAudit, query: Annotated[queries.Audit, Query()]) -> Response:
    return JSONResponse(audit.page(caller.control, caller.actor, query.search()))


@router.get("/audit/verification", **reading(models.AuditVerdict), summary="Whether the audit is untouched")
def verify(
    caller: ReadsAudit,
    head: Annotated[str, Query(max_length=100, description="NUMBER:DIGEST of an earlier verdict.")] = "",
) -> Response:
    return JSONResponse(audit.verify(caller.control, caller.actor, head))


def _lines(caller: Caller) -> Iterator[str]:
    for entry in audit.export(caller.control, caller.actor):
        yield json.dumps(entry, ensure_ascii=False) + "\n"


_EXPORT = reading(models.AuditEntry, "JSON lines, with what verifies them.")
_EXPORT["responses"][200] = {
    "description": "JSON lines, with what verifies them.",
    "content": {JSON_LINES: {"schema": {"type": "string"}, "example": _LINE}},
}


@router.get("/audit/export", **_EXPORT, response_class=StreamingResponse, summary="The whole audit")
def export(caller: ReadsAudit) -> Response:
    return StreamingResponse(_lines(caller), media_type=JSON_LINES)


@router.get("/windows", **reading(models.WindowPage), summary="Change windows")
def all_windows(caller: ReadsFleet) -> Response:
    return JSONResponse(windows.page(caller.control, caller.actor))


@router.post("/windows", **changing(models.Window, 201), summary="Add a window; deny wins")
def add_window(caller: ChangesFleet, body: bodies.NewWindow, sent: Sending) -> Response:
    return changed(
        caller,
        sent,
        lambda c, ask: windows.add(c, caller.actor, body, ask),
        status=201,
        location="/v1/windows/",
    )


@router.delete("/windows/{window_id}", **changing(models.Removed, 200), summary="Remove a window")
def remove_window(caller: ChangesFleet, window_id: str, sent: Sending) -> Response:
    return changed(caller, sent, lambda c, ask: windows.remove(c, caller.actor, window_id, ask), status=200)


@router.get("/doctor", **reading(models.Examination), summary="What was found, and what is missing")
async def doctor(caller: ReadsFleet) -> Response:
    if caller.house.doctor is None:
        raise Missing("this server has no doctor")
    return JSONResponse(await run_in_threadpool(caller.house.doctor))
