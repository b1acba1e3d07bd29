"""restore to a point in time, and beside a tenant that lives: nothing is ever written over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controlplane.domain.errors import AlreadyExists, Conflict, Invalid, Missing, Refused
from controlplane.domain.operation import Kind
from controlplane.operations import Resize, Restore
from controlplane.services.actor import Actor, Role
from controlplane.services.explain import explain
from controlplane.services.tenants import change as ask_change
from controlplane.store import history, slots
from tests.operations.house import ADMIN, ASK, House
from tests.operations.ordinary import application, change, create, destroy, done, shown, tenant

Run = Callable[[], None]


@pytest.fixture
def acme(house: House, run: Run) -> House:
    """A tenant with two rows."""
    create(house, storage_gb=30, labels={"team": "orders"}, users=7)
    run()
    house.database.write(application(house), "orders", "one", "two")
    return house


def restore(house: House, **said: object) -> str:
    return change(house, Kind.RESTORE, Restore.model_validate(said))


def rows(house: House, slug: str) -> int:
    return int(house.database.fingerprint(application(house, slug))["tables"]["orders"]["count"])


def a_moment_ago() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=1)


def test_beside_a_living_tenant_another_one_has_its_rows(acme: House, run: Run) -> None:
    operation = restore(acme, **{"as": "acme-look"})
    run()
    seen = done(acme, operation)
    assert seen["tenant"] == "acme-look"
    old, new = tenant(acme), tenant(acme, "acme-look")
    assert (old["phase"], old["epoch"], new["phase"], new["epoch"]) == ("ready", 1, "ready", 1)
    assert (new["storage_gb"], new["labels"], new["users"]) == (30, {"team": "orders"}, 7)
    assert new["uid"] != old["uid"]
    assert (rows(acme, "acme"), rows(acme, "acme-look")) == (2, 2)


def test_it_has_passwords_of_its_own_and_the_old_ones_stay(acme: House, run: Run) -> None:
    done_one = restore(acme, **{"as": "acme-look"})
    before = application(acme)
    run()
    done(acme, done_one)
    assert application(acme, "acme-look").password != before.password
    assert acme.database.probe(before).reachable


def test_what_was_torn_down_comes_back_as_it_was_at_a_time(acme: House, run: Run) -> None:
    at = a_moment_ago()
    destroy(acme)
    run()
    operation = restore(acme, at=at.isoformat())
    run()
    done(acme, operation)
    after = tenant(acme)
    assert (after["phase"], after["epoch"], rows(acme, "acme")) == ("ready", 2, 2)
    with acme.db.read() as session:
        slot = slots.get(session, after["uid"], 2)
    assert slot.backup_time == at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (slot.snapshot_identifier, slot.backup_source) == ("", f"DB-ACME-{after['uid']}-E1".upper())


def test_what_was_torn_down_comes_back_under_another_name_from_its_snapshot(acme: House, run: Run) -> None:
    destroy(acme)
    run()
    operation = restore(acme, **{"as": "acme-two"})
    run()
    done(acme, operation)
    assert rows(acme, "acme-two") == 2
    assert tenant(acme)["phase"] == "torn_down"
    with acme.db.read() as session:
        assert slots.get(session, tenant(acme, "acme-two")["uid"], 1).snapshot_identifier.endswith(
            "-teardown"
        )


def test_a_time_that_the_backups_do_not_reach_is_refused_with_what_they_reach(acme: House, run: Run) -> None:
    operation = restore(acme, at="2025-06-01T00:00:00Z", **{"as": "acme-look"})
    run()
    seen = shown(acme, operation)
    assert seen["status"] == "rejected"
    assert "reach from 2026-01-01T00:00:00Z to" in seen["error"]["detail"]
    assert len(acme.cloud.databases()) == 1


def test_a_name_that_was_refused_can_be_used_after_all(acme: House, run: Run) -> None:
    restore(acme, at="2025-06-01T00:00:00Z", **{"as": "acme-look"})
    run()
    again = restore(acme, **{"as": "acme-look"})
    run()
    done(acme, again)
    with pytest.raises(AlreadyExists, match="is or was another tenant's"):
        restore(acme, **{"as": "acme-look"})


def test_a_time_to_come_a_living_tenant_itself_and_a_taken_name_are_refused(acme: House) -> None:
    with pytest.raises(Invalid, match="still to come"):
        restore(acme, at=(datetime.now(UTC) + timedelta(hours=1)).isoformat(), **{"as": "acme-look"})
    with pytest.raises(Conflict, match="ready"):
        restore(acme, at=a_moment_ago().isoformat())
    with pytest.raises(AlreadyExists, match="acme"):
        restore(acme, **{"as": "acme"})
    with pytest.raises(ValueError, match="timezone"):
        Restore.model_validate({"at": "2026-11-20T10:00:00"})


def test_who_may_not_make_a_tenant_makes_none_this_way(acme: House) -> None:
    bob = Actor("bob", Role.OPERATOR, tenants=("acme",))
    body = Restore.model_validate({"as": "acme-look"})
    with pytest.raises(Missing, match="acme-look"):
        ask_change(acme.control, bob, Kind.RESTORE, "acme", body, ASK)


def test_the_epoch_of_a_time_is_told_by_its_history(acme: House, run: Run) -> None:
    first = a_moment_ago()
    destroy(acme)
    run()
    restore(acme)
    run()
    uid = tenant(acme)["uid"]
    with acme.db.read() as session:
        told = [history.value_at(session, uid, "epoch", at, 2) for at in (first, datetime.now(UTC))]
    assert told == [1, 2]


def test_after_a_resize_the_copy_is_as_large(acme: House, run: Run) -> None:
    change(acme, Kind.RESIZE, Resize.model_validate({"storage_gb": 40}))
    run()
    done_one = restore(acme, **{"as": "acme-look"})
    run()
    done(acme, done_one)
    assert tenant(acme, "acme-look")["storage_gb"] == 40


def test_what_is_torn_down_says_until_when_it_can_come_back(acme: House, run: Run) -> None:
    destroy(acme, grace_days=2)
    run()
    said = explain(acme.control, ADMIN, "acme")
    assert "restorable until" in said["evidence"][0]
    assert "-teardown" in said["evidence"][0]
    now = acme.control.now
    late = replace(acme.control, now=lambda: now() + timedelta(days=3))
    assert "grace period is over" in explain(late, ADMIN, "acme")["evidence"][0]
    with pytest.raises(Refused, match="restorable until"):
        ask_change(late, ADMIN, Kind.RESTORE, "acme", Restore(), ASK)
