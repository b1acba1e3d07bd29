"""What the files for running it promise. They are read here, not run: there is no container engine in CI."""

from __future__ import annotations

import configparser
import hashlib
import re
import runpy
import shutil
import subprocess
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from controlplane.settings import PREFIX, Settings
from tests.architecture.checkout import ROOT

DEPLOY = ROOT / "docs" / "deploy"
COMMANDS = {"serve", "worker", "watchdog", "db"}
UNITS = sorted(path.name for path in DEPLOY.glob("*.service"))


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / name)
    return parser


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_runs_a_command_of_ours_without_root(name: str) -> None:
    found = unit(name)["Service"]
    assert found["User"] == "controlplane"
    assert found["ExecStart"].split()[1] in COMMANDS
    assert found["NoNewPrivileges"] == "true"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_a_unit(tmp_path: Path, name: str) -> None:
    """But for the program, which is installed elsewhere."""
    text = (DEPLOY / name).read_text(encoding="utf-8")
    (tmp_path / name).write_text(re.sub(r"(?m)^(ExecStart=)\S+", r"\1/bin/true", text))
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert [line for line in told.stderr.splitlines() if name in line] == []


@pytest.fixture
def releases(tmp_path: Path) -> str:
    """Where a Terraform lies, as its makers lay it."""
    there = tmp_path / "releases" / "1.11.4"
    there.mkdir(parents=True)
    with zipfile.ZipFile(there / "terraform_1.11.4_linux_amd64.zip", "w") as packed:
        packed.writestr("terraform", "the program")
    return there.parent.as_uri()


def _fetch(folder: Path, sha256: str, releases: str) -> None:
    found = runpy.run_path(str(DEPLOY / "fetch_terraform.py"))
    found["fetch"]("1.11.4", sha256, folder, releases)


def test_the_image_takes_the_terraform_that_was_asked_for(tmp_path: Path, releases: str) -> None:
    packed = tmp_path / "releases" / "1.11.4" / "terraform_1.11.4_linux_amd64.zip"
    _fetch(tmp_path, hashlib.sha256(packed.read_bytes()).hexdigest(), releases)
    assert (tmp_path / "terraform").read_text() == "the program"
    assert (tmp_path / "terraform").stat().st_mode & 0o111


@pytest.mark.parametrize("sha256", ["", "0" * 64])
def test_the_image_takes_no_other_terraform(tmp_path: Path, releases: str, sha256: str) -> None:
    with pytest.raises(SystemExit, match="has the digest"):
        _fetch(tmp_path, sha256, releases)
    assert not (tmp_path / "terraform").exists()


def test_a_worker_that_stops_leaves_terraform_alone() -> None:
    assert unit("controlplane-worker.service")["Service"]["KillMode"] == "process"


def test_every_part_that_lives_has_a_unit_and_a_service(compose: dict[str, Any]) -> None:
    started = {unit(name)["Service"]["ExecStart"].split()[1] for name in UNITS}
    composed = {service["command"][0] for service in compose["services"].values() if "command" in service}
    assert started == {"serve", "worker", "watchdog"} <= composed


@pytest.fixture
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8")))


def test_the_compose_file_sets_only_what_there_is_to_set(compose: dict[str, Any]) -> None:
    known = {PREFIX + field.name.upper() for field in fields(Settings)}
    for name, service in compose["services"].items():
        ours = {key for key in service["environment"] if key.startswith(PREFIX)}
        assert ours <= known, name
        if service["image"] == "controlplane":
            assert service["command"][0] in COMMANDS, name


def test_no_secret_stands_in_the_compose_file(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for key, value in service["environment"].items():
            assert "PASSWORD" not in key or str(value).startswith("${"), key


def test_the_image_has_an_init_and_no_root() -> None:
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert any(re.match(r"USER [1-9]\d*$", line) for line in lines)
    assert any(line.startswith("ENTRYPOINT") and "tini" in line for line in lines)
    assert "ARG TERRAFORM_SHA256" in lines
