"""/v1/webhooks"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from api.answers import changing, reading
from api.deps import Administers, Sending, changed
from api.models import Removed
from api.models import webhook as models
from controlplane.services import asking, bodies
from controlplane.services.webhooks import asking as webhooks

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

_ADD = changing(models.AddedWebhook, 201)
_ADD["responses"][200]["model"] = models.Webhook  # a rehearsal makes no secret


@router.get("", **reading(models.WebhookPage), summary="Who hears events, and how deliveries fare")
def page(caller: Administers) -> Response:
    return JSONResponse(webhooks.page(caller.control, caller.actor))


@router.post("", **_ADD, summary="Add one; what it verifies with stands in this answer and nowhere else")
def add(caller: Administers, body: bodies.NewWebhook, sent: Sending) -> Response:
    found = asking.do_secretly(
        caller.control, caller.actor, sent, lambda c, ask: webhooks.add(c, caller.actor, body, ask)
    )
    headers = {"Location": f"/v1/webhooks/{found['id']}", "Cache-Control": "no-store"}
    return JSONResponse(found, 200 if sent.dry_run else 201, headers)


@router.delete("/{webhook_id}", **changing(Removed, 200), summary="Send nothing there any more")
def remove(caller: Administers, webhook_id: str, sent: Sending) -> Response:
    return changed(caller, sent, lambda c, ask: webhooks.remove(c, caller.actor, webhook_id, ask), status=200)


@router.post("/{webhook_id}/replay", **changing(models.Replayed, 200), summary="Send again")
def replay(
    caller: Administers, webhook_id: str, sent: Sending, body: bodies.Replay | None = None
) -> Response:
    """Without a body: what failed. Else one event, everything since a time, or a test."""
    wanted = body or bodies.Replay()
    return changed(
        caller, sent, lambda c, ask: webhooks.replay(c, caller.actor, webhook_id, wanted, ask), status=200
    )
