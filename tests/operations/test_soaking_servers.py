"""The watch over a soaking tenant on two real servers: the old one dies, the slot is given up.

What the new database says afterwards of its own slots is what would have filled its disk.
"""

from __future__ import annotations

import pytest

from controlplane.services.schedules import soaking
from controlplane.store import slots
from tests.fakes.rds import wait_until
from tests.fakes.writers import Writers
from tests.operations.house import ADMIN, House
from tests.operations.ordinary import done, tenant
from tests.operations.proving import (
    Premises,
    assert_whole,
    cluster_folder,
    premises,
    replicating_clusters,
    route,
    two,
)
from tests.operations.upgrading import picture, upgrade

__all__ = ["cluster_folder", "premises", "replicating_clusters", "two"]
pytestmark = [pytest.mark.postgres, pytest.mark.long]


def shrink(house: House) -> None:
    """No writer fills gigabytes here: of a database without storage a fifth is nothing."""
    with house.db.write() as session:
        slots.get(session, tenant(house)["uid"], 2).storage_gb = 0


def look(house: House) -> dict[str, object]:
    soaking.watch(house.control, ADMIN)
    return dict(picture(house)["way_back"])


def test_a_slot_that_nobody_reads_is_seen_and_dropped_while_the_tenant_writes(premises: Premises) -> None:
    house = premises.house()
    old, new = premises.sides[1], premises.sides[2]
    with Writers(route(house), count=2) as writers:
        operation = upgrade(house, strategy="logical_replication")
        assert premises.work() == 0
        done(house, operation)
        writers.wait_for(50)
        wait_until(lambda: look(house)["arrived_until"] is not None, "rows to be known as arrived")
        assert look(house)["retained_bytes"] is not None
        old.cluster.stop("kill")
        writers.wait_for(50)
        wait_until(lambda: look(house)["level"] == "behind", "nobody to read")
        assert new.value("SELECT count(*) FROM pg_replication_slots WHERE NOT active") == 1
        shrink(house)
        seen = look(house)
        assert (seen["level"], seen["armed"], seen["slot_dropped"]) == ("over", False, True)
        assert new.value("SELECT count(*) FROM pg_replication_slots") == 0
        assert f"everything written since {seen['arrived_until']}" in picture(house)["rollback_loses"]
        writers.wait_for(50)
        acknowledged = writers.stop()
    assert_whole(premises.holds(2), acknowledged)
    old.cluster.start(old.address.host, old.address.port)
    house.db.close()
