"""/v1/costs and /v1/tenants/{slug}/cost"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from api.answers import changing, reading
from api.deps import ChangesFleet, ReadsFleet, ReadsTenant, Sending, changed
from api.models import Json, Page, View
from controlplane.services import asking
from controlplane.services.costs import (
    actuals,
    asked,
    book,
    commitments,
    daily,
    estimate,
    fleet,
    forecast,
    tables,
    tenant,
)
from controlplane.services.costs.budgets import limits

router = APIRouter(prefix="/v1", tags=["costs"])


# --- what is answered: money is text with two decimals, unknown is null ---------------------------------


class Estimate(View):
    what: str
    monthly_usd: str | None
    yearly_usd: str | None
    known_usd: str
    unknown: list[str]
    lines: list[Json]
    price_book: Json


class TenantCost(View):
    tenant: str
    now: Json
    after_plan: Json | None
    shared_usd: str | None
    with_shared_usd: str | None
    billed_usd: str | None
    drift_usd: str | None
    tier: Json
    history: list[Json]


class Fleet(View):
    total: Json
    shared: Json
    with_shared_usd: str | None
    by: str
    groups: list[Json]
    history: list[Json]


class Forecast(View):
    tenants: int
    estimate: Json
    per_tenant_usd: str | None
    scale: list[Json]
    months: list[Json]
    turning_points: list[Json]


class Listed(Page):
    items: list[Json]


class Tables(Listed):
    summary: Json


class Actuals(Listed):
    known: bool
    asked: Json | None
    total_usd: str | None


class Commitments(Listed):
    level: str
    reason: str
    proposed: list[Json]


class Budgets(Listed):
    spikes: list[Json]
    worries: list[Json]


class Prices(Listed):
    book: Json
    unknown: int


class Refreshed(View):
    digest: str
    changes: list[Json]
    taken: bool


class Asked(View):
    requests: int
    cost_usd: str | None


class Recorded(View):
    day: str
    monthly_usd: str | None


class Saved(View):
    scope: str
    monthly_usd: str | None


# --- reading ----------------------------------------------------------------------------------------


@router.get("/tenants/{slug}/cost", **reading(TenantCost), summary="What one tenant costs, and was billed")
def of_tenant(caller: ReadsTenant, slug: str, query: Annotated[asked.OfTenant, Query()]) -> Response:
    return JSONResponse(tenant.show(caller.control, caller.actor, slug, query))


@router.get("/costs/fleet", **reading(Fleet), summary="The fleet in all, by group and by day")
def of_fleet(caller: ReadsFleet, query: Annotated[asked.Fleet, Query()]) -> Response:
    return JSONResponse(fleet.show(caller.control, caller.actor, query))


@router.get("/costs/forecast", **reading(Forecast), summary="What so many tenants would cost")
def of_future(caller: ReadsFleet, query: Annotated[asked.Forecast, Query()]) -> Response:
    return JSONResponse(forecast.show(caller.control, caller.actor, query))


@router.get("/costs/tables", **reading(Tables), summary="The reference tables, stated and computed")
def of_reference(caller: ReadsFleet, query: Annotated[asked.Tables, Query()]) -> Response:
    return JSONResponse(tables.show(caller.control, caller.actor, query))


@router.get("/costs/actuals", **reading(Actuals), summary="What was billed, against the estimates")
def billed(caller: ReadsFleet, query: Annotated[asked.Actuals, Query()]) -> Response:
    return JSONResponse(actuals.show(caller.control, caller.actor, query))


@router.get("/costs/commitments", **reading(Commitments), summary="Advice on reserved instances")
def advised(caller: ReadsFleet) -> Response:
    return JSONResponse(commitments.show(caller.control, caller.actor))


@router.get("/costs/budget", **reading(Budgets), summary="Budgets, their alarms, spikes and worries")
def budgets(caller: ReadsFleet) -> Response:
    return JSONResponse(limits.show(caller.control, caller.actor))


@router.get("/costs/prices", **reading(Prices), summary="The price book in force")
def prices(caller: ReadsFleet, query: Annotated[asked.Prices, Query()]) -> Response:
    return JSONResponse(book.show(caller.control, caller.actor, query))


@router.post("/costs/estimate", **changing(Estimate, 200), summary="Estimate anything; nothing is changed")
def estimated(caller: ReadsFleet, body: asked.Estimate, sent: Sending) -> Response:
    def count(control: Any, _: Any) -> dict[str, Any]:
        return estimate.estimate(control, caller.actor, body)

    return changed(caller, sent, count, status=200)


# --- changing ---------------------------------------------------------------------------------------


@router.post(
    "/costs/prices/refresh", **changing(Refreshed, 200), summary="Fetch a new price book, and take it if said"
)
def refresh(caller: ChangesFleet, sent: Sending, body: asked.Refreshing | None = None) -> Response:
    done = book.refresh(caller.control, caller.actor, body or asked.Refreshing(), sent)
    headers = {"Idempotency-Replayed": "true"} if done.repeated else {}
    return JSONResponse(dict(done.body), done.status_code, headers)


@router.post("/costs/budget", **changing(Saved, 200), summary="Set a budget; null takes it away")
def save_budget(caller: ChangesFleet, body: asked.NewBudget, sent: Sending) -> Response:
    return changed(caller, sent, lambda c, ask: limits.save(c, caller.actor, body, ask), status=200)


@router.post("/costs/actuals/refresh", **changing(Asked, 200), summary="Ask for the bill, once a day")
def ask_bill(caller: ChangesFleet, sent: Sending) -> Response:
    return JSONResponse(actuals.ask(caller.control, caller.actor, sent))


@router.post("/costs/fleet/record", **changing(Recorded, 200), summary="Write today's cost down")
def record(caller: ChangesFleet, sent: Sending) -> Response:
    done = asking.do(
        caller.control, caller.actor, sent, lambda c, _: daily.record(c, caller.actor), status_code=200
    )
    return JSONResponse(dict(done.body), done.status_code)
