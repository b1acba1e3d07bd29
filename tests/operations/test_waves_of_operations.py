"""Bulk changes: canaries first, waves, a threshold that ends them, and a single tenant that goes first."""

from __future__ import annotations

from decimal import Decimal

import pytest

from controlplane.domain.errors import Conflict, Invalid
from controlplane.domain.operation import Kind
from controlplane.operations import Create, Destroy
from controlplane.services import operations as asking
from controlplane.services import tenants, waves
from controlplane.services.waves import Bulk
from controlplane.worker.loop import Worker
from tests.operations.house import ADMIN, ASK, House


@pytest.fixture
def fleet(house: House, worker: Worker) -> list[str]:
    slugs = [f"shop-{n}" for n in range(5)]
    for slug in slugs:
        tenants.create(house.control, ADMIN, Create(slug=slug, labels={"line": "shops"}), ASK)
    worker.run(until_idle=True)
    return slugs


def bulk(**changes: object) -> Bulk:
    return Bulk(**{"kind": Kind.DESTROY, "selector": "line=shops", "body": {}, "size": 2, **changes})  # type: ignore[arg-type]


def run(house: House, worker: Worker, looks: int = 12) -> None:
    for _ in range(looks):
        waves.advance(house.control)
        worker.run(until_idle=True)


def statuses(house: House, wave: str) -> list[str]:
    return [item["status"] for item in waves.show(house.control, ADMIN, wave)["items"]]


def test_a_wave_goes_through_all_and_ends_done(house: House, worker: Worker, fleet: list[str]) -> None:
    wave = waves.start(house.control, ADMIN, bulk(canary=1), ASK)["id"]
    run(house, worker)
    assert statuses(house, wave) == ["succeeded"] * 5
    assert waves.show(house.control, ADMIN, wave)["status"] == "done"


def test_the_canary_goes_alone(house: House, worker: Worker, fleet: list[str]) -> None:
    wave = waves.start(house.control, ADMIN, bulk(canary=1), ASK)["id"]
    waves.advance(house.control)
    assert statuses(house, wave) == ["pending", "waiting", "waiting", "waiting", "waiting"]


def test_a_failed_canary_stops_the_rest(house: House, worker: Worker, fleet: list[str]) -> None:
    house.terraform.fail_next_apply("InvalidParameterValue: broken")
    wave = waves.start(house.control, ADMIN, bulk(canary=1), ASK)["id"]
    run(house, worker)
    assert waves.show(house.control, ADMIN, wave)["status"] == "aborted"
    assert statuses(house, wave)[1:] == ["waiting"] * 4


def test_too_many_failures_end_the_wave(house: House, worker: Worker, fleet: list[str]) -> None:
    for _ in range(2):
        house.terraform.fail_next_apply("InvalidParameterValue: broken")
    wave = waves.start(house.control, ADMIN, bulk(abort_after_percent=Decimal(20)), ASK)["id"]
    run(house, worker)
    seen = waves.show(house.control, ADMIN, wave)
    assert (seen["status"], seen["counts"]["waiting"]) == ("aborted", 3)
    assert "2 of 5 failed" in seen["note"]


def test_a_paused_wave_starts_nothing(house: House, worker: Worker, fleet: list[str]) -> None:
    wave = waves.start(house.control, ADMIN, bulk(), ASK)["id"]
    waves.steer(house.control, ADMIN, wave, "pause")
    run(house, worker, looks=2)
    assert statuses(house, wave) == ["waiting"] * 5
    waves.steer(house.control, ADMIN, wave, "continue")
    run(house, worker)
    assert statuses(house, wave) == ["succeeded"] * 5
    with pytest.raises(Conflict):
        waves.steer(house.control, ADMIN, wave, "pause")


def test_a_tenant_that_is_held_is_refused_by_name(house: House, worker: Worker, fleet: list[str]) -> None:
    wave = waves.start(house.control, ADMIN, bulk(size=5), ASK)["id"]
    held = tenants.change(house.control, ADMIN, Kind.DESTROY, "shop-3", Destroy(confirm="shop-3"), ASK)
    run(house, worker)
    item = waves.show(house.control, ADMIN, wave)["items"][3]
    assert item["status"] == "refused"
    assert held["id"] in item["detail"]


@pytest.mark.parametrize(
    ("change", "words"),
    [({"selector": ""}, "selector"), ({"size": 0}, "at a time"), ({"selector": "line=none"}, "no tenant")],
)
def test_a_wave_that_makes_no_sense_is_refused(house: House, change: dict[str, object], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        waves.start(house.control, ADMIN, bulk(**change), ASK)


def test_one_tenant_goes_before_a_crowd(house: House, worker: Worker, fleet: list[str]) -> None:
    waves.start(house.control, ADMIN, bulk(size=5), ASK)
    waves.advance(house.control)
    single = tenants.create(house.control, ADMIN, Create(slug="single"), ASK)["id"]
    assert asking.show(house.control, ADMIN, single)["metadata"]["queue_position"] == 1
    worker.capacity = 1
    assert worker.dispatch() == 1
    assert asking.show(house.control, ADMIN, single)["status"] != "pending"
