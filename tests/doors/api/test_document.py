"""The OpenAPI document: complete, valid, and the one that is committed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from api.permissions import OPEN, TABLE
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


def test_every_problem_has_the_problem_s_media_type(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], (method, path, status)


def test_every_operation_is_summed_up(document: dict[str, Any]) -> None:
    operations = [o for methods in document["paths"].values() for o in methods.values()]
    assert all(o.get("summary") for o in operations)
    ids = [o["operationId"] for o in operations]
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
