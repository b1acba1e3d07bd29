"""/v1/waves"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from api import models
from api.answers import changing, reading
from api.deps import ChangesFleet, ChangesTenant, ReadsFleet, Sending, changed
from controlplane.services import bodies, bulk, waves

router = APIRouter(prefix="/v1/waves", tags=["waves"])


@router.get("", **reading(models.WavePage), summary="Bulk changes, the newest first")
def page(caller: ReadsFleet) -> Response:
    return JSONResponse(waves.every(caller.control, caller.actor))


@router.post("", **changing(models.WaveInFull, 201), summary="Change many tenants, canaries first")
def start(caller: ChangesTenant, body: bodies.NewWave, sent: Sending) -> Response:
    return changed(
        caller,
        sent,
        lambda c, ask: bulk.start(c, caller.actor, body, ask),
        status=201,
        location="/v1/waves/",
    )


@router.get("/{wave_id}", **reading(models.WaveInFull), summary="One, with a result for each tenant")
def show(caller: ReadsFleet, wave_id: str) -> Response:
    return JSONResponse(waves.show(caller.control, caller.actor, wave_id))


def _offer(verb: str, summary: str) -> None:
    def steer(caller: ChangesFleet, wave_id: str, sent: Sending) -> Response:
        return changed(caller, sent, lambda c, _: waves.steer(c, caller.actor, wave_id, verb), status=200)

    router.post(f"/{{wave_id}}/{verb}", name=verb, summary=summary, **changing(models.WaveInFull, 200))(steer)


_offer("pause", "Start nothing more for now")
_offer("continue", "Go on")
_offer("abort", "End it; what was started goes to its end")
