"""What forms do: the same services as every door, then back to a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.console.pages import PLAIN_VERBS
from api.console.sessions import COOKIE, SECONDS, Sessions
from api.console.views import page
from api.console.visitors import Approves, Asked, ChangesTenant, Form, SeesTenant, Steers, check_origin
from api.deps import house
from controlplane.domain.errors import ControlPlaneError, Missing, Unauthenticated
from controlplane.domain.operation import Kind
from controlplane.operations import operation_type
from controlplane.services import bodies, operations, tenants
from controlplane.services.reviews import asking as reviews

router = APIRouter()
_START = "/console/tenants"


def _to(place: str) -> Response:
    return RedirectResponse(place, 303)


# --- in and out -------------------------------------------------------------------------------------


@router.get("/login")
async def way_in(next: str = "") -> Response:
    return page("login.html", None, next=_ours(next), problem="")


@router.post("/login")
async def sign_in(request: Request, form: Form) -> Response:
    check_origin(request)
    token, place = form.get("token", "").strip(), _ours(form.get("next", ""))
    try:
        if not token:
            raise Unauthenticated("say a token")
        await house(request).gate.admit(request, token)
    except ControlPlaneError as error:
        return page("login.html", None, 401, next=place, problem=error.message)
    sessions: Sessions = request.app.state.sessions
    answer = _to(place)
    answer.set_cookie(
        COOKIE,
        sessions.begin(token),
        max_age=SECONDS,
        path="/console",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/logout")
async def sign_out(_: SeesTenant, request: Request) -> Response:
    sessions: Sessions = request.app.state.sessions
    sessions.end(request.cookies.get(COOKIE, ""))
    answer = _to("/console/login")
    answer.delete_cookie(COOKIE, path="/console")
    return answer


def _ours(place: str) -> str:
    """Only a path of ours: nobody is sent elsewhere by a link to our way in."""
    good = place.startswith("/console/") and not any(c in place for c in "\\\r\n") and "//" not in place
    return place if good else _START


# --- decisions --------------------------------------------------------------------------------------


@router.post("/operations/{operation_id}/approve")
def approve(visitor: Approves, operation_id: str, form: Form, ask: Asked) -> Response:
    """Of the plan that was shown: of another one it is refused."""
    operations.approve(visitor.control, visitor.actor, operation_id, ask, form.get("digest") or None)
    return _to(f"/console/operations/{operation_id}")


@router.post("/operations/{operation_id}/reject")
def reject(visitor: Approves, operation_id: str, ask: Asked) -> Response:
    operations.reject(visitor.control, visitor.actor, operation_id, ask)
    return _to(f"/console/operations/{operation_id}")


@router.post("/operations/{operation_id}/cancel")
def cancel(visitor: Steers, operation_id: str, ask: Asked) -> Response:
    operations.cancel(visitor.control, visitor.actor, operation_id, ask)
    return _to(f"/console/operations/{operation_id}")


@router.post("/tenants/{slug}/{verb}")
def change(visitor: ChangesTenant, slug: str, verb: str, ask: Asked) -> Response:
    if verb not in tuple(PLAIN_VERBS):
        raise Missing(f"the console does no {verb!r}", hint=f"controlplane tenant {verb} {slug}")
    kind = Kind(verb)
    body = bodies.parse(operation_type(kind).request, {})
    made = tenants.change(visitor.control, visitor.actor, kind, slug, body, ask)
    return _to(f"/console/operations/{made['id']}")


def _of_review(verb: str, act: Callable[..., Any]) -> None:
    def decide(visitor: Approves, review_id: str, ask: Asked) -> Response:
        act(visitor.control, visitor.actor, review_id, ask)
        return _to("/console/reviews")

    router.post(f"/reviews/{{review_id}}/{verb}", name=verb)(decide)


_of_review("approve", reviews.approve)
_of_review("merge", reviews.merge)
