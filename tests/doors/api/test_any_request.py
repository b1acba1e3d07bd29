"""Requests that nobody thought of, made from the document: no fault, and nothing that it does not say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.doors.premises import FREE, PATIENCE, Server, open_premises

# A schema cannot say what a selector, a page token or a slug that is free looks like.
_ACCEPTANCE = positive_data_acceptance
# They ask prices, bills and metrics of the outside, which this server does not have: 503 is the right answer.
_OUTSIDE = [
    "/v1/costs/prices/refresh",
    "/v1/costs/actuals/refresh",
    "/v1/recommendations/scans",
    "/v1/drift/scans",
    "/v1/quotas/refresh",
    "/v1/tenants/{slug}/metrics",
    "/v1/catalog/orphans",
    "/v1/catalog/unmanaged",
]
_SHORT, _LONG = 6, 160  # examples for each of some forty operations


class Target:
    """One server for all requests of this module; its catalog holds a tenant in each of some phases."""

    server: Server
    token: str


@pytest.fixture(scope="module")
def target(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    premises = open_premises(template, tmp_path_factory.mktemp("any"))
    found = Target()
    found.token = premises.token()
    premises.finish(premises.tenant("acme"))
    premises.await_approval(premises.tenant("waits"))
    found.server = premises.serve(FREE, doctor=lambda: {"items": [], "next_page_token": None, "good": True})
    yield found
    premises.close()


def _run(target: Target, examples: int) -> int:
    """Send that many to each operation; how many were sent."""
    document = httpx.get(f"{target.server.url}/openapi.json", timeout=PATIENCE).json()
    schema = schemathesis.openapi.from_dict(document).exclude(path=_OUTSIDE)
    return sum(_try(found.ok(), target, examples) for found in schema.get_all_operations())


def _try(operation: Any, target: Target, examples: int) -> int:
    sent = 0
    headers = {"Authorization": f"Bearer {target.token}"}

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        nonlocal sent
        sent += 1
        answer = case.call(base_url=target.server.url, headers=headers, timeout=PATIENCE)
        case.validate_response(answer, headers=headers, excluded_checks=[_ACCEPTANCE])

    send()
    return sent


def test_a_few_hundred_requests_meet_no_fault(target: Target) -> None:
    assert _run(target, _SHORT) > 150


@pytest.mark.long
def test_thousands_of_requests_meet_no_fault(target: Target) -> None:
    assert _run(target, _LONG) > 5000
