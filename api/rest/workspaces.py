"""/v1/workspaces/{id}/state: Terraform's http backend."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from api import models
from api.answers import changing, reading
from api.deps import Caller, ReadsState, Sending, WritesState
from api.models.state import RestoredState, StateVersionPage
from api.problems import MEDIA_TYPE, of_error, request_id
from controlplane.domain.errors import Locked, Missing
from controlplane.services.workspaces import states as workspaces
from controlplane.services.workspaces.states import Desk

router = APIRouter(prefix="/v1/workspaces", tags=["workspaces"])


def _desk(caller: Caller) -> Desk:
    if caller.house.desk is None:
        raise Missing("this server keeps no states")
    return caller.house.desk


_READ = reading(models.View, "The newest state.")
_READ["responses"][204] = {"description": "There is no state yet."}


@router.get("/{workspace_id}/state", **_READ, summary="The newest state, or that of a serial, in clear")
def read(
    caller: ReadsState, workspace_id: str, serial: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None
) -> Response:
    found = workspaces.read(_desk(caller), caller.actor, workspace_id, serial)
    if found is None:
        return Response(status_code=204)
    return Response(found, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.post(
    "/{workspace_id}/state",
    **changing(models.View, 200),
    summary="Store a version: of the same lineage, not older, by who holds the lock",
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}},
)
async def write(
    caller: WritesState,
    workspace_id: str,
    request: Request,
    lock_id: Annotated[str, Query(alias="ID", max_length=200)] = "",
) -> Response:
    content = await request.body()
    await run_in_threadpool(workspaces.write, _desk(caller), caller.actor, workspace_id, content, lock_id)
    return JSONResponse({"workspace": workspace_id})


@router.get(
    "/{workspace_id}/state/versions",
    **reading(StateVersionPage),
    summary="All its states that are kept, newest first, without their contents",
)
def versions(caller: ReadsState, workspace_id: str) -> Response:
    found = workspaces.versions(_desk(caller), caller.actor, workspace_id)
    return JSONResponse({"items": found, "next_page_token": None})


@router.post(
    "/{workspace_id}/state/versions/{serial}/restore",
    **changing(RestoredState, 200),
    summary="Make an older state the newest, under a new serial; nothing in AWS changes",
)
def restore(
    caller: WritesState, sent: Sending, workspace_id: str, serial: Annotated[int, Path(ge=0, le=2**31 - 1)]
) -> Response:
    return JSONResponse(workspaces.put_back(_desk(caller), caller.actor, workspace_id, serial, sent))


# No methods of OpenAPI: Terraform's own.
@router.api_route("/{workspace_id}/state", methods=["LOCK"], include_in_schema=False)
async def lock(caller: WritesState, workspace_id: str, request: Request) -> Response:
    try:
        await run_in_threadpool(
            workspaces.lock, _desk(caller), caller.actor, workspace_id, await request.body()
        )
    except Locked as error:
        return _holder(error, request)
    return Response(status_code=200)


@router.api_route("/{workspace_id}/state", methods=["UNLOCK"], include_in_schema=False)
async def unlock(caller: WritesState, workspace_id: str, request: Request) -> Response:
    try:
        await run_in_threadpool(
            workspaces.unlock, _desk(caller), caller.actor, workspace_id, await request.body()
        )
    except Locked as error:
        return _holder(error, request)
    return Response(status_code=200)


def _holder(error: Locked, request: Request) -> Response:
    """Terraform reads the holder's lock from the body: a problem that is one as well."""
    problem = of_error(error, request.url.path, request_id(request))
    info = error.details.get("info") or {}
    whole = {"ID": str(error.details.get("lock_id", "")), **info}
    content = {**json.loads(bytes(problem.body)), **whole}
    return JSONResponse(content, problem.status_code, media_type=MEDIA_TYPE)
