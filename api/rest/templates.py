"""/v1/templates"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from api.answers import changing, reading
from api.deps import ChangesTenant, ReadsTenant, Sending, answered
from api.models.template import OutdatedPage, RolloutWave
from controlplane.services.templates import outdated, rolling

router = APIRouter(prefix="/v1/templates", tags=["blueprints"])


@router.get("/outdated", **reading(OutdatedPage), summary="Tenants behind their blueprint's template")
def behind(caller: ReadsTenant) -> Response:
    return JSONResponse(outdated.show(caller.control, caller.actor))


@router.post("/rollout", **changing(RolloutWave, 201), summary="Move tenants to another version, in waves")
def rollout(caller: ChangesTenant, body: rolling.NewRollout, sent: Sending) -> Response:
    return answered(rolling.roll(caller.control, caller.actor, body, sent), "/v1/waves/")
