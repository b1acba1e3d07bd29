"""/v1/tokens and /v1/users"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from api import models
from api.answers import changing, reading
from api.deps import Administers, Sending, changed
from controlplane.services import access, asking, bodies

router = APIRouter(prefix="/v1", tags=["access"])

_ISSUE = changing(models.IssuedToken, 201)
_ISSUE["responses"][200]["model"] = models.Token  # a rehearsal makes no secret


@router.get("/tokens", **reading(models.TokenPage), summary="All tokens, never their secrets")
def tokens(caller: Administers) -> Response:
    return JSONResponse(access.tokens(caller.control, caller.actor))


@router.post(
    "/tokens",
    **_ISSUE,
    summary="Issue a token; its secret stands in this answer and nowhere else",
)
def create_token(caller: Administers, body: bodies.NewToken, sent: Sending) -> Response:
    found = asking.do_secretly(
        caller.control,
        caller.actor,
        sent,
        lambda c, ask: access.create_token(c, caller.actor, body, ask),
    )
    headers = {"Location": f"/v1/tokens/{found['id']}", "Cache-Control": "no-store"}
    return JSONResponse(found, 200 if sent.dry_run else 201, headers)


@router.delete("/tokens/{token_id}", **changing(models.Token, 200), summary="Refuse it from now on")
def revoke_token(caller: Administers, token_id: str, sent: Sending) -> Response:
    answer = changed(
        caller, sent, lambda c, ask: access.revoke_token(c, caller.actor, token_id, ask), status=200
    )
    caller.house.gate.forget()
    return answer


@router.get("/users", **reading(models.UserPage), summary="People")
def users(caller: Administers) -> Response:
    return JSONResponse(access.users(caller.control, caller.actor))


@router.post("/users", **changing(models.User, 201), summary="Add a person")
def add_user(caller: Administers, body: bodies.NewUser, sent: Sending) -> Response:
    return changed(
        caller,
        sent,
        lambda c, ask: access.add_user(c, caller.actor, body, ask),
        status=201,
        location="/v1/users/",
    )


@router.delete("/users/{user_id}", **changing(models.Removed, 200), summary="Remove a person")
def remove_user(caller: Administers, user_id: str, sent: Sending) -> Response:
    return changed(caller, sent, lambda c, ask: access.remove_user(c, caller.actor, user_id, ask), status=200)
