"""What routes are given: the caller with a permission, the way a change is sent, the page that is wanted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request
from fastapi.responses import JSONResponse, Response

from api.auth import Gate
from api.events import Hub
from api.limits import Limits
from api.measure import Measures
from controlplane.domain.errors import FieldError, Invalid, Stale
from controlplane.services import asking
from controlplane.services.actor import Action, Actor
from controlplane.services.asking import Change, Way
from controlplane.services.control import Ask, Control
from controlplane.services.once import Done
from controlplane.services.once import Request as Sent
from controlplane.services.quick import Quick
from controlplane.services.workspaces.states import Desk


@dataclass(frozen=True)
class House:
    """What one application holds for all of its requests."""

    control: Control
    desk: Desk | None
    doctor: Callable[[], dict[str, Any]] | None
    gate: Gate
    hub: Hub
    measures: Measures
    limits: Limits
    quick: Quick | None


def house(request: Request) -> House:
    found: House = request.app.state.house
    return found


@dataclass(frozen=True)
class Caller:
    house: House
    actor: Actor

    @property
    def control(self) -> Control:
        return self.house.control

    @property
    def quick(self) -> Quick | None:
        """On SQLite, for who sees everything: a read that is shorter than a way to a thread and back."""
        return self.house.quick if self.actor.sees_everything else None


_ACTOR = "controlplane.actor"


class May:
    """A permission as a part of a route's signature. Only it makes a `Caller`."""

    def __init__(self, action: Action) -> None:
        self.action = action

    async def __call__(self, request: Request) -> Caller:
        here = house(request)
        actor = request.scope.get(_ACTOR) or await here.gate.enter(request)
        request.scope[_ACTOR] = actor  # one request is let in once, however often it is asked
        actor.require(self.action, request.path_params.get("slug"))
        return Caller(here, actor)


ReadsTenant = Annotated[Caller, Depends(May(Action.READ_TENANT))]
CreatesTenant = Annotated[Caller, Depends(May(Action.CREATE_TENANT))]
ChangesTenant = Annotated[Caller, Depends(May(Action.CHANGE_TENANT))]
DestroysTenant = Annotated[Caller, Depends(May(Action.DESTROY_TENANT))]
ReadsOperation = Annotated[Caller, Depends(May(Action.READ_OPERATION))]
Approves = Annotated[Caller, Depends(May(Action.APPROVE))]
Steers = Annotated[Caller, Depends(May(Action.STEER))]
Settles = Annotated[Caller, Depends(May(Action.SETTLE))]
ReadsFleet = Annotated[Caller, Depends(May(Action.READ_FLEET))]
ChangesPlatform = Annotated[Caller, Depends(May(Action.CHANGE_PLATFORM))]
ChangesFleet = Annotated[Caller, Depends(May(Action.CHANGE_FLEET))]
ReadsState = Annotated[Caller, Depends(May(Action.READ_STATE))]
WritesState = Annotated[Caller, Depends(May(Action.WRITE_STATE))]
ReadsAudit = Annotated[Caller, Depends(May(Action.READ_AUDIT))]
Administers = Annotated[Caller, Depends(May(Action.ADMINISTER))]


# --- how a change is sent ---------------------------------------------------------------------------


ENTITY_TAG = r'(\*|(W/)?"?([0-9]{1,15})"?)'


class PreconditionRequired(Stale):
    code = "precondition_required"


def revision(if_match: str | None) -> int | None:
    """The revision in an entity tag; `*` and nothing match every one."""
    if if_match is None:
        return None
    found = re.fullmatch(ENTITY_TAG, if_match.strip())
    if found is None:
        message = f"{if_match!r} is no entity tag of ours"
        raise Invalid(message, errors=[FieldError("If-Match", message)])
    return None if found[3] is None else int(found[3])


Reason = Annotated[str, Query(max_length=1000, description="Why; kept in the audit.")]
AutoApprove = Annotated[bool, Query(description="Approve at once, where policy lets one person do that.")]
DryRun = Annotated[bool, Query(description="Check everything and say what would be done; nothing changes.")]
IfMatch = Annotated[str | None, Header(alias="If-Match", description="The tenant's ETag that was seen.")]
Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=255, description="Sent twice, done once."),
]


async def way(
    request: Request,
    reason: Reason = "",
    auto_approve: AutoApprove = False,
    dry_run: DryRun = False,
    if_match: IfMatch = None,
    key: Key = None,
) -> Way:
    ask = Ask(
        reason=reason,
        request_id=str(request.scope.get("request_id", "")),
        traceparent=str(request.scope.get("traceparent", "")),
        auto_approve=auto_approve,
        if_match=revision(if_match),
    )
    sent = None
    if key is not None:
        path = f"{request.url.path}?{request.url.query}"
        sent = Sent(key, request.method, path, await request.body())
    return Way(ask, dry_run, sent)


Sending = Annotated[Way, Depends(way)]


def changed(
    caller: Caller, sent: Way, change: Change, *, status: int = 202, location: str = "/v1/operations/"
) -> Response:
    """Do it, and answer what came of it; of an operation also where it is."""
    return answered(asking.do(caller.control, caller.actor, sent, change, status), location)


def answered(done: Done, location: str) -> Response:
    headers = {"Idempotency-Replayed": "true"} if done.repeated else {}
    if done.status_code in (201, 202):
        headers["Location"] = f"{location}{done.body['id']}"
    return JSONResponse(dict(done.body), done.status_code, headers)


# --- pages ------------------------------------------------------------------------------------------

PageSize = Annotated[int, Query(ge=1, le=200)]
PageToken = Annotated[str, Query(max_length=1000)]
