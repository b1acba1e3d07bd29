"""Pages. They read what every door reads, and change nothing."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from api import queries
from api.console.views import ICON, STYLE, page
from api.console.visitors import SeesFleet, SeesOperation, SeesTenant, Visitor
from controlplane.domain.errors import Missing
from controlplane.domain.operation import Kind, Status, is_final
from controlplane.domain.review.progress import BEFORE_MERGE
from controlplane.domain.tenant import Phase, Size, Stage
from controlplane.operations import operation_type
from controlplane.services import explain, fleet, log, migrations, operations, tenants
from controlplane.services.actor import PERMISSIONS, Action
from controlplane.services.costs import asked as costs
from controlplane.services.costs import fleet as fleet_costs
from controlplane.services.costs import tenant as tenant_costs
from controlplane.services.reviews import asking as reviews

router = APIRouter()

_FACTS = (
    *("display_name", "stage", "size", "customer_class", "blueprint", "environment", "region", "cell"),
    *("storage_gb", "locations", "users", "labels", "endpoint", "port", "epoch", "generation"),
    *("observed_generation", "unverified", "template_version", "cost_tier", "created_at", "ready_at"),
)
# Changes of a tenant that need nothing said: the others are asked for with their options elsewhere.
PLAIN_VERBS = (Kind.RECONCILE, Kind.SUSPEND, Kind.RESUME, Kind.ROTATE)
_SORTS = ("slug", "created_at desc", "created_at", "monthly_usd desc", "monthly_usd")
_GROUPS = ("stage", "size", "region", "cell", "blueprint", "tier")
_REFRESH_SECONDS = 3
_DECISIONS = {"approve": "main", "reject": "", "cancel": "danger"}


@router.get("/console.css")
async def style() -> Response:
    return Response(STYLE, media_type="text/css", headers={"Cache-Control": "max-age=3600"})


@router.get("/icon.svg")
async def icon() -> Response:
    return Response(ICON, media_type="image/svg+xml", headers={"Cache-Control": "max-age=86400"})


@router.get("/")
async def start() -> Response:
    return RedirectResponse("/console/tenants", 303)


@router.get("/tenants")
def all_tenants(visitor: SeesTenant, request: Request) -> Response:
    query = _asked(queries.Tenants, request)
    found = fleet.page(visitor.control, visitor.actor, query.listing())
    asked = query.model_dump(mode="json", exclude={"page_token"})
    choices = {"stage": tuple(Stage), "size": tuple(Size), "phase": tuple(Phase)}
    return page("tenants.html", visitor, found=found, asked=asked, choices=_words(choices), sorts=_SORTS)


@router.get("/tenants/{slug}")
def one_tenant(visitor: SeesTenant, slug: str) -> Response:
    here, actor = visitor.control, visitor.actor
    cost, no_cost = _cost(visitor, slug)
    tenant = tenants.show(here, actor, slug)
    return page(
        "tenant.html",
        visitor,
        tenant=tenant,
        facts=_FACTS,
        why=explain.explain(here, actor, slug),
        cost=cost,
        no_cost=no_cost,
        verbs=_verbs(tenant),
        operations=fleet.queue(here, actor, fleet.Queue(tenant=slug, page_size=10))["items"],
    )


def _verbs(tenant: dict[str, Any]) -> dict[str, str]:
    """What makes sense in its phase, while nothing else goes on."""
    types = [operation_type(kind) for kind in PLAIN_VERBS]
    phase = Phase(tenant["phase"])
    good = [of for of in types if not of.from_phases or phase in of.from_phases]
    return {} if tenant["open_operation"] else {of.kind.value: of.summary for of in good}


def _cost(visitor: Visitor, slug: str) -> tuple[dict[str, Any] | None, str]:
    try:
        return tenant_costs.show(visitor.control, visitor.actor, slug, costs.OfTenant()), ""
    except Missing as error:
        return None, error.message


@router.get("/tenants/{slug}/migration")
def migration(visitor: SeesTenant, slug: str) -> Response:
    found = migrations.show(visitor.control, visitor.actor, slug)
    return page("migration.html", visitor, slug=slug, m=found, refresh=_REFRESH_SECONDS)


@router.get("/operations")
def all_operations(visitor: SeesOperation, request: Request) -> Response:
    query = _asked(queries.Operations, request)
    found = fleet.queue(visitor.control, visitor.actor, query.queue())
    asked = query.model_dump(mode="json", exclude={"page_token"})
    choices = {"status": tuple(Status), "kind": tuple(Kind)}
    return page("operations.html", visitor, found=found, asked=asked, choices=_words(choices))


@router.get("/operations/{operation_id}")
def one_operation(visitor: SeesOperation, operation_id: str) -> Response:
    """Until it has ended the page loads itself anew."""
    here, actor = visitor.control, visitor.actor
    found = operations.show(here, actor, operation_id)
    moves = Status(found["status"]) not in (Status.AWAITING_APPROVAL, Status.NEEDS_OPERATOR)
    return page(
        "operation.html",
        visitor,
        o={"error": None, **found},
        plan=operations.plan(here, actor, operation_id) if found["plan"] else None,
        events=operations.events(here, actor, operation_id),
        lines=log.lines(here, actor, operation_id)["items"],
        verbs=_decisions(visitor, Status(found["status"])),
        refresh=_REFRESH_SECONDS if moves and not found["done"] else 0,
    )


def _decisions(visitor: Visitor, status: Status) -> dict[str, str]:
    may = PERMISSIONS[visitor.actor.role]
    wanted = []
    if status is Status.AWAITING_APPROVAL and Action.APPROVE in may:
        wanted += ["approve", "reject"]
    if not is_final(status) and status is not Status.NEEDS_OPERATOR and Action.STEER in may:
        wanted.append("cancel")
    return {verb: _DECISIONS[verb] for verb in wanted}


By = Annotated[str, Query(max_length=100)]


@router.get("/costs")
def all_costs(visitor: SeesFleet, by: By = "stage") -> Response:
    found = fleet_costs.show(visitor.control, visitor.actor, costs.Fleet(by=by))
    rows = [*found["groups"], {**found["total"], "name": "all tenants"}]
    return page("costs.html", visitor, rows=rows, by=by, groups=_GROUPS)


@router.get("/costs/chart.svg")
def chart(visitor: SeesFleet, by: By = "stage") -> Response:
    found = fleet_costs.show(visitor.control, visitor.actor, costs.Fleet(by=by, chart=True))
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return Response(found["chart"], media_type="image/svg+xml", headers=headers)


@router.get("/reviews")
def all_reviews(visitor: SeesOperation, request: Request) -> Response:
    query = _asked(queries.Reviews, request)
    statuses = (query.status,) if query.status else ()
    found = reviews.page(visitor.control, visitor.actor, statuses, query.page_size, query.page_token)
    return page("reviews.html", visitor, found=found, open=tuple(s.value for s in BEFORE_MERGE))


def _asked(model: Any, request: Request) -> Any:
    """A form's empty fields are what was left out."""
    return model.model_validate({name: value for name, value in request.query_params.items() if value})


def _words(choices: dict[str, tuple[StrEnum, ...]]) -> dict[str, list[str]]:
    return {name: [word.value for word in words] for name, words in choices.items()}
