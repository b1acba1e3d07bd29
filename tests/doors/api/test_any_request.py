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

# It knows statuses only. `_assert_not_refused` takes its place: what the document allows is refused
# for nothing but what no schema can say.
_ACCEPTANCE = positive_data_acceptance
_BEYOND_A_SCHEMA = {
    "": "two fields that do not go together",
    "Idempotency-Key": "the key of another request",
    "acknowledge": "names of the launch checklist",
    "at": "a moment that has not come yet",
    "blueprint": "a name of the catalog, or none where it follows from the tenants",
    "cell": "a name of the settings",
    "confirm": "repeats a name of the path",
    "cron": "a grammar",
    "currency": "what prices are known in",
    "environment": "what stage it is decides",
    "events": "names of the event catalogue, with wildcards",
    "growth": "a grammar",
    "mix": "a grammar",
    "options": "names of the blueprint",
    "page_token": "opaque",
    "region": "a name of the catalog, or of a price book that was fetched",
    "selector": "a grammar",
    "since": "a time, or the number of an event",
    "size": "micro in production needs a recorded decision",
    "stage": "what a tenant is used for decides",
    "tenant": "empty, or a slug",
    "ttl_days": "only of a proof of concept",
    "url": "of a host that may be called",
    "zone": "a name of the time zones",
}
# Where what was said first decides what may be said beside it.
_TOGETHER = {
    "/v1/costs/budget": "an amount with more digits than are counted",
    "/v1/costs/estimate": "of a tenant, a blueprint or a description, each in words of its own",
    "/v1/waves": "the body is that of the kind of change",
}
_ALLOWED = {401, 403, 404, 409, 412, 428}
_SHORT, _LONG = 6, 70  # examples for each operation


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
        if case.meta.generation.mode.is_positive:
            _assert_not_refused(operation.path, answer)

    send()
    return sent


def _assert_not_refused(path: str, answer: Any) -> None:
    """What the document allows is refused only for what no schema says, and then by the field's name."""
    if answer.status_code < 400 or answer.status_code in _ALLOWED:
        return
    problem = answer.json()
    named = {error["field"].partition(".")[0] for error in problem["errors"]} or {""}
    assert answer.status_code == 422, problem
    assert path in _TOGETHER or named <= _BEYOND_A_SCHEMA.keys(), problem


def test_a_few_hundred_requests_meet_no_fault(target: Target) -> None:
    assert _run(target, _SHORT) > 150


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_thousands_of_requests_meet_no_fault(target: Target) -> None:
    assert _run(target, _LONG) > 5000
