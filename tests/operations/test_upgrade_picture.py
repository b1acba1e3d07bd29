"""What people are told of an upgrade: its outage before it, its fence, whose things are whose."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from controlplane.domain.operation import Kind
from controlplane.operations import Rollback
from controlplane.services.control import Ask
from tests.operations.house import House
from tests.operations.ordinary import application, change, done, shown, tenant
from tests.operations.upgrading import TABLE, picture, upgrade

Run = Callable[[], None]
WAIT = Ask(reason="a test")


@pytest.mark.parametrize(("minutes", "words"), [(30, "300 s to 1800 s of outage"), (1, "60 s to 60 s")])
def test_the_forecast_says_how_long_the_fence_may_stand(
    poc: House, run: Run, minutes: int, words: str
) -> None:
    operation = upgrade(poc, ask=WAIT, outage_minutes=minutes)
    run()
    assert words in shown(poc, operation)["plan"]["forecast"]["outage"]


def test_after_an_upgrade_the_database_that_was_left_is_shown_closed(poc: House, run: Run) -> None:
    upgrade(poc)
    run()
    seen = picture(poc)["fence"]
    assert (seen["closed"], seen["lapses_at"]) == ("e1", None)
    assert "e1 is closed, and stays so" in picture(poc)["evidence"]


def test_after_a_rollback_no_fence_is_shown(poc: House, run: Run) -> None:
    upgrade(poc)
    run()
    back = change(poc, Kind.ROLLBACK, Rollback(accept_loss=True))
    run()
    done(poc, back)
    assert picture(poc)["fence"] == {"closed": None, "since": None, "lapses_at": None, "seconds_left": None}


def test_a_way_back_that_fails_leaves_the_first_fence_as_it_was(poc: House, run: Run) -> None:
    upgrade(poc)
    run()
    poc.database.write(application(poc), TABLE, "three")
    poc.database.world.inject("fingerprint", "denied", times=9)
    back = change(poc, Kind.ROLLBACK, Rollback(accept_loss=True))
    run()
    done(poc, back, "failed")
    seen = picture(poc)
    since = next(s["at"] for s in seen["states"] if s["state"] == "fenced")
    assert (seen["fence"]["closed"], seen["fence"]["since"]) == ("e1", since)
    assert poc.database.probe(application(poc)).reachable


def test_each_databases_secrets_carry_its_own_stage(poc: House, run: Run) -> None:
    upgrade(poc)
    run()
    with poc.cloud.world.open() as state:
        home = f"controlplane/acme-{tenant(poc)['uid']}"
        tags = {epoch: state["secrets"][f"{home}/e{epoch}/app_a"]["tags"] for epoch in (1, 2)}
    assert {epoch: (t["stage"], t["cost-tier"]) for epoch, t in tags.items()} == {
        1: ("poc", "poc-micro"),
        2: ("production", "production-small"),
    }
