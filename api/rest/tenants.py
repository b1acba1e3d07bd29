"""/v1/tenants"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError

from api import models, queries
from api.answers import changing, reading
from api.deps import (
    Caller,
    ChangesTenant,
    CreatesTenant,
    May,
    PreconditionRequired,
    ReadsTenant,
    Sending,
    changed,
)
from api.hot import Hot, first
from controlplane.operations import Create, OperationType, offered
from controlplane.services import batch, bodies, explain, fleet, particulars, tenants
from controlplane.services.actor import Action
from controlplane.services.particulars import Particulars
from controlplane.services.quick import compact
from controlplane.services.workspaces import rendered

router = APIRouter(prefix="/v1/tenants", tags=["tenants"], route_class=Hot)

# Kinds with a route of their own elsewhere.
_ELSEWHERE = ("create", "platform", "finalize", "rollback", "rollout")


def _page_at_once(caller: Caller, request: Request) -> Response | None:
    """None for a question that is not plain, or that only the whole way answers."""
    said = request.query_params
    if caller.quick is None or len(said) != len(said.multi_items()):
        return None
    try:
        query = queries.Tenants.model_validate(dict(said))
    except ValidationError:
        return None
    text = caller.quick.page_text(query.model_dump(mode="json"))
    return None if text is None else Response(text, media_type="application/json")


@router.get("", **reading(models.TenantPage), summary="A page of tenants")
@first(_page_at_once)
def page(caller: ReadsTenant, query: Annotated[queries.Tenants, Query()]) -> Response:
    return JSONResponse(fleet.page(caller.control, caller.actor, query.listing()))


@router.post("", **changing(), summary="Create a tenant with a database of its own")
def create(caller: CreatesTenant, body: Create, sent: Sending) -> Response:
    return changed(caller, sent, lambda c, ask: tenants.create(c, caller.actor, body, ask))


@router.post(
    "/batch",
    **changing(models.BatchResult, 200),
    summary="Create many: each row is accepted or refused by itself",
)
def create_many(caller: CreatesTenant, body: bodies.Rows, sent: Sending) -> Response:
    return JSONResponse(batch.create(caller.control, caller.actor, body.items, sent))


def _one_at_once(caller: Caller, request: Request) -> Response | None:
    found = caller.quick.tenant_text(request.path_params["slug"]) if caller.quick else None
    return None if found is None else _tagged(request, *found)


def _tagged(request: Request, revision: int, content: bytes) -> Response:
    """With its ETag; nothing more for who has that one already."""
    tag = f'"{revision}"'
    if request.headers.get("if-none-match") in (tag, f"W/{tag}"):
        return Response(status_code=304, headers={"ETag": tag})
    return Response(content, headers={"ETag": tag}, media_type="application/json")


@router.get("/{slug}", **reading(models.Tenant), summary="One tenant, with its ETag")
@first(_one_at_once)
def show(caller: ReadsTenant, slug: str, request: Request) -> Response:
    found = tenants.show(caller.control, caller.actor, slug)
    return _tagged(request, found["revision"], compact(found))


@router.patch("/{slug}", **changing(models.Tenant, 200, 428), summary="Change what is known of it")
def describe(
    caller: ChangesTenant, slug: str, body: Particulars, sent: Sending, request: Request
) -> Response:
    if "if-match" not in request.headers:
        message = "say which revision you saw: If-Match"
        raise PreconditionRequired(message, hint=f"GET /v1/tenants/{slug} answers it as ETag")
    return changed(
        caller, sent, lambda c, ask: particulars.change(c, caller.actor, slug, body, ask), status=200
    )


@router.get(
    "/{slug}/explain", **reading(models.Explanation), summary="Why it is as it is, and what comes next"
)
def explained(caller: ReadsTenant, slug: str) -> Response:
    return JSONResponse(explain.explain(caller.control, caller.actor, slug))


@router.get(
    "/{slug}/workspace",
    **reading(models.Workspace, "Found.", 409),
    summary="What Terraform reads, as recorded",
)
def workspace(caller: ReadsTenant, slug: str) -> Response:
    return JSONResponse(rendered.workspace(caller.control, caller.actor, slug))


@router.get("/{slug}/history", **reading(models.History), summary="What was changed, when, by whom")
def history(caller: ReadsTenant, slug: str, query: Annotated[queries.History, Query()]) -> Response:
    lines = tenants.history_of(caller.control, caller.actor, slug, query.after, query.limit)
    return JSONResponse({"items": lines, "next_page_token": None})


def _offer(of: OperationType) -> None:
    """One route for each kind of operation on a tenant, from its record."""
    model: Any = of.request
    may = May(Action.DESTROY_TENANT if of.destructive else Action.CHANGE_TENANT)

    def change(caller: Caller, slug: str, body: Any, sent: Sending) -> Response:
        return changed(caller, sent, lambda c, ask: tenants.change(c, caller.actor, of.kind, slug, body, ask))

    change.__annotations__ |= {"caller": Annotated[Caller, Depends(may)], "body": model, "sent": Sending}
    route = router.post(f"/{{slug}}/{of.kind.value}", name=of.kind.value, summary=of.summary, **changing())
    route(change)


for _type in offered():
    if _type.kind.value not in _ELSEWHERE:
        _offer(_type)
