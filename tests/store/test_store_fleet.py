"""What the fleet's care keeps: one living row each, claims that one worker wins, and who is looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from controlplane.domain.errors import Missing
from controlplane.domain.tenant import Size
from controlplane.domain.workspace import SlotSpec
from controlplane.store import slots
from controlplane.store.database import Database
from controlplane.store.fleet import databases, differences, recommendations, scans, schedules
from controlplane.store.fleet.rows import DriftFinding, QuotaLimit, Recommendation, Scan, Schedule
from controlplane.store.tables import Operation
from tests.store.store_rows import NOW, add_tenant

DAY = timedelta(days=1)


def recommendation(id_: str = "rec-1", uid: str = "u0000001", **facts: object) -> Recommendation:
    return Recommendation(
        **{
            "id": id_,
            "tenant_uid": uid,
            "slug": "tenant-00001",
            "identifier": "tenant-00001-e1",
            "status": "open",
            "finding": "Overprovisioned",
            "signature": "Overprovisioned:small:micro:",
            "current_size": "small",
            "target_size": "micro",
            "first_seen_at": NOW,
            "last_seen_at": NOW,
            **facts,
        }
    )


def test_a_tenant_has_one_living_recommendation_which_is_updated(db: Database) -> None:
    later = recommendation("rec-2", urgent=True, last_seen_at=NOW + DAY)
    with db.write() as session:
        assert recommendations.save(session, recommendation()) == "new"
        assert recommendations.save(session, later) == "updated"
    with db.read() as session:
        (found,) = recommendations.page(session, ("open",), 10)
    assert (found.id, found.urgent, found.seen_count) == ("rec-1", True, 2)
    assert (found.first_seen_at, found.last_seen_at) == (NOW, NOW + DAY)


def test_what_was_proposed_stays_as_it_was_decided(db: Database) -> None:
    with db.write() as session:
        recommendations.save(session, recommendation())
        assert recommendations.move(
            session, "rec-1", ("open",), {"status": "proposed", "operation_id": "op-1"}
        )
        assert recommendations.save(session, recommendation("rec-2", target_size="medium")) == "kept"
        assert not recommendations.end_open(session, "u0000001", NOW, "gone")
        assert recommendations.get(session, "rec-1").target_size == "micro"


def test_a_way_back_is_not_overwritten_by_the_next_scan(db: Database) -> None:
    with db.write() as session:
        recommendations.save(session, recommendation(kind="revert"))
        assert recommendations.save(session, recommendation("rec-2")) == "kept"
        assert not recommendations.end_open(session, "u0000001", NOW, "no longer found")
        assert recommendations.get(session, "rec-1").status == "open"


def test_an_ended_one_makes_room_for_another(db: Database) -> None:
    with db.write() as session:
        recommendations.save(session, recommendation())
        assert recommendations.end_open(session, "u0000001", NOW, "no longer found")
        assert recommendations.save(session, recommendation("rec-2")) == "new"
    with db.read() as session:
        assert [r.id for r in recommendations.page(session, ("open", "ended"), 10)] == ["rec-2", "rec-1"]
        assert [r.id for r in recommendations.page(session, ("open", "ended"), 10, after="rec-2")] == [
            "rec-1"
        ]
        with pytest.raises(Missing, match="rec-9"):
            recommendations.get(session, "rec-9")


def test_of_two_who_decide_one_does(db: Database) -> None:
    with db.write() as session:
        recommendations.save(session, recommendation())
        assert recommendations.move(session, "rec-1", ("open",), {"status": "dismissed"})
        assert not recommendations.move(session, "rec-1", ("open",), {"status": "proposed"})


def test_each_dismissal_silences_for_twice_as_long(db: Database) -> None:
    decided = {"now": NOW, "actor": "ann", "reason": "it grows soon"}
    with db.write() as session:
        untils = [recommendations.suppress(session, "u1", "down", 30, decided) for _ in range(5)]
        assert [(until - NOW).days for until in untils] == [30, 60, 120, 240, 365]
        assert recommendations.suppressed(session, NOW + 364 * DAY) == {("u1", "down")}
        assert recommendations.suppressed(session, NOW + 365 * DAY) == set()


def test_only_applied_changes_of_class_are_looked_at_again(db: Database) -> None:
    applied = {"status": "applied", "decided_at": NOW}
    with db.write() as session:
        for number, facts in enumerate(
            ({}, {"target_size": ""}, {"outcome": "good"}, {"outcome": "unknown"}, {"decided_at": NOW + DAY})
        ):
            row = recommendation(f"rec-{number}", f"u{number}", **{**applied, **facts})
            recommendations.save(session, row)
    with db.read() as session:
        assert {r.id for r in recommendations.to_look_at(session, NOW)} == {"rec-0", "rec-3"}


# --- differences ------------------------------------------------------------------------------------


def difference(id_: str = "dr-1", attribute: str = "public", **facts: object) -> DriftFinding:
    return DriftFinding(
        **{
            "id": id_,
            "identifier": "acme-e1",
            "attribute": attribute,
            "severity": "dangerous",
            "status": "open",
            "first_seen_at": NOW,
            "last_seen_at": NOW,
            **facts,
        }
    )


def test_a_difference_lives_once_and_may_come_back(db: Database) -> None:
    with db.write() as session:
        assert differences.save(session, difference())
        assert not differences.save(session, difference("dr-2", found="true", last_seen_at=NOW + DAY))
        assert differences.save(session, difference("dr-3", "multi_az", severity="real"))
        (living,) = [row for row in differences.living(session) if row.attribute == "public"]
        assert (living.id, living.found, living.first_seen_at) == ("dr-1", "true", NOW)
        differences.end(session, ["dr-1"], NOW, "as recorded again")
        differences.end(session, [], NOW, "nothing")
        assert differences.save(session, difference("dr-4"))
    with db.read() as session:
        assert [r.id for r in differences.page(session, ("open",), 10)] == ["dr-4", "dr-3"]
        assert [r.id for r in differences.page(session, ("open",), 10, severity="real")] == ["dr-3"]
        assert [r.id for r in differences.page(session, ("ended",), 10)] == ["dr-1"]


def test_a_database_is_remembered_by_the_id_that_was_seen_first(db: Database) -> None:
    with db.write() as session:
        differences.remember(session, {"acme-e1": "db-A", "beta-e1": "db-B"}, NOW)
        differences.remember(session, {}, NOW)
        differences.replace(session, "beta-e1", "db-C", NOW + DAY)
        assert differences.seen(session) == {"acme-e1": "db-A", "beta-e1": "db-C"}


# --- who is looked at -------------------------------------------------------------------------------


def slot(number: int, epoch: int = 1) -> SlotSpec:
    return SlotSpec(epoch, f"tenant-{number:05}-e{epoch}", Size.SMALL, 20, False, 1)


def test_the_fleet_is_what_runs_with_what_keeps_it_busy(db: Database) -> None:
    with db.write() as session:
        for number, phase in enumerate(("ready", "torn_down", "provisioning", "failed"), 1):
            tenant = add_tenant(session, number, {"team": "a"}, phase=phase)
            slots.save(session, tenant.uid, slot(number), status="present")
        slots.save(session, "u0000001", slot(1, 2), status="gone")
        session.add(_operation("op-1", "u0000004", "planning"))
        session.add(_operation("op-2", "u0000001", "succeeded", payload={"size": "small"}))
        session.add(
            _operation("op-3", "u0000001", "succeeded", payload={"storage_gb": 30}, ended_at=NOW + DAY)
        )
    with db.read() as session:
        found = databases.every(session, "us-east-1")
        assert databases.every(session, "eu-west-1") == []
        assert len(databases.standing(session)) == 4
    assert [(d.slug, d.busy_with, d.resized_at) for d in found] == [
        ("tenant-00001", "", NOW),
        ("tenant-00004", "op-1", None),
    ]
    assert found[0].labels == {"team": "a"}
    assert found[0].is_routed
    assert not replace(found[0], epoch=2).is_routed


def _operation(id_: str, uid: str, status: str, **facts: object) -> Operation:
    values = {"created_at": NOW, "ended_at": NOW, "requested_by": "ann", **facts}
    return Operation(
        id=id_, kind="resize", workspace_id=f"tenant-{uid}", tenant_uid=uid, status=status, **values
    )


def test_a_region_is_counted_from_what_is_recorded(db: Database) -> None:
    with db.write() as session:
        for number in (1, 2):
            tenant = add_tenant(session, number, phase="ready")
            slots.save(session, tenant.uid, slot(number), status="present")
        add_tenant(session, 3, phase="torn_down")
    with db.read() as session:
        assert scans.counts(session, "us-east-1") == {
            "databases": 2,
            "storage_gb": 40,
            "tenants": 2,
            "platforms": 0,
            "rules": 0,
        }
        assert set(scans.counts(session, "eu-west-1").values()) == {0}


def test_what_aws_grants_is_kept_and_renewed(db: Database) -> None:
    with db.write() as session:
        for granted in (40, 100):
            row = QuotaLimit(region="us-east-1", name="rds_instances", granted=granted, used=7, seen_at=NOW)
            scans.save_limits(session, [row])
        assert scans.limits(session, "us-east-1")["rds_instances"].granted == 100
        assert scans.limits(session, "eu-west-1") == {}


def test_the_last_scan_of_a_kind_is_known(db: Database) -> None:
    with db.write() as session:
        for hours in (1, 3, 2):
            at = NOW + timedelta(hours=hours)
            scans.record(
                session, Scan(id=f"s{hours}", kind="drift", started_by="x", started_at=at, ended_at=at)
            )
    with db.read() as session:
        found = scans.last(session, "drift")
        assert found is not None
        assert found.id == "s3"
        assert scans.last(session, "rightsizing") is None


# --- schedules --------------------------------------------------------------------------------------


def schedule(name: str = "drift", **facts: object) -> Schedule:
    return Schedule(**{"name": name, "cron": "0 * * * *", "due_at": NOW, **facts})


def test_one_worker_gets_a_tick_and_the_others_none(db: Database) -> None:
    with db.write() as session:
        schedules.ensure(session, [schedule(), schedule("later", due_at=NOW + DAY)])
        schedules.ensure(session, [schedule(cron="1 1 * * *")])
    with db.read() as session:
        (seen,) = schedules.due(session, NOW)
    claimed = {"due_at": NOW + DAY, "holder": "one", "held_until": NOW + timedelta(minutes=5)}
    with db.write() as session:
        assert schedules.claim(session, seen, claimed, NOW)
        assert not schedules.claim(session, seen, {**claimed, "holder": "two"}, NOW)
        assert schedules.get(session, "drift").cron == "0 * * * *"
        assert schedules.due(session, NOW) == []
        assert not schedules.finish(session, "drift", "", "two", {"last_status": "done"})
        assert schedules.finish(session, "drift", "", "one", {"last_status": "done"})
        assert (schedules.get(session, "drift").holder, schedules.get(session, "drift").held_until) == (
            "",
            None,
        )


def test_the_tick_of_one_cell_is_not_that_of_another(db: Database) -> None:
    later = {"due_at": NOW + DAY, "holder": "one", "held_until": NOW + timedelta(minutes=5)}
    with db.write() as session:
        schedules.ensure(session, [schedule(cell="eu"), schedule(cell="us")])
        eu, us = schedules.due(session, NOW)
        assert schedules.claim(session, eu, later, NOW)
        assert [row.cell for row in schedules.due(session, NOW)] == [us.cell] == ["us"]
        assert schedules.claim(session, us, {**later, "holder": "two"}, NOW)
        assert schedules.finish(session, "drift", "eu", "one", {"last_status": "done"})
        assert schedules.get(session, "drift", "us").holder == "two"
        schedules.change(session, "drift", {"enabled": False}, "us")
        assert schedules.make_due(session, "drift", NOW, "eu")
        assert not schedules.make_due(session, "drift", NOW, "us")
        with pytest.raises(Missing, match="in the cell asia"):
            schedules.get(session, "drift", "asia")


def test_what_a_lost_worker_held_is_free_again_after_its_time(db: Database) -> None:
    until = NOW + timedelta(minutes=5)
    with db.write() as session:
        schedules.ensure(session, [schedule(holder="gone", held_until=until)])
        assert schedules.due(session, NOW) == []
        assert [s.name for s in schedules.due(session, until)] == ["drift"]


def test_a_schedule_that_is_off_is_never_due(db: Database) -> None:
    with db.write() as session:
        schedules.ensure(session, [schedule()])
        schedules.change(session, "drift", {"enabled": False})
        assert schedules.due(session, NOW + DAY) == []
        with pytest.raises(Missing, match="nothing"):
            schedules.change(session, "nothing", {"enabled": False})
