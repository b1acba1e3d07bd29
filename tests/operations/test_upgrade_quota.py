"""A move needs a second database for some days: whether there is room for it is asked before it begins."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.domain.errors import Refused
from controlplane.domain.migration.checklist import Item
from controlplane.store.fleet import scans
from controlplane.store.fleet.rows import QuotaLimit
from tests.operations.house import House
from tests.operations.ordinary import create, tenant
from tests.operations.upgrading import ACKNOWLEDGED, upgrade

ELSEWHERE = ("snapshot_restore", "logical_replication")


def used(house: House, count: int, name: str = "rds_instances", limit: int = 40) -> None:
    """What AWS said of the account."""
    fact = {"region": "us-east-1", "cell": house.control.cell, "seen_at": house.control.now()}
    with house.db.write() as session:
        scans.save_limits(session, [QuotaLimit(name=name, granted=limit, used=count, **fact)])


@pytest.mark.parametrize("strategy", ELSEWHERE)
def test_a_move_may_use_what_is_kept_for_moves(poc: House, strategy: str) -> None:
    used(poc, 35)
    with pytest.raises(Refused, match="no tenant more"):
        create(poc, "other")
    assert upgrade(poc, strategy=strategy)


@pytest.mark.parametrize("strategy", ELSEWHERE)
@pytest.mark.parametrize(
    "full", [{"count": 36}, {"count": 89_990, "name": "rds_storage_gb", "limit": 100_000}], ids=str
)
def test_a_move_that_has_no_room_is_refused_with_the_way_that_works(
    poc: House, strategy: str, full: dict[str, Any]
) -> None:
    used(poc, **full)
    with pytest.raises(Refused, match="acme would need a second database") as refused:
        upgrade(poc, strategy=strategy)
    name = full.get("name", "rds_instances")
    assert f"raise the quota {name}" in refused.value.hint
    assert "controlplane tenant upgrade acme --strategy in_place" in refused.value.hint
    assert tenant(poc)["open_operation"] is None
    stays = [*ACKNOWLEDGED, Item.STAYS_IN_NETWORK]
    assert upgrade(poc, strategy="in_place", acknowledge=stays), "and that way is open"
