"""Rendered workspaces change on purpose only: UPDATE_GOLDEN=1 writes them anew for a review to see."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from controlplane import assets
from controlplane.catalog import load
from controlplane.domain.workspace import Rendering
from controlplane.rendering import PROVENANCE_FILE, render_platform, render_tenant
from tests.golden.workspaces import BLUEPRINT, PLATFORMS, TENANTS

GOLDEN = Path(__file__).parent / BLUEPRINT
LOCK = ".terraform.lock.hcl"
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"
TENANT_CASES = {name: render_tenant(workspace, load()) for name, workspace in TENANTS.items()}
PLATFORM_CASES = {name: render_platform(workspace, load()) for name, workspace in PLATFORMS.items()}
CASES = [("tenant", name, rendering) for name, rendering in TENANT_CASES.items()] + [
    ("platform", name, rendering) for name, rendering in PLATFORM_CASES.items()
]


def own_files(rendering: Rendering) -> dict[str, str]:
    """What differs between workspaces of one kind; the provenance follows from the rest."""
    return {
        path: text
        for path, text in rendering.files.items()
        if path.endswith(".tfvars.json") or path == "imports.tf"
    }


def shared_files(rendering: Rendering) -> dict[str, str]:
    """What does not, without what is carried as it stands elsewhere: the modules, the provider's hashes."""
    own = own_files(rendering)
    return {
        path: text
        for path, text in rendering.files.items()
        if path not in own and path not in (PROVENANCE_FILE, LOCK) and not path.startswith("modules/")
    }


def compare(folder: Path, files: Mapping[str, str]) -> None:
    if UPDATE:
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.iterdir():
            stale.unlink()
        for path, text in files.items():
            (folder / path).write_text(text, encoding="utf-8")
    kept = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}
    assert kept == dict(files), "rendered otherwise than before: UPDATE_GOLDEN=1 if that is meant"


@pytest.mark.parametrize(("kind", "name", "rendering"), CASES, ids=[f"{k}-{n}" for k, n, _ in CASES])
def test_a_workspace_is_rendered_as_it_was(kind: str, name: str, rendering: Rendering) -> None:
    compare(GOLDEN / kind / name, own_files(rendering))


@pytest.mark.parametrize(
    ("kind", "rendering"),
    [("tenant", TENANT_CASES["poc"]), ("platform", PLATFORM_CASES["development"])],
    ids=["tenant", "platform"],
)
def test_the_structure_is_rendered_as_it_was(kind: str, rendering: Rendering) -> None:
    compare(GOLDEN / kind / "structure", shared_files(rendering))


@pytest.mark.parametrize("cases", [TENANT_CASES, PLATFORM_CASES], ids=["tenant", "platform"])
def test_every_workspace_of_a_kind_has_the_same_hcl(cases: Mapping[str, Rendering]) -> None:
    structures = [
        {path: rendering.files[path] for path in set(rendering.files) - set(own_files(rendering))}
        for rendering in cases.values()
    ]
    for structure in structures:
        del structure[PROVENANCE_FILE]
    assert all(structure == structures[0] for structure in structures)


@pytest.mark.parametrize("rendering", [c[2] for c in CASES], ids=[f"{k}-{n}" for k, n, _ in CASES])
def test_modules_travel_as_they_are_each_in_one_file(rendering: Rendering) -> None:
    carried = {path: text for path, text in rendering.files.items() if path.startswith("modules/")}
    assert carried
    for path, text in carried.items():
        module = (assets.modules().parent / path).parent
        assert path == f"modules/{module.name}/main.tf"
        kept = [file.read_text(encoding="utf-8") for file in sorted(module.glob("*.tf"))]
        assert kept
        assert text == "\n".join(kept)


def test_two_workspaces_never_share_a_digest() -> None:
    digests = [rendering.digest for _, _, rendering in CASES]
    assert len(set(digests)) == len(digests)


def test_poc_and_production_differ_in_values_alone() -> None:
    poc, production = TENANT_CASES["poc"].files, TENANT_CASES["production"].files
    different = {path for path in poc if poc[path] != production[path]}
    assert different == {"tenant.auto.tfvars.json", PROVENANCE_FILE}
    assert json.loads(poc["tenant.auto.tfvars.json"])["slots"]["e1"]["multi_az"] is False
    assert json.loads(production["tenant.auto.tfvars.json"])["slots"]["e1"]["multi_az"] is True


def test_every_workspace_carries_the_provider_s_hashes_as_they_are_kept() -> None:
    kept = (assets.templates() / "terraform.lock.hcl").read_text(encoding="utf-8")
    assert {rendering.files[LOCK] for _, _, rendering in CASES} == {kept}
    assert kept.count('"zh:') > kept.count('"h1:') > 1  # of every platform that it is published for
