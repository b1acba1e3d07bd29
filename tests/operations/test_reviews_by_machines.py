"""Right-sizing, drift and ends where changes go through reviews: real Git, from the look to the merge."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from controlplane.domain.operation import Kind
from controlplane.operations import Suspend
from controlplane.services import operations as asking
from controlplane.services import tenants, windows
from controlplane.services.bodies import NewWindow
from controlplane.services.control import Ask, Control
from controlplane.services.drift import deciding as drift
from controlplane.services.drift import scanning as drift_scanning
from controlplane.services.drift.asked import Listing
from controlplane.services.drift.asked import Scanning as Drifting
from controlplane.services.keeping import keep_asleep
from controlplane.services.particulars import Particulars
from controlplane.services.particulars import change as describe
from controlplane.services.reviews import asking as reviews
from controlplane.services.rightsizing import deciding, inbox, scanning
from controlplane.services.rightsizing.asked import Inbox, Scanning
from controlplane.services.schedules import hours
from controlplane.services.schedules.lifetimes import sweep
from tests.doors.care.neighbourhood import WAY, Clock, Fleet, Neighbourhood
from tests.fakes.metrics import FakeMetrics
from tests.operations.desk import Desk
from tests.operations.house import ADMIN, ASK
from tests.unit.rightsizing.traces import Load, flat

IDLE, BUSY, HOT = Load(flat(3), 300), Load(flat(40), 600), Load(flat(95), 600)
WHY = Ask(reason="seen")
# What the double of Terraform does not set.
AS_RECORDED = {"max_storage_gb": 50, "backup_retention_days": 1, "parameter_group": "platform-postgres16"}


class Care:
    """The looks at a desk's fleet, with a clock that goes on when it is told to."""

    def __init__(self, desk: Desk, **settings: Any) -> None:
        self.desk, self.clock, self.metrics = desk, Clock(datetime.now(UTC)), FakeMetrics()
        cloud = desk.house.cloud
        self.control: Control = replace(
            desk.control,
            now=self.clock,
            metric_source=lambda: self.metrics,
            fleet_source=lambda: Fleet(cloud),
            **settings,
        )

    def scan(self, load: Load) -> dict[str, int]:
        """Two weeks of this load, looked at."""
        Neighbourhood(None, self.control, self.clock, self.metrics, self.desk.house.cloud).run("acme", load)  # type: ignore[arg-type]
        return dict(scanning.scan(self.control, ADMIN, Scanning(), WAY)["inbox"])

    def found(self, status: str = "") -> dict[str, Any]:
        (found,) = inbox.page(self.control, ADMIN, Inbox(status=status))["items"]
        return dict(found)

    def drift(self, **facts: bool) -> dict[str, int]:
        """Somebody changes the database past us, and it is looked at."""
        house = self.desk.house
        (database,) = house.cloud.databases()
        house.cloud.change_database(database.identifier, **AS_RECORDED)
        for attribute, value in facts.items():
            house.terraform.drift(attribute, value)
        return dict(drift_scanning.scan(self.control, ADMIN, Drifting(), WAY)["inbox"])

    def differences(self) -> list[dict[str, Any]]:
        return list(drift.page(self.control, ADMIN, Listing())["items"])

    def open_reviews(self) -> list[dict[str, Any]]:
        return [r for r in reviews.page(self.control, ADMIN)["items"] if r["status"] in ("open", "opening")]

    def review(self) -> dict[str, Any]:
        """The one that is open."""
        self.desk.run()
        (found,) = self.open_reviews()
        return self.desk.shown(found["id"])


@pytest.fixture
def care(desk: Desk) -> Care:
    desk.merge(desk.create(size="small"))
    return Care(desk)


# --- right-sizing -----------------------------------------------------------------------------------


def test_a_recommendation_is_a_review_with_its_evidence_and_its_merge_is_the_change(care: Care) -> None:
    assert care.scan(IDLE) == {"new": 1}
    deciding.propose(care.control, ADMIN, care.found()["id"], WHY)
    review = care.review()
    assert (review["kind"], review["machine"]) == ("resize", "rightsizing")
    assert review["revert"] == "controlplane tenant resize acme --size small"
    assert "CPU p99 3 %" in review["evidence"]["reasons"]
    assert f"`{review['revert']}`" in review["text"][0]
    assert review["evidence"]["USD a month more"].startswith("-")
    assert "size: micro" in (care.desk.forge.read(review["head"], "tenants/acme/tenant.yaml") or "")
    care.desk.merge(review["id"])
    assert care.desk.size() == "micro"
    care.scan(IDLE)
    assert care.found("applied")["operation"] == review["operation"]


def test_a_later_look_renews_the_evidence_of_the_review_that_waits(care: Care) -> None:
    care.scan(IDLE)
    deciding.propose(care.control, ADMIN, care.found()["id"], WHY)
    first = care.review()
    care.clock.forward(days=1)
    assert care.scan(Load(flat(5), 300)) == {"renewed": 1}
    again = care.review()
    assert (again["id"], again["head"]) == (first["id"], first["head"])
    assert ("p99 3" in first["evidence"]["CPU, percent"], "p99 5" in again["evidence"]["CPU, percent"]) == (
        True,
        True,
    )
    assert care.found("proposed")["seen_count"] == 2


def test_another_finding_takes_the_review_s_place_and_is_no_person_s_no(care: Care) -> None:
    care.scan(IDLE)
    id_ = care.found()["id"]
    deciding.propose(care.control, ADMIN, id_, WHY)
    first = care.review()
    care.clock.forward(days=1)
    assert care.scan(HOT) == {"renewed": 1}
    second = care.review()
    assert care.desk.shown(first["id"])["status"] == "closed"
    assert (care.found("proposed")["id"], care.found("proposed")["operation"]) == (id_, second["operation"])
    care.scan(HOT)
    assert care.found("proposed")["id"] == id_
    care.desk.merge(second["id"])
    assert care.desk.size() == "medium"


def test_a_review_that_is_given_up_is_a_no_that_is_remembered(care: Care) -> None:
    care.scan(IDLE)
    deciding.propose(care.control, ADMIN, care.found()["id"], WHY)
    reviews.close(care.control, ADMIN, care.review()["id"], WHY)
    assert care.scan(IDLE) == {"suppressed": 1}
    assert care.open_reviews() == []


def test_reviews_of_selected_tenants_open_by_themselves_once(care: Care) -> None:
    care.control = replace(care.control, machine_reviews="stage=poc")
    assert care.scan(IDLE) == {"new": 1, "reviewed": 1}
    first = care.review()
    assert first["requested_by"] == "schedule:rightsizing"
    assert care.scan(IDLE) == {"renewed": 1}
    assert care.review()["id"] == first["id"]
    care.control = replace(care.control, machine_reviews="stage=production")
    reviews.close(care.control, ADMIN, first["id"], WHY)
    assert care.scan(BUSY) == {"new": 1}
    assert care.open_reviews() == []


# --- drift ------------------------------------------------------------------------------------------


def test_differences_of_a_tenant_share_one_review_that_takes_them_back(care: Care) -> None:
    assert care.drift(multi_az=True, deletion_protection=False) == {"new": 2}
    first, second = (drift.reconcile(care.control, ADMIN, d["id"], Ask()) for d in care.differences())
    assert first["id"] == second["id"]
    review = care.review()
    assert (review["kind"], review["machine"]) == ("reconcile", "drift")
    assert [name.split(": ")[-1] for name in review["evidence"]] == [
        "deletion_protection",
        "multi_az",
        "way back",
    ]
    assert "yes; recorded no" in review["text"][0]
    assert {d["status"] for d in care.differences()} == {"proposed"}
    care.desk.merge(review["id"])
    assert care.drift() == {"ended": 2}


def test_drift_opens_reviews_by_itself_where_it_may_and_a_no_holds(care: Care) -> None:
    care.control = replace(care.control, machine_reviews="stage=poc")
    assert care.drift(multi_az=True) == {"new": 1, "reviewed": 1}
    review = care.review()
    assert review["requested_by"] == "schedule:drift"
    care.drift()
    assert care.review()["id"] == review["id"]
    reviews.close(care.control, ADMIN, review["id"], WHY)
    assert care.drift() == {"known": 1}
    assert care.open_reviews() == []


# --- nights -----------------------------------------------------------------------------------------


def test_a_night_and_a_sleep_that_aws_broke_open_no_review_but_a_person_s_suspend_does(desk: Desk) -> None:
    desk.ready()
    nights = NewWindow(name="nights", effect="sleep", cron="0 20 * * *", minutes=600)
    windows.add(desk.control, ADMIN, nights, ASK)
    before = len(reviews.page(desk.control, ADMIN)["items"])
    database = desk.house.cloud.databases()[0].identifier

    def phase_at(hour: int) -> str:
        hours.follow(replace(desk.control, now=lambda: datetime(2026, 1, 5, hour, 1, tzinfo=UTC)))
        desk.run()
        return str(tenants.show(desk.control, ADMIN, "acme")["phase"])

    assert phase_at(21) == "suspended"
    desk.house.cloud.change_database(database, status="available")
    assert keep_asleep(desk.control) == ["acme"]
    desk.run()
    assert desk.house.cloud.databases()[0].status == "stopped"
    assert phase_at(12) == "ready"
    assert len(reviews.page(desk.control, ADMIN)["items"]) == before
    assert tenants.change(desk.control, ADMIN, Kind.SUSPEND, "acme", Suspend(), ASK)["review"]


# --- ends -------------------------------------------------------------------------------------------


class Ending:
    """A tenant whose three days are over, and who was warned of it."""

    def __init__(self, desk: Desk) -> None:
        desk.merge(desk.create(ttl_days=3))
        self.desk, self.clock = desk, Clock(desk.control.now())
        self.control = replace(desk.control, now=self.clock)
        for later in (25, 46.2, 0.5):
            self.sweep(later)

    def sweep(self, hours: float) -> list[str]:
        """What is said so many hours later."""
        self.clock.forward(hours=hours)
        return sweep(self.control)

    def reviews(self) -> list[dict[str, Any]]:
        self.desk.run()
        items = reviews.page(self.control, ADMIN)["items"]
        return [self.desk.shown(r["id"]) for r in items if r["kind"] == "destroy"]


@pytest.fixture
def ending(desk: Desk) -> Ending:
    return Ending(desk)


def test_an_end_is_one_review_and_nothing_goes_before_its_merge(desk: Desk, ending: Ending) -> None:
    (said,) = ending.sweep(hours=2)
    (review,) = ending.reviews()
    assert said.endswith(f"which waits in {review['id']}")
    assert (review["machine"], review["revert"]) == ("ttl", "controlplane tenant restore acme")
    assert "warned, 30 minutes left" in review["evidence"]
    ending.sweep(hours=1)
    assert [r["id"] for r in ending.reviews()] == [review["id"]]
    assert len(desk.house.cloud.databases()) == 1
    desk.merge(review["id"])
    assert desk.house.cloud.databases() == []
    assert desk.on_main() is None


def test_who_said_no_to_an_end_is_asked_again_after_a_day(ending: Ending) -> None:
    ending.sweep(hours=2)
    (review,) = ending.reviews()
    reviews.close(ending.control, ADMIN, review["id"], ASK)
    assert ending.sweep(hours=23) == []
    assert len(ending.sweep(hours=2)) == 1
    assert [r["status"] for r in ending.reviews()] == ["open", "closed"]


def test_an_end_that_is_put_off_takes_its_review_back(desk: Desk, ending: Ending) -> None:
    ending.sweep(hours=2)
    (review,) = ending.reviews()
    describe(ending.control, ADMIN, "acme", Particulars(ttl_days=30), ASK)
    assert ending.sweep(hours=0.1) == ["acme is not destroyed: its end was put off"]
    (after,) = ending.reviews()
    assert (after["id"], after["status"]) == (review["id"], "closed")
    assert asking.show(desk.control, ADMIN, review["operation"])["status"] == "rejected"
