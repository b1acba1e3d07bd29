"""The wheel works far from the checkout, and carries what is ours and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.checkout import ROOT

_RENDER = """
import controlplane, json
from controlplane.rendering import render_tenant
print(json.dumps({"from": controlplane.__file__, "files": sorted(render_tenant(tenant(), load()).files)}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with what is installed: nothing is downloaded."""
    out = tmp_path_factory.mktemp("dist")
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-c", build, str(out)], cwd=ROOT, capture_output=True, timeout=300, check=True
    )
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel unpacked, and this one's libraries but not this checkout."""
    folder = tmp_path_factory.mktemp("elsewhere")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], timeout=120, check=True)
    (packages,) = (folder / "env/lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    libraries = next(p for p in sys.path if p.endswith("site-packages"))
    # A plain line adds a folder without reading the .pth files inside it: the checkout stays away.
    (packages / "libraries.pth").write_text(f"{libraries}\n")
    return folder / "env/bin/python"


def test_the_wheel_holds_what_is_ours_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"controlplane", "api", "cli.py"}
    unwanted = (".terraform/", ".tfstate", "__pycache__", ".db", ".pyc", "/tests/")
    assert not [n for n in names if any(mark in n for mark in unwanted) and not n.endswith(".tftest.hcl")]


def test_every_file_that_is_read_at_run_time_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for root, place in (
        ("templates", "controlplane/_assets/templates"),
        ("modules", "controlplane/_assets/modules"),
    ):
        for path in (ROOT / root).rglob("*"):
            if path.is_file() and ".terraform" not in path.parts:
                assert f"{place}/{path.relative_to(ROOT / root)}" in names
    for room in ("controlplane", "api"):
        for path in (ROOT / room).rglob("*"):
            if path.is_file() and path.suffix in (".toml", ".csv", ".sql", ".json", ".html", ".css"):
                assert str(path.relative_to(ROOT)) in names


def test_it_renders_a_blueprint_outside_of_the_checkout(python: Path, tmp_path: Path) -> None:
    workspaces = (ROOT / "tests/golden/workspaces.py").read_text()
    done = subprocess.run(
        [python, "-c", workspaces + _RENDER],
        cwd=tmp_path,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert str(ROOT) not in done.stdout
    assert "tenant.auto.tfvars.json" in done.stdout
    assert "modules/tenant_database/main.tf" in done.stdout


def test_its_command_line_starts_outside_of_the_checkout(python: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [python, "-m", "cli", "version", "-o", "json"],
        cwd=tmp_path, env={"PATH": ""}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '"version"' in done.stdout
