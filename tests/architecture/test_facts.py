"""Facts that have to grow together: sizes with prices, operations with doors."""

from __future__ import annotations

import json

import pytest
import typer

from controlplane.catalog import load
from controlplane.catalog.pricebook import load_book
from controlplane.catalog.prices.model import load_model
from controlplane.domain.cost.tenant import TenantShape, estimate_tenant
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Size, Stage
from controlplane.operations import OperationType, offered
from controlplane.settings import Settings
from controlplane.terminal.app import app
from tests.architecture.checkout import ROOT

OFFERED = [pytest.param(of, id=of.kind.value) for of in offered()]
# A platform is changed through its blueprint.
_ELSEWHERE = {
    Kind.CREATE: ("/v1/tenants", "tenant create"),
    Kind.PLATFORM: ("/v1/blueprints/{name}/apply", "blueprint apply"),
    Kind.FINALIZE: ("/v1/tenants/{slug}/migration/finalize", "migration finalize"),
    Kind.ROLLBACK: ("/v1/tenants/{slug}/migration/rollback", "migration rollback"),
    Kind.ROLLOUT: ("/v1/templates/rollout", "template rollout"),
}


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("size", Size)
def test_every_size_has_a_price_in_the_default_region(size: Size, stage: Stage) -> None:
    shape = TenantShape(size=size.value, stage=stage.value)
    total = estimate_tenant(load_model(), load_book().rates(Settings().region), shape).total
    assert total is not None and total > 0


def test_every_step_of_the_ladder_has_a_class_of_its_own() -> None:
    sizes = load().sizes
    assert set(sizes) == set(Size)
    assert len({size.instance_class for size in sizes.values()}) == len(Size)


def test_a_bigger_size_costs_more() -> None:
    rates = load_book().rates(Settings().region)
    totals = [estimate_tenant(load_model(), rates, TenantShape(size=s.value)).total or 0 for s in Size]
    assert totals == sorted(totals) and len(set(totals)) == len(totals)


@pytest.mark.parametrize("of", OFFERED)
def test_every_operation_is_offered_by_every_door(of: OperationType) -> None:
    path, words = _ELSEWHERE.get(of.kind, (f"/v1/tenants/{{slug}}/{of.kind}", f"tenant {of.kind}"))
    document = json.loads((ROOT / "api/openapi.json").read_text())
    assert "post" in document["paths"][path]
    group, verb = words.split()
    found = typer.main.get_command(app).commands[group].get_command(None, verb)  # type: ignore[attr-defined]
    assert found is not None and found.help


@pytest.mark.parametrize("of", OFFERED)
def test_every_operation_says_what_it_does_and_refuses_what_it_does_not_know(of: OperationType) -> None:
    assert of.summary
    assert of.request.model_config.get("extra") == "forbid"
