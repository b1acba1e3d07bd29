"""kill -9 of everybody who has a part in a run: what is recorded, and what is durable afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from controlplane.domain.errors import Locked
from controlplane.domain.names import RunId
from controlplane.ports import RunStatus, RunVerb
from controlplane.store.runs import Runs
from controlplane.store.tables import AuditEntry, Run, WorkerLease
from controlplane.supervisor.locks import is_held
from controlplane.supervisor.task import LOCK_INFO_PATH, STATE_PATH
from tests.contract.runner_stage import WORKSPACE, RealStage, order, until
from tests.contract.state_stage import BOTH, staged_in

pytestmark = pytest.mark.terraform

A1 = RunId("a1")


@pytest.fixture(params=BOTH)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[RealStage, str]]:
    """A stage, and where its S3 is."""
    with staged_in(request.param, tmp_path) as made:
        made[0].configure(resources=3, seconds=4)
        made[0].plan()
        yield made


@pytest.fixture
def stage(home: tuple[RealStage, str]) -> RealStage:
    return home[0]


def resources_of(stage: RealStage) -> list[str]:
    state = stage.runner().state(WORKSPACE)
    return [] if state is None else [r["name"] for r in state["resources"] if r["instances"]]


def apply_is_under_way(stage: RealStage) -> None:
    """The first resource is made, the second takes its time, the third waits for it."""
    stage.begin_apply()
    stage.wait_for_line("a1", "r0: Creation complete")


def start_in_another_process(stage: RealStage, endpoint: str) -> subprocess.Popen[bytes]:
    program = (
        "import sys, time; from pathlib import Path; from tests.contract.state_stage import stage_at\n"
        "stage_at(Path(sys.argv[1]), sys.argv[2]).begin_apply(); print('started', flush=True); time.sleep(99)"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, str(stage.tmp), endpoint],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


def test_a_killed_worker_does_not_harm_its_run(home: tuple[RealStage, str]) -> None:
    stage, endpoint = home
    worker = start_in_another_process(stage, endpoint)
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"started\n"
    os.killpg(worker.pid, signal.SIGKILL)  # its whole group
    worker.wait(10)
    worker.stdout.close()
    assert stage.runner().look(A1).status is RunStatus.RUNNING
    assert stage.finish("a1").exit_code == 0
    assert resources_of(stage) == ["r0", "r1", "r2"]


def test_a_killed_supervisor_is_replaced_and_terraform_finishes(stage: RealStage) -> None:
    apply_is_under_way(stage)
    stage.kill_supervisor("a1")
    assert stage.runner().look(A1).status is RunStatus.RUNNING
    report = stage.finish("a1")
    assert (report.status, report.exit_code) == (RunStatus.LOST, None)
    assert resources_of(stage) == ["r0", "r1", "r2"]
    lines = stage.runner().lines(A1)
    texts = [line.text for line in lines]
    assert [line.offset for line in lines] == list(range(1, len(lines) + 1))
    assert any("Apply complete! Resources: 3 added" in text for text in texts)
    assert sum("r0: Creation complete" in text for text in texts) == 1
    assert any("supervisor" in text for text in texts)


def test_a_successor_that_starts_the_run_again_follows_it(stage: RealStage) -> None:
    apply_is_under_way(stage)
    stage.kill_supervisor("a1")
    assert stage.begin_apply().status is RunStatus.RUNNING
    assert stage.finish("a1").status is RunStatus.LOST
    ran = [line for line in stage.runner().lines(A1) if line.text.startswith("Terraform 1.")]
    assert len(ran) == 1


def test_killed_terraform_leaves_its_finished_resources_durable(stage: RealStage) -> None:
    apply_is_under_way(stage)
    stage.kill_terraform("a1")
    report = stage.finish("a1")
    assert (report.status, report.exit_code) == (RunStatus.LOST, None)
    assert "r0" in resources_of(stage)
    planned = stage.plan("p2")
    assert planned.exit_code == 2
    changes = stage.runner().plan_json(RunId("p2"))["resource_changes"]
    by_name = {c["name"]: c["change"]["actions"] for c in changes}
    assert by_name["r0"] == ["no-op"]


def test_with_terraform_its_children_die(stage: RealStage) -> None:
    apply_is_under_way(stage)
    group = stage.pid(stage.run_folder("a1").terraform_lock)
    stage.kill_terraform("a1")
    stage.finish("a1")
    assert not stage.lives(group)


def test_when_both_are_killed_the_run_is_lost_and_what_was_made_is_durable(stage: RealStage) -> None:
    apply_is_under_way(stage)
    terraform = stage.pid(stage.run_folder("a1").terraform_lock)
    stage.kill_supervisor("a1")
    os.killpg(terraform, signal.SIGKILL)
    report = stage.finish("a1")
    assert (report.status, report.exit_code) == (RunStatus.LOST, None)
    assert "r0" in resources_of(stage)
    assert stage.plan("p2").exit_code == 2


def test_a_provider_that_outlives_both_is_not_left_working(stage: RealStage) -> None:
    apply_is_under_way(stage)
    group = stage.pid(stage.run_folder("a1").terraform_lock)
    stage.kill_supervisor("a1")
    os.kill(group, signal.SIGKILL)  # the provisioner's shell lives on, and holds the lock
    assert stage.finish("a1").status is RunStatus.LOST
    assert not stage.lives(group)


def test_nobody_plans_a_workspace_while_a_terraform_of_a_dead_supervisor_lives(stage: RealStage) -> None:
    apply_is_under_way(stage)
    patient, stage.place = stage.place, replace(stage.place, wait_seconds=0.1)
    with pytest.raises(Locked, match=WORKSPACE):
        stage.runner().start(order(RunVerb.PLAN, "p2", stage.folder))
    stage.kill_supervisor("a1")
    with pytest.raises(Locked):
        stage.runner().start(order(RunVerb.PLAN, "p3", stage.folder))
    assert stage.finish("a1").status is RunStatus.LOST
    stage.place = patient
    assert stage.plan("p2").exit_code == 0  # the refused order can be given again


def test_a_run_that_was_claimed_but_not_begun_is_started_again(stage: RealStage) -> None:
    runs = Runs(stage.database(), stage.keyring)
    wanted = order(RunVerb.APPLY, "a1", stage.folder, plan_run=RunId("p1"))
    runs.order(wanted)
    with stage.database().write() as session:
        row = session.get_one(Run, "a1")
        row.status, row.host, row.supervisor = "claimed", stage.place.host_identity, "dead"
    assert stage.runner().look(A1).status is RunStatus.NEVER_STARTED
    assert stage.apply().exit_code == 0


def test_a_run_of_another_host_is_lost_with_its_lock_only_when_both_leases_are_out(stage: RealStage) -> None:
    runs = Runs(stage.database(), stage.keyring)
    runs.order(order(RunVerb.APPLY, "a1", stage.folder, plan_run=RunId("p1")))
    now = runs.now()
    with stage.database().write() as session:
        row = session.get_one(Run, "a1")
        row.status, row.host, row.supervisor, row.lease_until = "running", "far:1", "x", now + 100
        session.add(WorkerLease(executor_id="w", host="far", pid=1, lease_until=now + 100, started_at=now))
    stage.states.lock(WORKSPACE, "run:a1", "run:a1", {"ID": "run:a1"})
    assert stage.runner().look(A1).status is RunStatus.RUNNING
    with stage.database().write() as session:
        session.get_one(Run, "a1").lease_until = now - 1
    assert stage.runner().look(A1).status is RunStatus.RUNNING  # its host still works
    assert stage.states.lock_holder(WORKSPACE) is not None
    with stage.database().write() as session:
        session.get_one(WorkerLease, "w").lease_until = now - 1
    assert stage.runner().look(A1).status is RunStatus.LOST
    assert stage.states.lock_holder(WORKSPACE) is None
    with stage.database().read() as session:
        [entry] = session.scalars(select(AuditEntry))
    assert (entry.action, entry.subject, entry.before["Host"]) == ("lock.released", WORKSPACE, "far:1")


def test_a_restart_of_the_supervisors_signals_does_not_end_it(stage: RealStage) -> None:
    apply_is_under_way(stage)
    supervisor = stage.pid(stage.run_folder("a1").supervisor_lock)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(supervisor, number)
    report = stage.finish("a1")
    assert (report.status, report.exit_code) == (RunStatus.ENDED, 0)


def test_the_end_is_written_later_when_the_database_is_locked_meanwhile(stage: RealStage) -> None:
    apply_is_under_way(stage)
    folder = stage.run_folder("a1")
    with stage.database().write() as session:
        session.get_one(Run, "p1").pid = 1
        session.flush()  # this transaction keeps everybody else from writing
        until(lambda: not is_held(folder.terraform_lock), "Terraform's end")
        time.sleep(0.5)
        assert is_held(folder.supervisor_lock)
    report = stage.finish("a1")
    assert (report.status, report.exit_code) == (RunStatus.ENDED, 0)
    assert resources_of(stage) == ["r0", "r1", "r2"]


def test_a_catalog_that_is_gone_does_not_keep_a_supervisor_for_ever(stage: RealStage) -> None:
    stage.begin_apply()
    folder = stage.run_folder("a1")
    supervisor = stage.pid(folder.supervisor_lock)
    stage.close_databases()
    for file in stage.tmp.glob("tenants.db*"):
        file.rename(file.with_name(f"gone-{file.name}"))
    until(lambda: not is_held(folder.terraform_lock), "Terraform's end")
    assert supervisor > 1


def test_nothing_is_left_of_a_supervisor_that_was_killed_after_it_wrote_the_end(stage: RealStage) -> None:
    stage.apply()
    folder = stage.run_folder("a1")
    folder.path.mkdir()
    folder.log.write_text("raw output")
    folder.terraform_lock.touch()
    newest = stage.states.newest(WORKSPACE)
    assert newest is not None
    left = stage.folder / ".run/terraform.tfstate"
    left.write_bytes(newest.content)
    stage.plan("p2")
    assert not folder.path.exists()
    assert not left.exists()


def test_a_dead_runs_lock_on_the_state_is_released_and_a_persons_is_not(stage: RealStage) -> None:
    states = stage.states
    states.lock(WORKSPACE, "run:p1", "run:p1")  # p1 has ended
    assert stage.plan("p2").exit_code == 2
    assert states.lock_holder(WORKSPACE) is None
    states.lock(WORKSPACE, "uuid", "person:ada")
    with pytest.raises(Locked, match="ada"):
        stage.runner().start(order(RunVerb.PLAN, "p3", stage.folder))
    states.unlock(WORKSPACE, "uuid")
    assert stage.plan("p3").exit_code == 2


def test_a_terraform_of_somebody_else_in_the_folder_is_waited_for(stage: RealStage) -> None:
    state, description = stage.folder / STATE_PATH, stage.folder / LOCK_INFO_PATH
    state.write_bytes(b"{}")
    description.write_text('{"ID": "uuid-1", "Who": "ada@laptop"}')
    lock = "import fcntl, sys, time; f = open(sys.argv[1], 'rb+'); fcntl.lockf(f, fcntl.LOCK_EX)"
    program = f"{lock}; print('locked', flush=True); time.sleep(99)"
    ada = subprocess.Popen([sys.executable, "-c", program, str(state)], stdout=subprocess.PIPE)
    assert ada.stdout is not None and ada.stdout.readline() == b"locked\n"
    with pytest.raises(Locked, match="ada@laptop holds the lock uuid-1"):
        stage.runner().start(order(RunVerb.PLAN, "p2", stage.folder))
    assert stage.states.lock_holder(WORKSPACE) is None
    ada.kill()
    ada.wait(10)
    ada.stdout.close()
    assert stage.plan("p2").exit_code == 2
    assert any("uuid-1, left by a run that died" in line.text for line in stage.runner().lines(RunId("p2")))


def test_a_run_holds_the_states_lock_while_it_runs(stage: RealStage) -> None:
    apply_is_under_way(stage)
    holder = stage.states.lock_holder(WORKSPACE)
    assert holder is not None
    assert holder.holder == "run:a1"
    stage.finish("a1")
    assert stage.states.lock_holder(WORKSPACE) is None


def test_supervisors_that_run_in_parallel_share_the_seats(tmp_path: Path) -> None:
    stage = RealStage(tmp_path, slots=1)
    try:
        stage.configure(resources=2, seconds=2)
        stage.plan()
        stage.begin_apply()
        stage.wait_for_line("a1", "r0: Creating")
        other = tmp_path / "other"
        other.mkdir()
        (other / "main.tf").write_text("")
        second = replace(order(RunVerb.PLAN, "q1", other), workspace=type(WORKSPACE)("other"))
        stage.runner().start(second)
        stage.wait_for_line("q1", "waiting: as many Terraform")
        assert stage.finish("a1").exit_code == 0
        first_end, second_start = stage.runner().look(A1).ended_at, stage.finish("q1").started_at
        assert first_end is not None
        assert second_start is not None
        assert second_start >= first_end.replace(microsecond=0)
    finally:
        stage.close()


def test_one_tenants_run_is_seated_before_the_runs_of_a_bulk_change(tmp_path: Path) -> None:
    stage = RealStage(tmp_path, slots=1)
    try:
        stage.configure(resources=2, seconds=8)  # so that all three come to wait, on a busy machine too
        stage.plan()
        stage.begin_apply()
        stage.wait_for_line("a1", "r0: Creating")
        for name, priority in (("bulk-1", 20), ("bulk-2", 20), ("single", 10)):
            folder = tmp_path / name
            folder.mkdir()
            (folder / "main.tf").write_text("")
            asked = order(RunVerb.PLAN, name, folder, priority=priority)
            stage.runner().start(replace(asked, workspace=type(WORKSPACE)(name)))
            stage.wait_for_line(name, "waiting: as many Terraform")
        began = {name: stage.finish(name).started_at for name in ("single", "bulk-1", "bulk-2")}
        assert sorted(began, key=lambda name: str(began[name])) == ["single", "bulk-1", "bulk-2"]
    finally:
        stage.close()


def test_a_run_that_waits_for_a_seat_can_be_interrupted(tmp_path: Path) -> None:
    stage = RealStage(tmp_path, slots=1)
    try:
        stage.configure(resources=2, seconds=3)
        stage.plan()
        stage.begin_apply()
        stage.wait_for_line("a1", "r0: Creating")
        other = tmp_path / "other"
        other.mkdir()
        (other / "main.tf").write_text("")
        stage.runner().start(replace(order(RunVerb.PLAN, "q1", other), workspace=type(WORKSPACE)("other")))
        assert stage.runner().interrupt(RunId("q1"))
        report = stage.finish("q1")
        assert (report.status, report.interrupted, report.started_at) == (RunStatus.ENDED, True, None)
    finally:
        stage.close()


@pytest.mark.long
def test_a_run_that_only_waits_makes_room_for_another(tmp_path: Path) -> None:
    stage = RealStage(tmp_path, slots=1)
    try:
        stage.configure(resources=2, seconds=25)
        stage.plan()
        stage.begin_apply()
        stage.wait_for_line("a1", "r1: Still creating")
        other = tmp_path / "other"
        other.mkdir()
        (other / "main.tf").write_text("")
        stage.runner().start(replace(order(RunVerb.PLAN, "q1", other), workspace=type(WORKSPACE)("other")))
        assert stage.finish("q1").exit_code == 0
        assert stage.runner().look(A1).status is RunStatus.RUNNING
        assert stage.finish("a1").exit_code == 0
    finally:
        stage.close()
