"""The story that a newcomer sees first: it has to work, and to leave nothing behind."""

from __future__ import annotations

import re
import shutil
import signal

import pytest

from controlplane.terminal.demo.scenes import SCENES
from tests.e2e.machine import Machine

pytestmark = [pytest.mark.terraform, pytest.mark.postgres, pytest.mark.timeout(1500)]


def assert_nothing_is_left(machine: Machine) -> None:
    assert machine.workers_left() == {}
    assert list(machine.temporary.iterdir()) == []


def test_the_short_demo_takes_a_tenant_in_and_out_and_leaves_nothing(machine: Machine) -> None:
    code, told = machine.run("demo", "--short", seconds=1400)
    assert code == 0, told[-4000:]
    for scene in SCENES:
        assert (scene.title in told) == scene.short
    assert re.search(r"usd a month: +0\.00 → \d+\.\d\d", told)
    assert "1  Ann\n2  Bob" in told  # a real query, as the application
    assert re.search(r"acme-\w{8}-e1-teardown", told)  # the receipt
    assert re.search(r"phase: +torn_down", told)
    assert "What to try next" in told
    assert_nothing_is_left(machine)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_demo_tells_the_whole_story_and_leaves_nothing(machine: Machine) -> None:
    code, told = machine.run("demo", seconds=3500)
    assert code == 0, told[-4000:]
    for scene in SCENES:
        assert scene.title in told
    assert told.count("1  Ann\n2  Bob") == 3  # in its first database, in production, and brought back
    assert "Overprovisioned" in told
    assert "deletion_protection" in told
    assert_nothing_is_left(machine)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
def test_a_demo_that_is_interrupted_while_terraform_applies_leaves_nothing(
    machine: Machine, number: signal.Signals
) -> None:
    demo = machine.start("demo")
    demo.wait_for("Creating...")
    assert any("terraform" in words for words in machine.workers_left().values())
    demo.send(number)
    assert demo.wait(120) == 130, demo.text[-2000:]
    assert_nothing_is_left(machine)


def test_a_demo_that_is_interrupted_while_its_sandbox_starts_leaves_nothing(machine: Machine) -> None:
    demo = machine.start("demo")
    demo.wait_for("sandbox start")
    demo.send(signal.SIGINT)
    assert demo.wait(120) == 130, demo.text[-2000:]
    assert_nothing_is_left(machine)


def test_a_demo_without_terraform_says_what_is_missing_and_leaves_nothing(machine: Machine) -> None:
    machine.settings["CONTROLPLANE_TERRAFORM"] = "/nonexistent/terraform"
    code, told = machine.run("demo", seconds=300)
    assert code == 1, told[-2000:]
    assert "CONTROLPLANE_TERRAFORM" in told
    assert "Traceback" not in told
    assert_nothing_is_left(machine)


def test_a_demo_that_is_kept_says_how_to_go_on_and_how_to_end_it(machine: Machine) -> None:
    machine.settings["CONTROLPLANE_TERRAFORM"] = (
        "/nonexistent/terraform"  # it ends early: nothing is proven by more
    )
    code, told = machine.run("demo", "--keep", seconds=300)
    assert code == 1, told[-2000:]
    (kept,) = machine.temporary.iterdir()
    machine.settings = dict(re.findall(r"(CONTROLPLANE_\w+)=(\S+)", told))
    assert str(kept) in machine.settings["CONTROLPLANE_DATA_DIR"]
    code, status = machine.run("sandbox", "status", "-o", "json")
    assert code == 0, status
    code, said = machine.run("sandbox", "reset", "--yes")
    assert code == 0, said
    shutil.rmtree(kept)
    assert_nothing_is_left(machine)
