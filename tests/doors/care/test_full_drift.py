"""The full look: who is planned, what of it is written down, and what people do about it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from controlplane.domain.errors import Refused, Unavailable
from controlplane.ports import PlanFound, PlanWanted
from controlplane.services.asking import Way
from controlplane.services.control import Ask
from controlplane.services.drift import deciding, scanning
from controlplane.services.drift.asked import Listing, Scanning
from controlplane.services.drift.planning import SCHEDULE
from controlplane.services.schedules import listing, running
from controlplane.store import platforms
from tests.doors.care.neighbourhood import ADMIN, WAY, Neighbourhood
from tests.fakes.runner import create, plan_of
from tests.golden.workspaces import PLATFORM

ALARM = "aws_cloudwatch_metric_alarm.this"
GONE = plan_of(create(ALARM))
ASK = Ask(reason="a test")


@dataclass
class FakePlans:
    """`PlanSource` in memory: an empty plan for whoever has none of its own."""

    documents: dict[str, dict[str, Any] | str] = field(default_factory=dict)
    asked: list[PlanWanted] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def plans(self, wanted: Iterable[PlanWanted]) -> Iterator[PlanFound]:
        for one in wanted:
            self.asked.append(one)
            self.meanwhile()
            found = self.documents.get(one.workspace, plan_of())
            if isinstance(found, str):
                yield PlanFound(one.workspace, problem=found)
            else:
                yield PlanFound(one.workspace, found)


@pytest.fixture
def plans(here: Neighbourhood) -> FakePlans:
    """The platforms have recorded what a workspace is rendered from."""
    made = FakePlans()
    with here.control.db.write() as session:
        for row in platforms.every(session):
            platforms.record_outputs(session, row.workspace_id, dict(PLATFORM), "ready", here.clock.now)
    here.premises.control = here.control = replace(here.control, plan_source=lambda: made)
    return made


def scan(here: Neighbourhood, **body: Any) -> dict[str, Any]:
    return scanning.scan(here.control, ADMIN, Scanning(full=True, **body), WAY)


def listed(here: Neighbourhood, **query: Any) -> list[dict[str, Any]]:
    return list(deciding.page(here.control, ADMIN, Listing(**query))["items"])


def workspace(here: Neighbourhood, slug: str) -> str:
    return f"tenant-{here.slot(slug)['uid']}"


def test_what_only_a_plan_sees_is_found_once_and_ends_when_a_plan_is_empty(
    here: Neighbourhood, plans: FakePlans
) -> None:
    here.tenant("acme")
    plans.documents[workspace(here, "acme")] = GONE
    assert scan(here, every=True)["inbox"] == {"new": 1}
    assert scan(here, every=True)["inbox"] == {"known": 1}
    (found,) = listed(here)
    assert (found["attribute"], found["severity"], found["situation"]) == (ALARM, "real", "plan")
    plans.documents.clear()
    assert scan(here, every=True)["inbox"] == {"ended": 1}


def test_a_fast_look_and_a_plan_leave_each_others_findings_alone(
    here: Neighbourhood, plans: FakePlans
) -> None:
    identifier = here.tenant("acme")
    here.cloud.change_database(identifier, public=True)
    plans.documents[workspace(here, "acme")] = GONE
    scan(here)
    scanning.scan(here.control, ADMIN, Scanning(), WAY)
    assert sorted(d["attribute"] for d in listed(here)) == sorted([ALARM, "public"])
    here.cloud.change_database(identifier, public=False)
    scanning.scan(here.control, ADMIN, Scanning(), WAY)
    assert [d["attribute"] for d in listed(here)] == [ALARM]


def test_who_differs_is_planned_first_and_who_was_planned_lately_is_not(
    here: Neighbourhood, plans: FakePlans
) -> None:
    here.tenant("calm")
    here.cloud.change_database(here.tenant("wild"), multi_az=True)
    first = scan(here, most=1)
    assert [(one["tenant"], one["why"]) for one in first["planned"]] == [("wild", "seen")]
    second = scan(here)
    assert [(one["tenant"], one["why"]) for one in second["planned"]] == [("wild", "seen"), ("calm", "age")]
    here.cloud.change_database(here.slot("wild")["identifier"], multi_az=False)
    assert [one["why"] for one in scan(here)["planned"]] == ["sample"]


def test_a_workspace_is_planned_as_it_is_recorded(here: Neighbourhood, plans: FakePlans) -> None:
    here.tenant("acme")
    scan(here, every=True)
    (wanted,) = plans.asked
    assert "tenant.auto.tfvars.json" in wanted.files
    assert "tenant.yaml" not in wanted.files
    assert here.slot("acme")["identifier"] in wanted.files["tenant.auto.tfvars.json"]


def test_storage_that_grew_is_what_the_next_plan_asks_for(here: Neighbourhood, plans: FakePlans) -> None:
    identifier = here.tenant("acme")
    scan(here, every=True)
    here.cloud.change_database(identifier, storage_gb=27)
    scan(here, every=True)
    asked = [json.loads(wanted.files["tenant.auto.tfvars.json"]) for wanted in plans.asked]
    sizes = [one["slots"]["e1"]["storage_gb"] for one in asked]
    assert sizes == [20, 27]


def test_one_that_cannot_be_planned_is_named_and_the_others_go_on(
    here: Neighbourhood, plans: FakePlans
) -> None:
    here.tenant("bad")
    here.tenant("good")
    plans.documents[workspace(here, "bad")] = "planning: terraform exited 1: no credentials"
    plans.documents[workspace(here, "good")] = {"format_version": "7"}
    found = {one["tenant"]: one["problem"] for one in scan(here, every=True)["planned"]}
    assert "no credentials" in found["bad"]
    assert "format version" in found["good"]
    assert listed(here) == []


def test_one_that_cannot_be_rendered_is_named_too(here: Neighbourhood) -> None:
    here.tenant("acme")
    able = replace(here.control, plan_source=FakePlans)
    (found,) = scanning.scan(able, ADMIN, Scanning(full=True), WAY)["planned"]
    assert "the platform has no recorded" in found["problem"]


def test_what_was_changed_while_it_was_planned_says_nothing(here: Neighbourhood, plans: FakePlans) -> None:
    here.tenant("acme")
    plans.documents[workspace(here, "acme")] = GONE

    def busy() -> None:
        with here.control.db.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE operation SET status = 'planning'")

    plans.meanwhile = busy
    (planned,) = scan(here, every=True)["planned"]
    assert planned["problem"] == "it was changed meanwhile"
    assert listed(here) == []


def test_a_dry_run_plans_and_writes_nothing(here: Neighbourhood, plans: FakePlans) -> None:
    here.tenant("acme")
    plans.documents[workspace(here, "acme")] = GONE
    way = Way(Ask(), dry_run=True)
    found = scanning.scan(here.control, ADMIN, Scanning(full=True), way)
    assert [d["attribute"] for d in found["planned"][0]["items"]] == [ALARM]
    assert listed(here) == []
    assert [one["why"] for one in scan(here)["planned"]] == ["age"]


def test_what_a_plan_found_an_ordinary_operation_mends_and_nobody_accepts(
    here: Neighbourhood, plans: FakePlans
) -> None:
    here.tenant("acme")
    plans.documents[workspace(here, "acme")] = GONE
    scan(here, every=True)
    (found,) = listed(here)
    with pytest.raises(Refused, match="nothing to accept"):
        deciding.accept(here.control, ADMIN, found["id"], ASK)
    operation = deciding.reconcile(here.control, ADMIN, found["id"], ASK)
    assert operation["kind"] == "reconcile"


def test_a_database_that_terraform_would_make_anew_is_not_reconciled(
    here: Neighbourhood, plans: FakePlans
) -> None:
    here.tenant("acme")
    plans.documents[workspace(here, "acme")] = plan_of(create("aws_db_instance.this"))
    scan(here, every=True)
    (found,) = listed(here)
    with pytest.raises(Refused, match="a plan does not mend"):
        deciding.reconcile(here.control, ADMIN, found["id"], ASK)


# --- where no Terraform may run -----------------------------------------------------------------------


def test_a_server_leaves_plans_to_the_worker(here: Neighbourhood) -> None:
    here.tenant("acme")
    with pytest.raises(Unavailable, match="no worker"):
        scan(here)
    listing.change(here.control, ADMIN, SCHEDULE, listing.Change(), ASK)
    found = scan(here)
    assert (found["asked"], found["planned"]) == (f"the worker, by its schedule {SCHEDULE}", [])
    due = {row["name"]: row["due_at"] for row in listing.page(here.control, ADMIN)["items"]}
    assert due[SCHEDULE] == here.clock.now.isoformat()
    with pytest.raises(Refused, match="by its schedule"):
        scan(here, selector="stage=poc")


def test_the_schedule_plans_where_terraform_may_run_and_is_left_to_the_worker_elsewhere(
    here: Neighbourhood, plans: FakePlans
) -> None:
    here.tenant("acme")
    asked = running.run(replace(here.control, plan_source=None), ADMIN, SCHEDULE, ASK)
    assert (asked["last_status"], asked["due_at"]) == ("", here.clock.now.isoformat())
    done = running.run(here.control, ADMIN, SCHEDULE, ASK)
    assert (done["last_status"], done["last_words"]) == (
        "done",
        "1 workspaces planned: 0 differences, 0 could not be planned",
    )
