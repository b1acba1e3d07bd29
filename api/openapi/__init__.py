"""The OpenAPI document: what the framework says of the routes, with problems, examples and the way in."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import models
from api.answers import MEANINGS
from api.openapi import words
from api.openapi.examples import SENT, TEXTS, Teller
from api.problems import CODES, MEDIA_TYPE, TYPE
from controlplane.catalog import load

Json = dict[str, Any]


def document(app: FastAPI) -> Json:
    """OpenAPI 3.1, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _document(app)
    return app.openapi_schema


def _document(app: FastAPI) -> Json:
    found = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        separate_input_output_schemas=False,
    )
    components = found["components"]
    schemas = components["schemas"]
    problem = models.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {})
    schemas["Problem"] = problem
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    words.tell(found, load())
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    components["responses"] = {f"Problem{status}": _problem(status) for status in MEANINGS}
    teller = Teller(schemas, {**SENT, "Problem": problem["example"]})
    for path, operation in _operations(found):
        if path.startswith("/v1/"):
            operation["security"] = [{"token": []}]
        _tell(path, operation, teller)
    return found


def _operations(found: Json) -> Iterator[tuple[str, Json]]:
    for path, methods in found["paths"].items():
        for operation in methods.values():
            yield path, operation


def _tell(path: str, operation: Json, teller: Teller) -> None:
    """An example of what is sent and of what is answered; problems are described once for all."""
    for body in operation.get("requestBody", {}).get("content", {}).values():
        body["example"] = teller.sent(body["schema"])
    answers = operation["responses"]
    for status, answer in answers.items():
        if MEDIA_TYPE in answer.get("content", {}):
            answers[status] = {"$ref": f"#/components/responses/Problem{status}"}
            continue
        for kind, body in answer.get("content", {}).items():
            if kind == "application/json" and body.get("schema"):
                body["example"] = teller.answered(body["schema"])
            elif kind.startswith("text/"):
                body["example"] = TEXTS[path]


def _problem(status: int) -> Json:
    """With every code that comes with this status."""
    codes = [code for code, of in CODES.items() if of == status]
    examples = {code: {"value": _told(status, code)} for code in codes}
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
    return {"description": MEANINGS[status], "content": {MEDIA_TYPE: content}}


def _told(status: int, code: str) -> Json:
    return {
        "type": TYPE + code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": MEANINGS[status],
        "instance": "/v1/tenants/acme",
        "code": code,
        "request_id": "req-1m7w8khsd95yez71",
        "errors": [{"field": "size", "message": "what is wrong with it"}] if status == 422 else [],
        "retryable": status in (429, 503),
        "hint": "",
        "details": {"retry_after": 1} if status == 429 else {},
    }
