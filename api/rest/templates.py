"""/v1/templates"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from api import models
from api.answers import reading
from api.deps import ReadsTenant
from controlplane.services import blueprints

router = APIRouter(prefix="/v1/templates", tags=["blueprints"])


@router.get("/outdated", **reading(models.OutdatedPage), summary="Tenants behind their blueprint's template")
def outdated(caller: ReadsTenant) -> Response:
    return JSONResponse(blueprints.outdated(caller.control, caller.actor))
