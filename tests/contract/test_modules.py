"""Every module passes its own tests, which mock the provider: no AWS and no emulator is asked.

Terraform loads the provider's schema anew for every `terraform test`, and starts the provider three times
for every run in it. So the tests of many modules run in one process, each run told whose it is, with one
process of the provider; a module's own folder needs no such word.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from controlplane import assets
from controlplane.catalog import load
from tests.contract.rendered import Terraform

pytestmark = pytest.mark.terraform

_PROCESSES = 4  # enough to run side by side, few enough to load the schema seldom
_ALL = sorted(load().modules)
_RUN = re.compile(r'^run "\w+" \{$', re.MULTILINE)


def test_modules_are_formatted(tmp_path: Path) -> None:
    Terraform(tmp_path).run(assets.modules(), "fmt", "-check", "-recursive", "-diff")


@pytest.mark.parametrize("names", [_ALL[n::_PROCESSES] for n in range(_PROCESSES)], ids=" ".join)
def test_modules_pass_their_own_tests(names: list[str], tmp_path: Path) -> None:
    house = tmp_path / "house"
    runs = sum(_move_in(name, house) for name in names)
    (house / "main.tf").write_text("terraform {}\n")  # where nothing stands, init installs nothing
    terraform = Terraform(tmp_path)
    terraform.run(house, "init", "-backend=false", "-no-color")
    with terraform.attached(house):
        report = terraform.run(house, "test", "-no-color")
    passed = re.search(r"Success! (\d+) passed, 0 failed", report)
    assert passed
    assert int(passed[1]) == runs


def test_a_module_passes_its_own_tests_in_its_own_folder(tmp_path: Path) -> None:
    """As its author runs them."""
    folder = Path(shutil.copytree(assets.modules() / "topic", tmp_path / "topic"))
    terraform = Terraform(tmp_path)
    terraform.run(folder, "init", "-backend=false", "-no-color")
    assert "0 failed" in terraform.run(folder, "test", "-no-color")


def _move_in(name: str, house: Path) -> int:
    """A module with its tests, all of whose runs name it; how many these are."""
    shutil.copytree(assets.modules() / name, house / name, ignore=shutil.ignore_patterns("tests"))
    (house / "tests").mkdir(exist_ok=True)
    runs = 0
    for test in (assets.modules() / name / "tests").glob("*.tftest.hcl"):
        text, found = _RUN.subn(rf'\g<0>\n  module {{\n    source = "./{name}"\n  }}\n', test.read_text())
        (house / "tests" / f"{name}-{test.name}").write_text(text)
        runs += found
    assert runs, f"{name} has no tests"
    return runs
