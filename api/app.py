"""The HTTP door: routers, problems, limits and the OpenAPI document in one application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from api import problems
from api.auth import Gate
from api.console.app import create_console
from api.deps import House
from api.edge import PAGES, Edge
from api.events import Hub
from api.limits import Limits
from api.measure import Measures
from api.openapi import document
from api.rest import (
    access,
    blueprints,
    care,
    costs,
    fleet,
    health,
    hooks,
    migrations,
    operations,
    reviews,
    templates,
    tenants,
    waves,
    webhooks,
    workspaces,
)
from controlplane.domain.tracing import SILENCE, Tracer
from controlplane.services import about, log
from controlplane.services.access import Identities
from controlplane.services.control import Control
from controlplane.services.quick import open_quick
from controlplane.services.workspaces.states import Desk

_DESCRIPTION = """\
A PostgreSQL of its own for every tenant, on AWS, through Terraform.

A change answers `202` with a long operation (AIP-151); follow it under `/v1/operations/{id}`. Errors are
problems (RFC 9457). `Idempotency-Key` makes a POST safe to repeat."""
_GZIP_FROM_BYTES = 1024
ROUTERS = tuple(
    p.router
    for p in (
        tenants,
        migrations,
        operations,
        blueprints,
        templates,
        access,
        fleet,
        costs,
        care,
        waves,
        reviews,
        hooks,
        webhooks,
        workspaces,
        health,
    )
)


def create_app(
    control: Control,
    *,
    desk: Desk | None = None,
    doctor: Callable[[], dict[str, Any]] | None = None,
    limits: Limits | None = None,
    tracer: Tracer = SILENCE,
    identities: Sequence[Identities] = (),
) -> FastAPI:
    """`desk`: serve Terraform's http backend from it. `doctor`: what /v1/doctor answers. `identities`: who
    says who somebody is, beside our own tokens."""
    limits = limits or Limits()
    measures = Measures()
    app = FastAPI(
        # As they are: `include_router` would build every one of them anew, with its first request.
        routes=[route for router in ROUTERS for route in router.routes],
        title="controlplane",
        version=about.version()["version"],
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
        middleware=[
            Middleware(Edge, limits=limits, measures=measures, tracer=tracer),
            Middleware(GZipMiddleware, minimum_size=_GZIP_FROM_BYTES),
        ],
    )
    app.state.house = House(
        control=control,
        desk=desk,
        doctor=doctor,
        gate=Gate(control, limits, identities),
        hub=Hub(partial(log.news, control)),
        measures=measures,
        limits=limits,
        quick=open_quick(f"sqlite:///{control.db.file}") if control.db.file else None,
    )
    problems.install(app)
    app.mount(PAGES, create_console(app.state.house))
    app.openapi = partial(document, app)  # type: ignore[method-assign]
    return app
