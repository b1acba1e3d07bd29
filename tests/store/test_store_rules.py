"""Places among the rules of a listener: no two tenants share one."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from controlplane.domain.tenant import Environment, Size
from controlplane.domain.workspace import SlotSpec
from controlplane.store import platforms, slots
from controlplane.store.database import Database
from controlplane.store.tenants import rules
from tests.store.store_rows import NOW, add_tenant

BLUEPRINT = "fargate_db_per_tenant"
PLATFORMS = {one: f"platform-{one.value}" for one in (Environment.DEVELOPMENT, Environment.PRODUCTION)}
HOME = PLATFORMS[Environment.DEVELOPMENT]


@pytest.fixture
def uids(db: Database) -> list[str]:
    """Of six tenants, on a blueprint with two platforms."""
    with db.write() as session:
        for environment, workspace in PLATFORMS.items():
            platforms.ensure(
                session, workspace, blueprint=BLUEPRINT, environment=environment.value, cell="default",
                region="us-east-1", options={}, now=NOW,
            )  # fmt: skip
        return [add_tenant(session, number).uid for number in range(1, 7)]


def place(db: Database, uid: str, platform: str = HOME) -> int:
    with db.write() as session:
        return rules.take(session, platform, uid)


def slot(epoch: int, uid: str, environment: Environment | None = None) -> SlotSpec:
    return SlotSpec(epoch, f"{uid}-e{epoch}", Size.MICRO, 20, False, 1, environment=environment)


def test_the_lowest_free_place_is_taken_on_each_platform(db: Database, uids: list[str]) -> None:
    assert [place(db, uid) for uid in uids[:3]] == [1, 2, 3]
    assert place(db, uids[1], PLATFORMS[Environment.PRODUCTION]) == 1
    with db.write() as session:
        rules.release(session, uids[1])  # which has no database
    assert place(db, uids[4]) == 2
    with db.read() as session:
        assert rules.count(session, HOME) == 3


def test_who_has_a_place_keeps_it(db: Database, uids: list[str]) -> None:
    place(db, uids[0])
    assert place(db, uids[1]) == place(db, uids[1]) == 2
    with db.write() as session:
        assert not rules.keep(session, HOME, uids[1], 9)
        assert not rules.keep(session, HOME, uids[2], 2)
        assert rules.keep(session, HOME, uids[2], 9)
        assert rules.of_tenant(session, uids[2]) == {Environment.DEVELOPMENT: 9}


def test_who_reach_for_a_place_at_once_get_different_ones(db: Database, uids: list[str]) -> None:
    with ThreadPoolExecutor(len(uids)) as pool:
        given: Iterable[int] = pool.map(lambda uid: place(db, uid), uids, timeout=60)
    assert sorted(given) == [1, 2, 3, 4, 5, 6]


def test_a_place_is_given_back_when_no_database_lies_on_its_platform(db: Database, uids: list[str]) -> None:
    uid, before, after = uids[0], Environment.DEVELOPMENT, Environment.PRODUCTION
    for platform in PLATFORMS.values():
        place(db, uid, platform)
    with db.write() as session:
        slots.save(session, uid, slot(1, uid), status="present")  # where its tenant is
        slots.save(session, uid, slot(2, uid, after), status="wanted")
        rules.release(session, uid)
        assert rules.of_tenant(session, uid) == {before: 1, after: 1}
        slots.set_status(session, uid, 1, slots.GONE)
        rules.release(session, uid)
        assert rules.of_tenant(session, uid) == {after: 1}
        slots.retire(session, uid)
        rules.release(session, uid)
        assert rules.of_tenant(session, uid) == {}
