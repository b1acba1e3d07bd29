"""The console as an application of its own, beside the API and without knowing it."""

from __future__ import annotations

import http
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from api.console import actions, pages
from api.console.sessions import Sessions
from api.console.views import page
from api.console.visitors import SignedOut
from api.deps import House
from api.problems import request_id, status_of
from controlplane.domain.errors import ControlPlaneError
from controlplane.services.bodies import refused

ROUTERS = (pages.router, actions.router)


def create_console(house: House) -> FastAPI:
    """Shares the API's gate and catalog; its sessions end with this process."""
    routes = [route for router in ROUTERS for route in router.routes]
    app = FastAPI(routes=routes, openapi_url=None, docs_url=None, redoc_url=None)
    app.state.house = house
    app.state.sessions = Sessions()
    _install(app)
    return app


def _install(app: FastAPI) -> None:
    """Whatever fails is a page, with the next step on it."""

    @app.exception_handler(SignedOut)
    async def signed_out(request: Request, _: SignedOut) -> Response:
        place = request.url.path if request.method == "GET" else ""
        return RedirectResponse(f"/console/login?next={quote(place, safe='/')}", 303)

    @app.exception_handler(ControlPlaneError)
    async def ours(request: Request, error: ControlPlaneError) -> Response:
        status = status_of(error)
        if status == http.HTTPStatus.UNAUTHORIZED:  # the token behind the session counts no more
            return RedirectResponse("/console/login", 303)
        return _problem(request, status, error.message, error.hint, error.errors)

    @app.exception_handler(RequestValidationError)
    @app.exception_handler(ValidationError)
    async def invalid(request: Request, error: Any) -> Response:
        found = refused(error.errors())
        return _problem(request, status_of(found), found.message, found.hint, found.errors)

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        return _problem(request, error.status_code, str(error.detail))

    @app.exception_handler(Exception)
    async def broken(request: Request, _: Exception) -> Response:
        """The outermost layer logs it; here a person is told."""
        return _problem(request, 500, "something of ours broke; the log has the story under this request id")


def _problem(request: Request, status: int, detail: str, hint: str = "", errors: Any = ()) -> Response:
    title = http.HTTPStatus(status).phrase
    known = {"title": title, "detail": detail, "hint": hint, "errors": errors, "status": status}
    return page("problem.html", None, status, **known, request_id=request_id(request))
