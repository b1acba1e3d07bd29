"""Requests that nobody thought of, made from the document: no fault, and nothing that it does not say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from controlplane.services.schedules.jobs import JOBS
from controlplane.services.schedules.running import Clockwork
from tests.doors.care.neighbourhood import open_neighbourhood
from tests.doors.premises import FREE, PATIENCE, Server, open_premises
from tests.fakes.metrics import FakeQuotas
from tests.fakes.money import DearerPrices, WrittenBills

# A schema cannot say what a selector, a page token or a slug that is free looks like.
_ACCEPTANCE = positive_data_acceptance
_SHORT, _LONG = 6, 160  # examples for each operation


class Target:
    """One server for all requests of this module; its catalog holds a tenant in each of some phases."""

    server: Server
    token: str


@pytest.fixture(scope="module")
def target(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Whatever is asked of the outside is answered by fakes, so that no 503 is right."""
    premises = open_premises(template, tmp_path_factory.mktemp("any"))
    here, prices, bills = open_neighbourhood(premises), DearerPrices(), WrittenBills()
    premises.control = replace(
        here.control,
        quota_source=lambda: FakeQuotas({"rds_instances": (100, 7)}),
        price_source=lambda: prices,
        bill_source=lambda: bills,
        prices=premises.folder / "prices",
        states=premises.states,
    )
    Clockwork(premises.control, "a worker", JOBS).begin(alone=False)
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
    schema = schemathesis.openapi.from_dict(document)
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
