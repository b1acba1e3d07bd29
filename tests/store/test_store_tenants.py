"""A tenant's row: what may follow what, who saw which revision, and the history that tells it."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from sqlalchemy.exc import StatementError

from controlplane.domain.errors import (
    AlreadyExists,
    ControlPlaneError,
    IllegalTransition,
    Invalid,
    Missing,
    Stale,
)
from controlplane.domain.tenant import PHASE_TRANSITIONS, Phase
from controlplane.store import history, tenants
from controlplane.store.database import Database
from tests.store.store_rows import NOW, add_tenant, in_phase

BY = {"actor": "ann", "now": NOW}


@pytest.mark.parametrize("current", Phase)
def test_every_legal_phase_follows_and_every_other_is_refused_with_a_reason(
    db: Database, current: Phase
) -> None:
    expected = {}
    with db.write() as session:
        for number, following in enumerate(Phase):
            uid = in_phase(session, current, number).uid
            legal = following == current or following in PHASE_TRANSITIONS[current]
            expected[uid] = following if legal else current
            if legal:
                tenants.set_phase(session, uid, following, **BY)
                continue
            with pytest.raises(IllegalTransition, match=f"{current} cannot become {following}"):
                tenants.set_phase(session, uid, following, **BY)
    with db.read() as session:
        assert {uid: tenants.by_uid(session, uid).phase for uid in expected} == expected


def test_a_phase_comes_with_its_history_in_the_same_transaction(db: Database) -> None:
    with db.write() as session:
        uid = in_phase(session, Phase.PROVISIONING).uid
        tenants.set_phase(session, uid, Phase.READY, operation_id="op-1", **BY)
    with pytest.raises(RuntimeError), db.write() as session:
        tenants.set_phase(session, uid, Phase.SUSPENDED, **BY)
        raise RuntimeError
    with db.read() as session:
        lines = history.page(session, uid)
        assert [(e.what, e.actor, e.operation_id) for e in lines] == [
            ("created", "ann", None),
            ("phase", "ann", "op-1"),
        ]
        assert (lines[1].before["phase"], lines[1].after["phase"]) == ("provisioning", "ready")
        assert tenants.by_uid(session, uid).ready_at == NOW


def test_the_same_phase_again_changes_nothing(db: Database) -> None:
    with db.write() as session:
        before = in_phase(session, Phase.READY).revision
    with db.write() as session:
        after = tenants.set_phase(session, "u0000001", Phase.READY, **BY)
    with db.read() as session:
        assert after.revision == before + 1  # the time of its first readiness was recorded
    with db.write() as session:
        assert tenants.set_phase(session, "u0000001", Phase.READY, **BY).revision == after.revision


def test_a_change_from_an_old_revision_is_stale(db: Database) -> None:
    with db.write() as session:
        seen = add_tenant(session).revision
    with db.write() as session:
        tenants.change(session, "u0000001", {"users": 5}, seen, **BY)
    with pytest.raises(Stale, match="revision 2"), db.write() as session:
        tenants.change(session, "u0000001", {"users": 9}, seen, **BY)
    with db.read() as session:
        assert tenants.by_uid(session, "u0000001").users == 5


def test_of_many_writers_that_saw_one_revision_exactly_one_wins(db: Database) -> None:
    with db.write() as session:
        seen = add_tenant(session).revision
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def write(users: int) -> None:
        start.wait(30)
        try:
            with db.write() as session:
                tenants.change(session, "u0000001", {"users": users}, seen, **BY)
            outcomes.append(f"won {users}")
        except ControlPlaneError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(2, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    (won,) = [o for o in outcomes if o.startswith("won")]
    assert sorted(set(outcomes)) == sorted({won, "stale"})
    with db.read() as session:
        assert f"won {tenants.by_uid(session, 'u0000001').users}" == won


def test_concurrent_changes_without_a_revision_are_all_kept(db: Database) -> None:
    with db.write() as session:
        add_tenant(session)
    fields = ["users", "locations", "storage_gb", "display_name", "sla", "paying"]

    def write(name: str) -> None:
        with db.write() as session:
            tenants.change(session, "u0000001", {name: "7" if name == "display_name" else 7}, **BY)

    threads = [threading.Thread(target=write, args=(name,)) for name in fields[:4]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with db.read() as session:
        row = tenants.by_uid(session, "u0000001")
        assert (row.users, row.locations, row.storage_gb, row.display_name) == (7, 7, 7, "7")
        assert (row.revision, row.generation, len(history.page(session, row.uid))) == (5, 5, 5)


def test_only_a_change_of_what_is_wanted_raises_the_generation(db: Database) -> None:
    with db.write() as session:
        add_tenant(session)
        tenants.change(session, "u0000001", {"monthly_usd": Decimal("12.34")}, **BY)
        assert tenants.by_uid(session, "u0000001").generation == 1
        tenants.change(session, "u0000001", {"size": "small"}, **BY)
        tenants.observe_generation(session, "u0000001")
        row = tenants.by_uid(session, "u0000001")
        assert (row.generation, row.observed_generation) == (2, 2)


def test_phase_slug_and_revision_are_not_columns_to_set(db: Database) -> None:
    with db.write() as session:
        add_tenant(session)
        for name in ("phase", "slug", "uid", "revision", "generation", "epoch"):
            with pytest.raises(ValueError, match=name):
                tenants.change(session, "u0000001", {name: "x"}, **BY)


def test_a_slug_is_taken_for_ever(db: Database) -> None:
    with db.write() as session:
        add_tenant(session, 1, slug="acme", phase="torn_down")
    with pytest.raises(AlreadyExists, match="acme"), db.write() as session:
        add_tenant(session, 2, slug="acme")
    with db.write() as session:
        again = tenants.revive(session, "u0000001", {"epoch": 2}, {"team": "a"}, **BY)
        assert (again.phase, again.epoch, tenants.labels(session, again.uid)) == (
            "requested",
            2,
            {"team": "a"},
        )
    with pytest.raises(IllegalTransition), db.write() as session:
        tenants.revive(session, "u0000001", {"epoch": 3}, {}, **BY)


def test_the_route_flips_once_from_the_epoch_that_was_seen(db: Database) -> None:
    route = tenants.Route("new.example", 5432, 2)
    with db.write() as session:
        add_tenant(session)
        assert tenants.flip_route(session, "u0000001", 1, route, **BY).endpoint == "new.example"
    with pytest.raises(Stale, match="epoch 2"), db.write() as session:
        tenants.flip_route(session, "u0000001", 1, tenants.Route("other.example", 5432, 3), **BY)


def test_labels_are_replaced_as_a_whole_and_told(db: Database) -> None:
    with db.write() as session:
        add_tenant(session, labels={"team": "a", "tier": "gold"})
        tenants.change(session, "u0000001", {"labels": {"team": "b"}}, **BY)
    with db.read() as session:
        assert tenants.labels(session, "u0000001") == {"team": "b"}
        line = history.page(session, "u0000001")[-1]
        assert (line.before, line.after) == (
            {"labels": {"team": "a", "tier": "gold"}, "generation": 1},
            {"labels": {"team": "b"}, "generation": 2},
        )


def test_history_is_read_on_from_the_last_line_seen(db: Database) -> None:
    with db.write() as session:
        uid = add_tenant(session).uid
        for users in range(2, 8):
            tenants.change(session, uid, {"users": users}, **BY)
    with db.read() as session:
        first = history.page(session, uid, limit=4)
        rest = history.page(session, uid, after=first[-1].seq)
        assert [e.after.get("users") for e in first + rest] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("find", [tenants.by_uid, tenants.by_slug, tenants.hold])
def test_a_tenant_that_is_not_there_is_missing(db: Database, find: object) -> None:
    with pytest.raises(Missing, match="nobody"), db.write() as session:
        find(session, "nobody")


def test_three_times_ten_cents_is_thirty_and_unknown_is_not_zero(db: Database) -> None:
    with db.write() as session:
        for number in range(3):
            add_tenant(session, number, monthly_usd=Decimal("0.1"))
        add_tenant(session, 3)
    with db.read() as session:
        rows = [tenants.by_uid(session, f"u{n:07}") for n in range(4)]
        assert sum(r.monthly_usd for r in rows[:3]) == Decimal("0.3")
        assert rows[3].monthly_usd is None
        assert session.connection().exec_driver_sql("SELECT sum(monthly_usd) FROM tenant").scalar() == 300_000


def test_times_come_back_aware_and_to_the_microsecond_and_naive_ones_are_refused(db: Database) -> None:
    with db.write() as session:
        assert add_tenant(session, created_at=NOW).created_at == NOW
    with pytest.raises(StatementError, match="without a zone"), db.write() as session:
        add_tenant(session, 2, created_at=NOW.replace(tzinfo=None))
    with db.read() as session:
        assert tenants.find(session, "tenant-00002") is None


@pytest.mark.parametrize("value", ["lone \ud800 surrogate", 2**70])
def test_what_no_database_can_hold_is_invalid(db: Database, value: object) -> None:
    name = "display_name" if isinstance(value, str) else "users"
    with db.write() as session:
        add_tenant(session)
    with pytest.raises(Invalid), db.write() as session:
        tenants.change(session, "u0000001", {name: value}, **BY)
