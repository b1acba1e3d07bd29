"""/v1/tenants/{slug}/migration"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from api.answers import changing, reading
from api.deps import DestroysTenant, ReadsTenant, Sending, changed
from api.models import migration as models
from controlplane.domain.operation import Kind
from controlplane.operations import Finalize, Rollback
from controlplane.services import migrations, tenants

router = APIRouter(prefix="/v1/tenants/{slug}/migration", tags=["migrations"])


@router.get(
    "", **reading(models.Migration), summary="Its newest migration: states, windows, checks, where truth is"
)
def show(caller: ReadsTenant, slug: str) -> Response:
    return JSONResponse(migrations.show(caller.control, caller.actor, slug))


@router.post("/advance", **changing(), summary="Take the next legal step: settle what is held, or finalize")
def advance(caller: DestroysTenant, slug: str, sent: Sending) -> Response:
    return changed(caller, sent, lambda c, ask: migrations.advance(c, caller.actor, slug, ask))


@router.post("/rollback", **changing(), summary="Call it off, or go back to the database that was left")
def rollback(caller: DestroysTenant, slug: str, body: Rollback, sent: Sending) -> Response:
    return changed(caller, sent, lambda c, ask: migrations.rollback(c, caller.actor, slug, body, ask))


@router.post("/finalize", **changing(), summary="End the fallback window and remove the old database")
def finalize(caller: DestroysTenant, slug: str, body: Finalize, sent: Sending) -> Response:
    return changed(
        caller, sent, lambda c, ask: tenants.change(c, caller.actor, Kind.FINALIZE, slug, body, ask)
    )
