"""A worker in a container, with processes of its own under an init: what dies with it, and what does not."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from controlplane.domain.names import RunId
from controlplane.ports import RunStatus
from tests.contract.runner_stage import WORKSPACE, RealStage, until

pytestmark = pytest.mark.terraform

A1 = RunId("a1")
# --kill-child: with `unshare` dies process 1 in there, and with that the kernel ends all the others.
CONTAINER = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
WORKER = (
    "import os, sys, time; from pathlib import Path; from tests.contract.runner_stage import RealStage\n"
    "RealStage(Path(sys.argv[1])).begin_apply(); print(os.getpid(), flush=True); time.sleep(100)"
)
# Two inits: one that reaps its children, and one that has no idea that it has any.
REAPS, LEAVES_ZOMBIES = "{worker} & wait; sleep 100", "{worker} & exec sleep 100"


def _refused() -> str:
    """Why this machine gives no namespace; empty: it does."""
    try:
        done = subprocess.run([*CONTAINER, "true"], capture_output=True, text=True, timeout=30, check=False)
    except OSError as error:
        return f"there is no unshare: {error.strerror}"
    return done.stderr.strip() if done.returncode else ""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[RealStage]:
    refused = _refused()
    if refused:
        pytest.skip(f"no process namespace of our own: {refused}")
    real = RealStage(tmp_path)
    real.configure(resources=3, seconds=4)
    real.plan()
    try:
        yield real
    finally:
        real.close()


@contextmanager
def container(stage: RealStage, init: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """It, and its worker's process number as that knows it; the apply is under way."""
    worker = shlex.join([sys.executable, "-c", WORKER, str(stage.tmp)])
    process = subprocess.Popen(
        [*CONTAINER, "sh", "-c", init.format(worker=worker)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        inside = int(process.stdout.readline())
        stage.wait_for_line("a1", "r0: Creation complete")
        yield process, inside
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


def kill_inside(container: subprocess.Popen[str], number: int) -> None:
    """By its number in there: the init's children are looked through for it."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
        except OSError:
            continue
        numbers = lines.get("NSpid", "").split()
        if len(numbers) > 1 and numbers[-1] == str(number) and _belongs_to(int(numbers[0]), container.pid):
            os.kill(int(numbers[0]), signal.SIGKILL)
            return
    raise AssertionError(f"nothing has the number {number} in there")


def _belongs_to(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return False


def test_a_container_that_is_killed_loses_the_run_and_another_worker_settles_it(stage: RealStage) -> None:
    with container(stage, REAPS) as (process, _):
        process.kill()
        process.wait(10)
        report = stage.finish("a1")
    assert (report.status, report.exit_code) == (RunStatus.LOST, None)
    state = stage.runner().state(WORKSPACE)
    assert state is not None
    assert "r0" in [r["name"] for r in state["resources"] if r["instances"]]
    assert stage.plan("p2").exit_code == 2
    changes = stage.runner().plan_json(RunId("p2"))["resource_changes"]
    assert {c["name"]: c["change"]["actions"] for c in changes}["r0"] == ["no-op"]


@pytest.mark.parametrize("init", [REAPS, LEAVES_ZOMBIES], ids=["reaps", "leaves zombies"])
def test_a_worker_that_dies_under_its_init_leaves_the_run_to_others(stage: RealStage, init: str) -> None:
    with container(stage, init) as (process, worker):
        kill_inside(process, worker)
        assert stage.runner().look(A1).status is RunStatus.RUNNING
        report = stage.finish("a1")
    assert (report.status, report.exit_code) == (RunStatus.ENDED, 0)


def test_who_has_a_dead_containers_process_number_here_is_left_alone(stage: RealStage) -> None:
    with container(stage, REAPS) as (process, _):
        terraform = stage.pid(stage.run_folder("a1").terraform_lock)
        before = stage.lives(terraform)  # a number of the container's, here of somebody else or of nobody
        process.kill()
        process.wait(10)
        until(lambda: stage.runner().look(A1).status is RunStatus.LOST, "the run is lost")
    assert stage.lives(terraform) == before
