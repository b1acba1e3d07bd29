"""Errors as RFC 9457 problems: one table from the kind of an error to a status, and one shape for all."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from controlplane.domain.errors import ControlPlaneError, ErrorKind
from controlplane.services.bodies import refused

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:controlplane:problem:"
_BY_KIND: Mapping[ErrorKind, int] = {
    ErrorKind.INVALID: 422,
    ErrorKind.DENIED: 403,
    ErrorKind.UNAUTHENTICATED: 401,
    ErrorKind.MISSING: 404,
    ErrorKind.CONFLICT: 409,
    ErrorKind.STALE: 412,
    ErrorKind.REFUSED: 409,
    ErrorKind.THROTTLED: 429,
    ErrorKind.UNAVAILABLE: 503,
    ErrorKind.BROKEN: 500,
}
_BY_CODE: Mapping[str, int] = {"locked": 423, "precondition_required": 428, "too_large": 413}
_CODES: Mapping[int, str] = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
}
# Every code that a problem may carry, with its status: a test holds it to the errors that there are.
CODES: Mapping[str, int] = {
    **{code: status for status, code in _CODES.items()},
    "unauthenticated": 401,
    "denied": 403,
    "conflict": 409,
    "already_exists": 409,
    "already_issued": 409,
    "illegal_transition": 409,
    "refused": 409,
    "policy_refused": 409,
    "unknown_value": 409,
    "stale": 412,
    "invalid": 422,
    "locked": 423,
    "precondition_required": 428,
    "throttled": 429,
    "internal": 500,
    "http_error": 500,
    "broken": 500,
    "catalog_corrupt": 500,
    "catalog_outdated": 500,
    "catalog_too_new": 500,
    "git_failed": 500,
    "host_refused": 500,
    "key_missing": 500,
    "terraform_failed": 500,
    "unavailable": 503,
}
_log = logging.getLogger(__name__)


def status_of(error: ControlPlaneError) -> int:
    return _BY_CODE.get(error.code, _BY_KIND[error.kind])


def of_error(error: ControlPlaneError, instance: str, request_id: str) -> JSONResponse:
    status = status_of(error)
    headers = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers["Retry-After"] = str(error.details.get("retry_after", 1))
    content = {
        **_shape(status, error.code, error.message, instance, request_id),
        "hint": error.hint,
        "errors": [{"field": e.field, "message": e.message} for e in error.errors],
        "retryable": error.retryable or status in (429, 503),
        "details": error.details,
    }
    return JSONResponse(content, status, headers, MEDIA_TYPE)


def of_status(status: int, detail: str, instance: str, request_id: str) -> JSONResponse:
    """What the framework refuses before any of our code is reached."""
    code = _CODES.get(status, "http_error")
    content = {
        **_shape(status, code, detail, instance, request_id),
        "hint": "",
        "errors": [],
        "retryable": False,
        "details": {},
    }
    return JSONResponse(content, status, media_type=MEDIA_TYPE)


def _shape(status: int, code: str, detail: str, instance: str, request_id: str) -> dict[str, Any]:
    return {
        "type": TYPE + code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": instance,
        "code": code,
        "request_id": request_id,
    }


def install(app: FastAPI) -> None:
    """Every way in which a request can fail answers a problem."""

    @app.exception_handler(ControlPlaneError)
    async def ours(request: Request, error: ControlPlaneError) -> JSONResponse:
        return of_error(error, request.url.path, request_id(request))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return of_error(refused(error.errors()), request.url.path, request_id(request))

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> JSONResponse:
        answer = of_status(error.status_code, str(error.detail), request.url.path, request_id(request))
        for name, value in (error.headers or {}).items():
            answer.headers[name] = value
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            answer.headers["Allow"] = ", ".join(_allowed(request))
        return answer


def _allowed(request: Request) -> list[str]:
    """Every method of this path: the framework names those of the first route only."""
    methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "LOCK", "UNLOCK"}
    routes = request.app.routes
    found = {m for m in methods for r in routes if r.matches({**request.scope, "method": m})[0] is Match.FULL}
    return sorted(found)


def request_id(request: Request) -> str:
    return str(request.scope.get("request_id", ""))
