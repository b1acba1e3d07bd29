"""/v1/hooks: what hosts of repositories send. They show no token: each delivery is signed."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from api.answers import reading
from api.deps import house
from api.models.review import HookAnswer
from controlplane.services.reviews import hooks

router = APIRouter(prefix="/v1/hooks", tags=["reviews"])
_ANY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}


@router.post("/{forge}", **reading(HookAnswer), openapi_extra=_ANY, summary="News of a host, signed by it")
async def receive(request: Request, forge: str) -> Response:
    body = await request.body()
    found = await run_in_threadpool(hooks.receive, house(request).control, forge, dict(request.headers), body)
    return JSONResponse(found)
