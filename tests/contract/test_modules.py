"""Every module passes its own tests, which mock the provider: no AWS and no emulator is asked."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from controlplane import assets
from controlplane.catalog import load
from tests.contract.rendered import Terraform

pytestmark = pytest.mark.terraform


def test_modules_are_formatted(tmp_path: Path) -> None:
    Terraform(tmp_path).run(assets.modules(), "fmt", "-check", "-recursive", "-diff")


@pytest.mark.parametrize("name", sorted(load().modules))
def test_a_module_passes_its_own_tests(name: str, tmp_path: Path) -> None:
    terraform = Terraform(tmp_path)
    # A copy: init and the tests leave files, and the modules are shipped.
    folder = Path(shutil.copytree(assets.modules() / name, tmp_path / name))
    terraform.run(folder, "init", "-backend=false", "-no-color")
    report = terraform.run(folder, "test", "-no-color")
    passed = re.search(r"Success! (\d+) passed, 0 failed", report)
    assert passed
    runs = sum(text.count("\nrun ") for text in (p.read_text() for p in folder.glob("tests/*.tftest.hcl")))
    assert int(passed[1]) == runs
