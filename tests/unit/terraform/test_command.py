"""Terraform's argument lists, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from controlplane.adapters.terraform.command import Commands

PLAN = Path("/data/runs/a b/plan")


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    return Commands(["/opt/tf"], tmp_path / "empty")


def test_a_plan_says_by_its_exit_code_whether_it_is_empty(commands: Commands) -> None:
    assert commands.plan(PLAN, destroy=False) == [
        *("/opt/tf", "plan", "-input=false", "-json", "-detailed-exitcode"),
        "-out=/data/runs/a b/plan",
    ]
    assert "-destroy" in commands.plan(PLAN, destroy=True)


def test_an_apply_is_of_a_saved_plan_and_leaves_no_backup(commands: Commands) -> None:
    assert commands.apply(PLAN) == [
        *("/opt/tf", "apply", "-input=false", "-json", "-backup=-"),
        "/data/runs/a b/plan",
    ]


def test_a_plan_is_shown_as_json(commands: Commands) -> None:
    assert commands.show(PLAN) == ["/opt/tf", "show", "-json", "/data/runs/a b/plan"]


def test_a_lock_file_that_is_there_is_not_changed(commands: Commands) -> None:
    assert commands.init(keep_lock_file=True)[-1] == "-lockfile=readonly"
    assert commands.init(keep_lock_file=False) == ["/opt/tf", "init", "-input=false", "-no-color"]


def test_a_command_of_two_words_stays_in_front(tmp_path: Path) -> None:
    commands = Commands(["python", "/x/bundled.py"], tmp_path / "empty")
    assert commands.show(PLAN)[:3] == ["python", "/x/bundled.py", "show"]


def test_a_state_that_lies_about_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "terraform.tfstate").write_text("no json")
    assert Commands(["tf"], tmp_path / "empty").show(PLAN)
