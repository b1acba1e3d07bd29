"""The OpenAPI document: complete, valid, and the one that is committed."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from jsonschema import Draft202012Validator, FormatChecker

import api
import controlplane
from api.app import ROUTERS, create_app
from api.permissions import OPEN, TABLE
from api.problems import CODES, status_of
from controlplane.domain.errors import ControlPlaneError, StepFailed
from tests.doors.premises import Premises

COMMITTED = Path(__file__).parents[3] / "api" / "openapi.json"


@pytest.fixture
def document(premises: Premises) -> dict[str, Any]:
    return create_app(premises.control).openapi()


def test_the_committed_document_is_what_the_program_says(document: dict[str, Any]) -> None:
    assert json.loads(COMMITTED.read_text()) == document, "run: python -m api.document"


def test_it_is_openapi_3_1_and_asks_for_a_token(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if TABLE[(method.upper(), path)] is not OPEN:
                assert operation["security"] == [{"token": []}], (method, path)
                assert {"401", "403", "404", "422", "429"} <= operation["responses"].keys(), (method, path)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names == set(document["components"]["schemas"])


def resolved(document: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in answer:
        return answer
    found: dict[str, Any] = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_every_problem_has_the_problem_s_media_type_and_its_codes(document: dict[str, Any]) -> None:
    for where, operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400 and not where.endswith("/readyz"):
                content = resolved(document, answer)["content"]
                assert list(content) == ["application/problem+json"], (where, status)
                assert content["application/problem+json"]["examples"], (where, status)


def test_every_code_of_a_problem_is_documented(document: dict[str, Any]) -> None:
    for package in (controlplane, api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(("__main__", ".env", ".bundled", ".resident")):
                importlib.import_module(module.name)
    raised = {error.code: status_of(error("x")) for error in errors_from(ControlPlaneError)}
    assert raised.items() <= CODES.items()
    answers = document["components"]["responses"].values()
    told = [code for answer in answers for code in answer["content"]["application/problem+json"]["examples"]]
    assert sorted(told) == sorted(CODES)


def errors_from(base: type[ControlPlaneError]) -> Iterator[type[ControlPlaneError]]:
    """But for the one that carries another's code."""
    yield base
    for error in base.__subclasses__():
        if error is not StepFailed:
            yield from errors_from(error)


# --- examples -----------------------------------------------------------------------------------------


def examples(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body that is sent or answered, with the schema that it stands beside."""
    for where, operation in operations(document):
        if "requestBody" in operation:
            yield from ((where, body) for body in operation["requestBody"]["content"].values())
        for answer in operation["responses"].values():
            for body in resolved(document, answer).get("content", {}).values():
                if body.get("schema"):
                    yield where, body


def test_every_body_has_an_example_that_its_own_schema_allows(document: dict[str, Any]) -> None:
    for where, body in examples(document):
        judge = Draft202012Validator(
            {**body["schema"], "components": document["components"]}, format_checker=FormatChecker()
        )
        told = [body["example"]] if "example" in body else [e["value"] for e in body["examples"].values()]
        assert told, where
        for example in told:
            assert [f"{where}: {error.message}" for error in judge.iter_errors(example)] == []


def test_what_an_example_sends_is_read_by_the_route(premises: Premises) -> None:
    app = create_app(premises.control)
    sent = {where: o["requestBody"] for where, o in operations(app.openapi()) if "requestBody" in o}
    read = 0
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    for route in (one for one in routes if one.body_field is not None and one.include_in_schema):
        for method in route.methods:
            content = sent[f"{method} {route.path}"]["content"]
            if "application/json" in content and route.body_field is not None:
                _, errors = route.body_field.validate(content["application/json"]["example"], {}, loc=())
                assert not errors, (method, route.path, errors)
                read += 1
    assert read > 30


def test_every_operation_is_summed_up(document: dict[str, Any]) -> None:
    every = [operation for _, operation in operations(document)]
    assert all(o.get("summary") for o in every)
    ids = [o["operationId"] for o in every]
    assert len(ids) == len(set(ids))


def test_the_written_table_of_permissions_is_the_one_that_holds() -> None:
    page = Path(__file__).parents[3] / "docs" / "api.md"
    lines = page.read_text(encoding="utf-8").splitlines()
    written = [n for n, line in enumerate(lines) if line.startswith("| ") and "`/" in line]
    said = [
        f"| {method} | `{path}` | {action.value if action else 'open'} |"
        for path, method, action in sorted((path, method, a) for (method, path), a in TABLE.items())
    ]
    if os.environ.get("UPDATE_DOCS"):
        lines[written[0] : written[-1] + 1] = said
        page.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return
    assert [lines[n] for n in written] == said, "run it with UPDATE_DOCS=1"
