"""A proof of concept that was made for a time: warned, warned again, and destroyed with a way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from controlplane.domain.errors import Invalid
from controlplane.services.explain import explain
from controlplane.services.particulars import Particulars
from controlplane.services.particulars import change as describe
from controlplane.services.schedules.lifetimes import sweep
from controlplane.services.tenants import history_of
from tests.operations.house import ADMIN, ASK, House
from tests.operations.ordinary import create, tenant

Run = Callable[[], None]
Later = Callable[..., list[str]]


@pytest.fixture
def later(house: House, run: Run) -> Later:
    """A tenant for three days; what a sweep does so much later."""
    create(house, ttl_days=3)
    run()
    now = house.control.now

    def sweep_later(**time: float) -> list[str]:
        return sweep(replace(house.control, now=lambda: now() + timedelta(**time)))

    return sweep_later


def warned(house: House) -> list[str]:
    told = history_of(house.control, ADMIN, "acme")
    return [line["after"]["left"] for line in told if line["what"] == "expiring"]


def test_it_is_warned_three_times_and_once_each(house: House, later: Later) -> None:
    assert later(hours=20) == []
    for time in (25, 26, 71, 71.2, 71.8, 71.9):
        later(hours=time)
    assert warned(house) == ["2 days", "2 hours", "30 minutes"]
    assert tenant(house)["phase"] == "ready"


def test_when_its_time_is_over_it_is_destroyed_and_can_come_back(
    house: House, run: Run, later: Later
) -> None:
    for time in (25, 71, 71.8):
        later(hours=time)
    [said] = later(hours=73)
    assert said.startswith("acme is destroyed by op-")
    run()
    assert (tenant(house)["phase"], house.cloud.databases()) == ("torn_down", [])
    assert "restorable until" in explain(house.control, ADMIN, "acme")["evidence"][0]
    assert later(hours=74) == []


def test_nobody_is_destroyed_unwarned_when_no_clock_ran_for_days(house: House, later: Later) -> None:
    assert later(days=9) == ["acme was warned: 30 minutes or less are left"]
    assert later(days=9, minutes=20) == []
    assert later(days=9, minutes=31)[0].startswith("acme is destroyed")


def test_an_end_that_is_put_off_is_warned_of_again(house: House, later: Later) -> None:
    later(hours=71.8)
    describe(house.control, ADMIN, "acme", Particulars(ttl_days=5), ASK)
    assert later(hours=73) == ["acme was warned: 2 days or less are left"]
    describe(house.control, ADMIN, "acme", Particulars(ttl_days=0), ASK)
    assert tenant(house)["expires_at"] is None
    assert later(days=30) == []


def test_production_has_no_end(house: House, later: Later) -> None:
    with pytest.raises(Invalid, match="only a proof of concept"):
        create(house, "beta", stage="production", size="small", ttl_days=3)
    with house.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tenant SET stage = 'production'")
    assert later(days=9) == []
