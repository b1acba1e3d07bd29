"""What pages are given: the visitor with a permission, and what a form sent."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from api.console.sessions import COOKIE, Session, Sessions
from api.deps import Caller, May, house
from controlplane.domain.errors import Denied, Unauthenticated
from controlplane.services.actor import Action
from controlplane.services.control import Ask

_SAME = ("same-origin", "none")


@dataclass(frozen=True)
class Visitor(Caller):
    session: Session


class SignedOut(Unauthenticated):
    """There is no living session: the way in is shown."""


class Sees(May):
    """A page's permission. For a form also its key, which only our own pages know."""

    async def __call__(self, request: Request) -> Visitor:
        sessions: Sessions = request.app.state.sessions
        session = sessions.find(request.cookies.get(COOKIE, ""))
        if session is None:
            raise SignedOut("sign in first")
        here = house(request)
        actor = await here.gate.admit(request, session.token)
        if request.method == "POST":
            check_origin(request)
            given = (await form_of(request)).get("form_key", "")
            if not hmac.compare_digest(given.encode(), session.form_key.encode()):
                raise Denied(
                    "this form was made for another login", hint="go back, load the page anew, try again"
                )
        actor.require(self.action, request.path_params.get("slug"))
        return Visitor(here, actor, session)


def check_origin(request: Request) -> None:
    """Browsers say where a form comes from; one of another site is refused."""
    if request.headers.get("sec-fetch-site", "same-origin") not in _SAME:
        raise Denied("this form comes from another site")


async def form_of(request: Request) -> dict[str, str]:
    """What a form sent: names once, as browsers send ours."""
    text = (await request.body()).decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=100))


async def asked(request: Request) -> Ask:
    """How a form asks for a change: its reason, under this request's id."""
    reason = (await form_of(request)).get("reason", "")[:1000]
    request_id, traceparent = (str(request.scope.get(name, "")) for name in ("request_id", "traceparent"))
    return Ask(reason=reason, request_id=request_id, traceparent=traceparent)


Form = Annotated[dict[str, str], Depends(form_of)]
Asked = Annotated[Ask, Depends(asked)]
SeesTenant = Annotated[Visitor, Depends(Sees(Action.READ_TENANT))]
SeesOperation = Annotated[Visitor, Depends(Sees(Action.READ_OPERATION))]
SeesFleet = Annotated[Visitor, Depends(Sees(Action.READ_FLEET))]
ChangesTenant = Annotated[Visitor, Depends(Sees(Action.CHANGE_TENANT))]
Approves = Annotated[Visitor, Depends(Sees(Action.APPROVE))]
Steers = Annotated[Visitor, Depends(Sees(Action.STEER))]
