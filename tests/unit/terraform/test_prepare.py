"""`terraform init` runs once for every set of providers and modules, whoever asks and however often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from controlplane.adapters.terraform.command import Commands
from controlplane.adapters.terraform.discovery import Installation, Terraform
from controlplane.adapters.terraform.prepare import Preparation, child_environment
from controlplane.domain.errors import TerraformFailed

INIT = """#!/bin/sh
echo once >> "$HOME/inits"
case "$(cat main.tf)" in *broken*) echo "password=hunter2hunter2: no such module"; exit 1;; esac
cat runner_override.tf > /dev/null || exit 2
mkdir -p "$TF_DATA_DIR/modules"; env > "$TF_DATA_DIR/environment"
echo locked > .terraform.lock.hcl
"""


@pytest.fixture
def preparation(tmp_path: Path) -> Preparation:
    binary = tmp_path / "fake-terraform"
    binary.write_text(INIT)
    binary.chmod(0o755)
    config = tmp_path / "cli.tfrc"
    config.write_text("")
    terraform = Terraform((str(binary),), "terraform", "1.11.4", "setting")
    commands = Commands(terraform.command, tmp_path / "empty")
    return Preparation(tmp_path, Installation(terraform, None, config), commands)


def workspace(tmp_path: Path, name: str, content: str = 'module "x" {}\n') -> Path:
    folder = tmp_path / name
    (folder / "modules/x").mkdir(parents=True)
    (folder / "modules/x/main.tf").write_text('resource "a" "b" {}\n')
    (folder / "main.tf").write_text(content)
    return folder


def inits(tmp_path: Path) -> int:
    file = tmp_path / "terraform/home/inits"
    return len(file.read_text().split()) if file.exists() else 0


def test_workspaces_of_one_shape_share_one_init(tmp_path: Path, preparation: Preparation) -> None:
    first = preparation.of(workspace(tmp_path, "one"))
    second_folder = workspace(tmp_path, "two")
    (second_folder / "tenant.auto.tfvars.json").write_text("{}")
    (second_folder / "imports.tf").write_text("import {\n  to = a.b\n  id = 1\n}\n")
    assert preparation.of(second_folder) == first
    assert inits(tmp_path) == 1
    assert first.lock_file.read_text() == "locked\n"
    assert (first.data / "modules").is_dir()


@pytest.mark.parametrize("name", ["main.tf", "modules/x/main.tf", ".terraform.lock.hcl"])
def test_another_configuration_is_prepared_on_its_own(
    tmp_path: Path, preparation: Preparation, name: str
) -> None:
    folder = workspace(tmp_path, "one")
    before = preparation.of(folder)
    (folder / name).write_text('module "y" {}\n')
    assert preparation.of(folder).data != before.data
    assert inits(tmp_path) == 2


@pytest.mark.parametrize("block", ["variable", "output"])
def test_init_sees_what_a_module_declares(tmp_path: Path, preparation: Preparation, block: str) -> None:
    """Newer Terraforms refuse a call whose module does not declare what it is given."""
    folder = workspace(tmp_path, "one")
    before = preparation.of(folder)
    (folder / "modules/x/declared.tf").write_text(f'{block} "a" {{}}\n')
    assert preparation.of(folder).data != before.data


def test_eight_at_once_make_one_init(tmp_path: Path, preparation: Preparation) -> None:
    folder = workspace(tmp_path, "one")
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(preparation.of, [folder] * 8))
    assert len(found) == 1
    assert inits(tmp_path) == 1


def test_a_failed_init_leaves_nothing_that_counts_and_says_why(
    tmp_path: Path, preparation: Preparation
) -> None:
    folder = workspace(tmp_path, "one", 'module "broken" {}\n')
    with pytest.raises(TerraformFailed, match="no such module") as failed:
        preparation.of(folder)
    assert "hunter2" not in failed.value.message
    assert not preparation.folder_of(folder).exists()
    assert [p.name for p in (tmp_path / "terraform/prepared").iterdir() if p.is_dir()] == []
    with pytest.raises(TerraformFailed):
        preparation.of(folder)


def test_a_child_sees_no_variable_of_ours(tmp_path: Path, preparation: Preparation) -> None:
    prepared = preparation.of(workspace(tmp_path, "one"))
    seen = {line.partition("=")[0] for line in (prepared.data / "environment").read_text().splitlines()}
    installation = Installation(Terraform(("t",), "terraform", "1", "setting"), None, tmp_path / "c")
    expected = set(child_environment(installation, tmp_path)) | {"TF_DATA_DIR"}
    assert seen - {"PWD", "SHLVL", "_", "OLDPWD"} == expected
    assert "TF_LOG" not in expected
