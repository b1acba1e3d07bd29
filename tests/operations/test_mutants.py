"""Is the proof blind? Moves that do one thing wrongly lose a write under its writers, or are refused."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.domain.operation import Kind
from controlplane.operations import Rollback
from tests.fakes.rds import wait_until
from tests.fakes.writers import Writers
from tests.operations.mutants import LOSING, REFUSED
from tests.operations.ordinary import change, done, shown, tenant
from tests.operations.proving import (
    Premises,
    assert_whole,
    cluster_folder,
    premises,
    replicating_clusters,
    route,
    two,
)
from tests.operations.upgrading import upgrade

__all__ = ["cluster_folder", "premises", "replicating_clusters", "two"]
pytestmark = pytest.mark.postgres
SHORT = {"no fence", "no drain, compared"}


def each(names: Any) -> list[Any]:
    return [pytest.param(name, marks=() if name in SHORT else pytest.mark.long) for name in names]


@pytest.mark.parametrize("mutant", each(LOSING))
def test_a_move_that_does_it_wrongly_is_seen_by_the_writers(premises: Premises, mutant: str) -> None:
    house = premises.house()
    with Writers(route(house), count=2) as writers:
        writers.wait_for(50)
        operation = upgrade(house, strategy="logical_replication")
        assert premises.work(mutant=mutant) == 0
        done(house, operation)
        before = len(writers.acknowledged) + 20
        wait_until(lambda: writers.collided > 0 or len(writers.acknowledged) > before, "somebody to write on")
        collided, acknowledged = writers.collided, writers.stop()
    held = premises.holds(2)
    assert held.lost(acknowledged) or held.torn() or held.doubled() or collided
    house.db.close()


@pytest.mark.parametrize("mutant", each(REFUSED))
def test_what_is_compared_is_never_switched_to_with_a_row_missing(premises: Premises, mutant: str) -> None:
    house = premises.house()
    with Writers(route(house), count=2) as writers:
        writers.wait_for(50)
        operation = upgrade(house, strategy="logical_replication")
        assert premises.work(mutant=mutant) == 0
        seen = shown(house, operation)
        assert "the new database is not the old one" in str(seen.get("error") or seen["metadata"])
        writers.wait_for(50)
        acknowledged = writers.stop()
    assert tenant(house)["epoch"] == 1
    assert_whole(premises.holds(1), acknowledged)
    house.db.close()


@pytest.mark.long
def test_a_way_back_that_nothing_was_sent_on_is_not_taken(premises: Premises) -> None:
    house = premises.house()
    with Writers(route(house), count=2) as writers:
        writers.wait_for(50)
        operation = upgrade(house, strategy="logical_replication")
        assert premises.work(mutant="open before reverse") == 0
        done(house, operation)
        writers.wait_for(50)
        back = change(house, Kind.ROLLBACK, Rollback())
        assert premises.work() == 0
        assert shown(house, back)["status"] != "succeeded"
        writers.wait_for(50)
        acknowledged = writers.stop()
    assert tenant(house)["epoch"] == 2
    assert_whole(premises.holds(2), acknowledged)
    house.db.close()
