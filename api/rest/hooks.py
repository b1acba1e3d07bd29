"""/v1/hooks: what hosts of repositories and SNS send. They show no token: each delivery is signed."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from api.answers import reading
from api.deps import house
from api.models.review import HookAnswer
from controlplane.services.reviews import hooks
from controlplane.services.rightsizing import hearing

router = APIRouter(prefix="/v1/hooks", tags=["reviews"])
SNS = "sns"  # Amazon's topics, which sign with a certificate of theirs
_ANY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}


@router.post(
    "/{forge}", **reading(HookAnswer), openapi_extra=_ANY, summary="Signed news of a host, or of SNS"
)
async def receive(request: Request, forge: str) -> Response:
    body = await request.body()
    control = house(request).control
    if forge == SNS:
        return JSONResponse(await run_in_threadpool(hearing.receive, control, body))
    found = await run_in_threadpool(hooks.receive, control, forge, dict(request.headers), body)
    return JSONResponse(found)
