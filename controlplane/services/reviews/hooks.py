"""Webhooks of a host: checked, kept once, and never believed. What they tell of is read from the host."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from controlplane.domain.errors import Invalid, Missing, Unauthenticated
from controlplane.domain.review.hooks import OLDEST, READERS, is_timely
from controlplane.services.control import Control
from controlplane.store.reviews import host

_DELIVERY = re.compile(r"[A-Za-z0-9-]{8,100}")


def receive(control: Control, forge: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """From then on the worker looks at the host at once. A delivery that came before changes nothing."""
    rules = control.host
    if not rules.kind or rules.kind != forge:
        raise Missing(
            f"no webhooks of {forge!r} are taken here", hint="CONTROLPLANE_FORGE says which host it is"
        )
    found = READERS[forge](rules.webhook_secret(), headers, body)
    if not found.is_genuine:
        raise Unauthenticated("this webhook does not show or bear the secret that was agreed on")
    if not _DELIVERY.fullmatch(found.delivery):
        raise Invalid("this webhook has no id of its delivery")
    if not is_timely(_payload(body), control.now(), found.sent_at):
        raise Invalid(
            f"this webhook tells of something that is older than {OLDEST}", hint="nothing is lost by it"
        )
    event = found.event[:40]
    with control.db.write() as session:
        is_new = host.take_delivery(session, f"{forge}:{found.delivery}", event, control.now())
    return {"accepted": is_new, "event": event}


def _payload(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid("this webhook is no JSON") from error
    return found if isinstance(found, dict) else {}
