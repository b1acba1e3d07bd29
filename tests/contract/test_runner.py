"""The promises of a Runner, kept by the fake and by real Terraform alike."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.domain.errors import Invalid, Missing
from controlplane.domain.names import RunId, WorkspaceId
from controlplane.ports import RunStatus, RunVerb
from tests.contract.runner_stage import WORKSPACE, Stage, order, stages


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.terraform)])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    yield from stages(request.param, tmp_path)


def test_a_run_that_nobody_ordered_never_started(stage: Stage) -> None:
    assert stage.runner().look(RunId("nobody")).status is RunStatus.NEVER_STARTED
    assert stage.runner().lines(RunId("nobody")) == []
    for ask in (stage.runner().plan_json, stage.runner().binding, stage.runner().interrupt):
        with pytest.raises(Missing, match="nobody"):
            ask(RunId("nobody"))


def test_a_plan_tells_its_changes_and_an_apply_makes_them(stage: Stage) -> None:
    stage.configure(resources=2)
    planned = stage.plan()
    assert (planned.status, planned.exit_code) == (RunStatus.ENDED, 2)
    changes = stage.runner().plan_json(RunId("p1"))["resource_changes"]
    assert [c["change"]["actions"] for c in changes] == [["create"], ["create"]]
    assert stage.runner().state(WORKSPACE) is None
    applied = stage.apply()
    assert (applied.status, applied.exit_code) == (RunStatus.ENDED, 0)
    state = stage.runner().state(WORKSPACE)
    assert state is not None
    assert state["serial"] == applied.state_serial
    assert len(state["resources"]) == 2


def test_a_log_begins_with_the_request_that_it_comes_from(stage: Stage) -> None:
    stage.configure()
    stage.plan(request_id="req-1m7w8khsd95yez71")
    first = stage.runner().lines(RunId("p1"))[0]
    assert first.text == "plan for operation op, asked for by request req-1m7w8khsd95yez71"


def test_the_plan_after_an_apply_is_empty(stage: Stage) -> None:
    stage.configure()
    stage.plan()
    stage.apply()
    assert stage.plan("p2").exit_code == 0
    plan = stage.runner().plan_json(RunId("p2"))
    assert [c for c in plan["resource_changes"] if c["change"]["actions"] != ["no-op"]] == []


def test_what_is_forgotten_is_made_again_by_the_next_plan_and_nothing_else(stage: Stage) -> None:
    stage.configure(resources=2)
    stage.plan()
    stage.apply()
    before = stage.runner().state(WORKSPACE)
    assert before is not None
    stage.runner().forget(WORKSPACE, ["terraform_data.r1", "terraform_data.never"])
    stage.runner().forget(WORKSPACE, ["terraform_data.r1"])
    after = stage.runner().state(WORKSPACE)
    assert after is not None
    assert (after["serial"], after["lineage"]) == (before["serial"] + 1, before["lineage"])
    assert len(after["resources"]) == 1
    stage.runner().forget(WorkspaceId("tenant-none"), ["terraform_data.r1"])


def test_a_destroying_plan_removes_everything(stage: Stage) -> None:
    stage.configure(resources=2)
    stage.plan()
    stage.apply()
    assert stage.plan("p2", destroy=True).exit_code == 2
    changes = stage.runner().plan_json(RunId("p2"))["resource_changes"]
    assert [c["change"]["actions"] for c in changes] == [["delete"], ["delete"]]
    assert stage.apply("a2", "p2").exit_code == 0
    state = stage.runner().state(WORKSPACE)
    assert state is not None
    assert state["resources"] == []


def test_a_second_order_of_a_run_starts_nothing(stage: Stage) -> None:
    stage.configure()
    stage.plan()
    first = stage.apply()
    before = stage.runner().state(WORKSPACE)
    assert stage.begin_apply() == first
    assert stage.runner().state(WORKSPACE) == before


def test_of_three_started_at_once_one_runs(stage: Stage) -> None:
    stage.configure(resources=2, seconds=1)
    stage.plan()
    runners = [stage.runner() for _ in range(3)]
    wanted = order(RunVerb.APPLY, "a1", stage.folder, plan_run=RunId("p1"))
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(lambda runner: runner.start(wanted), runners))
    assert RunStatus.LOST not in {report.status for report in reports}
    assert stage.finish("a1").exit_code == 0
    done = [line for line in stage.runner().lines(RunId("a1")) if line.text.startswith("Apply complete!")]
    assert len(done) == 1


def test_a_plan_that_was_overtaken_is_refused_as_stale(stage: Stage) -> None:
    stage.configure()
    stage.plan("p1")
    stage.configure()
    stage.plan("p2")
    stage.apply("a2", "p2")
    stale = stage.apply("a1", "p1")
    assert (stale.status, stale.exit_code) == (RunStatus.ENDED, 1)
    assert any("stale" in line for line in stale.tail)


def test_one_plan_is_not_applied_twice(stage: Stage) -> None:
    stage.configure()
    stage.plan()
    assert stage.apply("a1").exit_code == 0
    assert stage.apply("a2").exit_code == 1


def test_the_binding_of_a_plan_changes_when_its_state_does(stage: Stage) -> None:
    stage.configure()
    stage.plan("p1")
    stage.configure()
    stage.plan("p2")
    before = stage.runner().binding(RunId("p1"))
    assert stage.runner().binding(RunId("p1")) == before
    stage.apply("a2", "p2")
    assert stage.runner().binding(RunId("p1")) != before


def test_an_apply_without_a_plan_is_no_order(stage: Stage) -> None:
    stage.configure()
    with pytest.raises(Invalid, match="plan"):
        stage.runner().start(order(RunVerb.APPLY, "a1", stage.folder))
    with pytest.raises(Missing, match="p9"):
        stage.begin_apply("a1", "p9")


def test_lines_are_complete_and_in_order_for_late_comers(stage: Stage) -> None:
    stage.configure(resources=2, says="made")
    stage.plan()
    stage.apply()
    runner = stage.runner()
    every = runner.lines(RunId("a1"))
    assert [line.offset for line in every] == list(range(1, len(every) + 1))
    assert any("made" in line.text for line in every)
    paged, after = [], 0
    while page := runner.lines(RunId("a1"), after, limit=2):
        paged += page
        after = page[-1].offset
    assert paged == every
    assert list(runner.look(RunId("a1")).tail) == [line.text for line in every]


def test_a_secret_that_is_known_by_its_form_is_not_in_the_lines(stage: Stage) -> None:
    stage.configure(says="password=hunter2hunter2")
    stage.plan()
    tail = "\n".join(stage.apply().tail)
    assert "hunter2" not in tail
    assert "password=(sensitive value)" in tail


def test_a_plan_can_be_interrupted(stage: Stage) -> None:
    stage.configure(hangs=True)
    stage.runner().start(order(RunVerb.PLAN, "p1", stage.folder))
    assert stage.runner().look(RunId("p1")).status is RunStatus.RUNNING
    assert stage.runner().interrupt(RunId("p1"))
    report = stage.finish("p1")
    assert (report.status, report.interrupted, report.timed_out) == (RunStatus.ENDED, True, False)
    assert report.exit_code not in (0, 2)
    assert not stage.runner().interrupt(RunId("p1"))


def test_an_apply_that_touches_a_database_is_only_interrupted_when_a_person_insists(stage: Stage) -> None:
    stage.configure(resources=2, seconds=100)
    stage.plan()
    stage.begin_apply(touches_database=True)
    assert not stage.runner().interrupt(RunId("a1"))
    assert stage.runner().look(RunId("a1")).status is RunStatus.RUNNING
    assert stage.runner().interrupt(RunId("a1"), insist=True)
    report = stage.finish("a1")
    assert (report.status, report.interrupted) == (RunStatus.ENDED, True)
    assert report.exit_code != 0


def test_an_apply_that_touches_no_database_can_be_interrupted(stage: Stage) -> None:
    stage.configure(resources=2, seconds=100)
    stage.plan()
    stage.begin_apply()
    assert stage.runner().interrupt(RunId("a1"))
    assert stage.finish("a1").interrupted


def test_a_run_over_its_time_out_is_stopped(stage: Stage) -> None:
    stage.configure(resources=2, seconds=100)
    stage.plan()
    report = stage.apply(timeout_seconds=1)
    assert (report.status, report.timed_out, report.interrupted) == (RunStatus.ENDED, True, False)
    assert report.exit_code != 0


def test_an_apply_that_touches_a_database_goes_on_over_its_time_out(stage: Stage) -> None:
    stage.configure(resources=2, seconds=3)
    stage.plan()
    report = stage.apply(timeout_seconds=1, touches_database=True)
    assert (report.status, report.timed_out, report.exit_code) == (RunStatus.ENDED, True, 0)


def test_the_successor_of_a_worker_sees_the_run_and_its_end(stage: Stage) -> None:
    stage.configure(resources=2, seconds=1)
    stage.plan()
    stage.begin_apply()
    successor = stage.runner()
    wanted = order(RunVerb.APPLY, "a1", stage.folder, plan_run=RunId("p1"))
    assert successor.start(replace(wanted)).status in (RunStatus.RUNNING, RunStatus.ENDED)
    assert stage.finish("a1").exit_code == 0
    state = successor.state(WORKSPACE)
    assert state is not None
    assert len(state["resources"]) == 2


def test_the_version_names_the_product(stage: Stage) -> None:
    product, _, number = stage.runner().version().partition(" ")
    assert product in ("terraform", "opentofu")
    assert number.count(".") == 2
