"""While a tenant soaks somebody looks whether its rows still come back, and ends it before a disk is full."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from controlplane.domain.errors import Refused
from controlplane.domain.operation import Kind
from controlplane.operations import Finalize, Resize, Rollback, Suspend
from controlplane.services.schedules import soaking
from controlplane.steps import world
from controlplane.store import history
from controlplane.store.webhooks.rows import OutboxEvent
from tests.operations.house import ADMIN, House
from tests.operations.ordinary import application, change, done, shown, tenant
from tests.operations.test_upgrade_replicated import left_over, replicated
from tests.operations.upgrading import TABLE, login_at, picture, rows

Run = Callable[[], None]
LIMIT = 4 * 2**30  # a fifth of its 20 GB


@pytest.fixture
def soaking_tenant(poc: House, run: Run) -> House:
    replicated(poc, run)
    return poc


def look(house: House) -> list[str]:
    return soaking.watch(house.control, ADMIN)


def falls_behind(house: House, kept: int) -> None:
    house.database.change_server(login_at(house, 1, "master"), lag=kept)


def told(house: House) -> list[str]:
    with house.db.read() as session:
        types = session.scalars(select(OutboxEvent.type)).all()
        events = [one for one in types if "way_back" in one]
        lines = [e.what for e in history.page(session, tenant(house)["uid"]) if "way_back" in e.what]
    assert [f"tenant.{line}" for line in lines] == events
    return events


def later(hours: int) -> None:
    here = world.world()
    then = here.now() + timedelta(hours=hours)
    world.install(replace(here, now=lambda: then))


def went_back(house: House, run: Run, **body: Any) -> dict[str, Any]:
    back = change(house, Kind.ROLLBACK, Rollback(**body))
    run()
    return shown(house, back)


def test_a_slot_that_is_read_is_shown_with_its_bytes(soaking_tenant: House) -> None:
    assert picture(soaking_tenant)["way_back"]["level"] is None, "nobody looked yet"
    assert look(soaking_tenant) == []
    seen = picture(soaking_tenant)["way_back"]
    assert (seen["armed"], seen["level"], seen["retained_bytes"], seen["limit_bytes"]) == (
        *(True, "well"),
        *(0, LIMIT),
    )
    assert told(soaking_tenant) == []


def test_one_that_falls_behind_is_told_once_an_hour_and_kept(soaking_tenant: House) -> None:
    falls_behind(soaking_tenant, LIMIT)
    assert "beyond" in look(soaking_tenant)[0]
    look(soaking_tenant)
    assert told(soaking_tenant) == ["tenant.way_back_at_risk"]
    later(hours=1)
    look(soaking_tenant)
    assert told(soaking_tenant) == ["tenant.way_back_at_risk"] * 2
    seen = picture(soaking_tenant)
    assert (seen["way_back"]["level"], seen["way_back"]["gone_since"]) == ("behind", None)
    assert seen["rollback_loses"].startswith("nothing")
    assert "its way back: the slot keeps" in seen["evidence"]


def test_what_cannot_be_looked_at_is_unknown_and_not_zero(soaking_tenant: House) -> None:
    look(soaking_tenant)
    soaking_tenant.database.world.inject("slot", "unavailable", times=2)
    assert "cannot be looked at" in look(soaking_tenant)[0]
    look(soaking_tenant)
    seen = picture(soaking_tenant)["way_back"]
    assert (seen["level"], seen["retained_bytes"], seen["active"], seen["armed"]) == (
        *("unknown", None),
        *(None, True),
    )
    assert told(soaking_tenant) == ["tenant.way_back_at_risk"]
    look(soaking_tenant)
    assert picture(soaking_tenant)["way_back"]["level"] == "well"


def test_beyond_the_limit_it_is_dropped_and_a_way_back_says_what_it_loses(
    soaking_tenant: House, run: Run
) -> None:
    look(soaking_tenant)
    look(soaking_tenant)
    arrived = picture(soaking_tenant)["way_back"]["arrived_until"]
    assert arrived is not None
    falls_behind(soaking_tenant, LIMIT + 1)
    assert "rows come back no more" in look(soaking_tenant)[0]
    assert left_over(soaking_tenant, 1) == left_over(soaking_tenant, 2) == {}
    assert told(soaking_tenant) == ["tenant.way_back_lost"]
    seen = picture(soaking_tenant)
    assert (seen["way_back"]["armed"], seen["way_back"]["slot_dropped"]) == (False, True)
    assert f"everything written since {arrived}" in seen["rollback_loses"]
    assert seen["way_back"]["gone_since"] in seen["rollback_loses"]
    soaking_tenant.database.write(application(soaking_tenant), TABLE, "three")
    with pytest.raises(Refused, match=arrived[:19]):
        change(soaking_tenant, Kind.ROLLBACK, Rollback())
    assert went_back(soaking_tenant, run, accept_loss=True)["status"] == "succeeded"
    assert (tenant(soaking_tenant)["epoch"], rows(soaking_tenant)) == (1, ["one", "two"])
    assert picture(soaking_tenant)["loss"]["since"] == arrived
    assert look(soaking_tenant) == [], "who is back is not looked at"


def test_a_larger_database_may_keep_more(soaking_tenant: House, run: Run) -> None:
    grown = change(soaking_tenant, Kind.RESIZE, Resize(storage_gb=40))
    run()
    done(soaking_tenant, grown)
    falls_behind(soaking_tenant, LIMIT + 1)
    look(soaking_tenant)
    seen = picture(soaking_tenant)["way_back"]
    assert (seen["level"], seen["limit_bytes"]) == ("behind", 2 * LIMIT)


@pytest.mark.parametrize("how", ["dropped by somebody", "thrown away"])
def test_a_way_back_that_somebody_else_ended_is_not_promised_any_more(
    soaking_tenant: House, how: str
) -> None:
    new = login_at(soaking_tenant, 2, "master")
    fact = {"slots": {}} if how.startswith("dropped") else {"lost": ["controlplane_e2_e1"]}
    soaking_tenant.database.change_server(new, **fact)
    look(soaking_tenant)
    assert told(soaking_tenant) == ["tenant.way_back_lost"]
    assert left_over(soaking_tenant, 2) == {}
    with pytest.raises(Refused, match="gives up"):
        change(soaking_tenant, Kind.ROLLBACK, Rollback())


def test_an_old_database_that_does_not_answer_keeps_the_new_ones_disk_from_nothing(
    soaking_tenant: House, run: Run
) -> None:
    old = login_at(soaking_tenant, 1, "master")
    soaking_tenant.database.change_server(old, up=False, lag=LIMIT + 1)
    look(soaking_tenant)
    assert left_over(soaking_tenant, 2) == {}
    soaking_tenant.database.change_server(old, up=True)
    assert went_back(soaking_tenant, run, accept_loss=True)["status"] == "succeeded"
    assert left_over(soaking_tenant, 1) == {}, "what could not be ended then is ended now"


def test_a_slot_that_could_not_be_dropped_is_dropped_by_the_next_look(soaking_tenant: House) -> None:
    """As a watch that is killed between its two steps leaves it: told of, and still there."""
    falls_behind(soaking_tenant, LIMIT + 1)
    soaking_tenant.database.world.inject("unsubscribe", "unavailable", times=2)
    assert "could not be dropped yet" in look(soaking_tenant)[0]
    assert picture(soaking_tenant)["way_back"]["slot_dropped"] is False
    assert left_over(soaking_tenant, 2) != {}
    look(soaking_tenant)
    assert left_over(soaking_tenant, 2) == {}
    assert picture(soaking_tenant)["way_back"]["slot_dropped"] is True
    assert look(soaking_tenant) == []
    assert told(soaking_tenant) == ["tenant.way_back_lost"]


def test_finalizing_goes_on_where_the_way_back_is_gone(soaking_tenant: House, run: Run) -> None:
    falls_behind(soaking_tenant, LIMIT + 1)
    soaking_tenant.database.world.inject("unsubscribe", "unavailable", times=2)
    look(soaking_tenant)
    ended = change(soaking_tenant, Kind.FINALIZE, Finalize(override=True))
    run()
    done(soaking_tenant, ended)
    assert left_over(soaking_tenant, 2) == {}


def test_who_sleeps_writes_nothing_and_is_not_looked_at(soaking_tenant: House, run: Run) -> None:
    slept = change(soaking_tenant, Kind.SUSPEND, Suspend())
    run()
    done(soaking_tenant, slept)
    soaking_tenant.database.world.inject("slot", "unavailable")
    assert look(soaking_tenant) == []


def test_a_rollback_that_began_keeps_its_slot(soaking_tenant: House) -> None:
    """Of a watch and a way back only one moves it: the watch looked before, and decides behind it."""
    falls_behind(soaking_tenant, LIMIT + 1)
    here = world.world()

    def begun() -> Any:
        with soaking_tenant.db.write() as session:
            session.connection().exec_driver_sql("UPDATE migration SET flip = 'returning'")
        world.install(here)
        return here.now()

    world.install(replace(here, now=begun))
    assert "being taken back" in look(soaking_tenant)[0]
    assert left_over(soaking_tenant, 2) != {}
    assert told(soaking_tenant) == []
    assert picture(soaking_tenant)["way_back"]["armed"] is True
