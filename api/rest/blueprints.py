"""/v1/blueprints"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from api import models
from api.answers import changing, reading
from api.deps import ChangesPlatform, ReadsFleet, Sending, changed
from controlplane.domain.tenant import Environment
from controlplane.operations import Platform, PlatformDestruction, PlatformPlan
from controlplane.services import blueprints, launch, platforms

router = APIRouter(prefix="/v1/blueprints", tags=["blueprints"])


@router.get("", **reading(models.BlueprintPage), summary="The blueprints of the catalog")
def page(caller: ReadsFleet) -> Response:
    return JSONResponse(blueprints.page(caller.control, caller.actor))


@router.get("/{name}", **reading(models.Blueprint), summary="One blueprint: its options and its platforms")
def show(caller: ReadsFleet, name: str) -> Response:
    return JSONResponse(blueprints.show(caller.control, caller.actor, name))


@router.post("/{name}/apply", **changing(), summary="Apply its shared platform in one environment")
def apply(caller: ChangesPlatform, name: str, body: Platform, sent: Sending) -> Response:
    return changed(caller, sent, lambda c, ask: platforms.apply(c, caller.actor, name, body, ask))


@router.post("/{name}/plan", **changing(), summary="Plan its shared platform; nothing is applied")
def plan(caller: ChangesPlatform, name: str, body: PlatformPlan, sent: Sending) -> Response:
    return changed(caller, sent, lambda c, ask: platforms.plan(c, caller.actor, name, body, ask))


@router.post("/{name}/destroy", **changing(), summary="Destroy its shared platform in one environment")
def destroy(caller: ChangesPlatform, name: str, body: PlatformDestruction, sent: Sending) -> Response:
    return changed(caller, sent, lambda c, ask: platforms.destroy(c, caller.actor, name, body, ask))


@router.get(
    "/{name}/checklist", **reading(models.Checklist), summary="What a launch in production still needs"
)
def checklist(caller: ReadsFleet, name: str, environment: Environment = Environment.PRODUCTION) -> Response:
    return JSONResponse(launch.checklist(caller.control, caller.actor, name, environment))
