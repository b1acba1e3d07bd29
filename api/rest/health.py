"""/healthz, /readyz, /metrics and /version: open to whoever reaches them; they name no tenant."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from api import models
from api.deps import house
from api.problems import MEDIA_TYPE, of_error, request_id
from controlplane.domain.errors import ControlPlaneError, Unavailable
from controlplane.services import about, figures

router = APIRouter(tags=["health"])
_PROBLEM = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {"description": "Not ready; `details` says what is missing.", **_PROBLEM}
}
_READY: dict[int | str, dict[str, Any]] = {200: {"model": models.Ready}, **_NOT_READY}


@router.get("/healthz", summary="The process answers")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@router.get(
    "/readyz",
    responses=_READY,
    response_model=None,
    summary="The catalog answers, in this program's revision",
)
def ready(request: Request) -> Response:
    try:
        found = figures.readiness(house(request).control)
    except ControlPlaneError as error:
        problem = Unavailable(
            f"not ready: {error.message}", hint=error.hint, details={"missing": ["catalog"]}
        )
        return of_error(problem, request.url.path, request_id(request))
    return JSONResponse(found)


@router.get("/metrics", response_class=PlainTextResponse, responses=_NOT_READY, summary="For Prometheus")
def metrics(request: Request) -> Response:
    here = house(request)
    told = figures.gauges(here.control), figures.counters(here.control), figures.histograms(here.control)
    text = here.measures.text(*told)
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get(
    "/version", responses={200: {"model": models.Version}}, response_model=None, summary="Which program"
)
async def version() -> Response:
    return JSONResponse(about.version())
