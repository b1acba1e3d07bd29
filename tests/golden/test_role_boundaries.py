"""A role that Terraform makes for a service is bounded by the cell, wherever the cell has such a boundary."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from controlplane import assets, wiring
from controlplane.catalog import load
from controlplane.domain.names import platform_workspace
from controlplane.domain.tenant import Environment
from controlplane.domain.workspace import PlatformWorkspace
from controlplane.rendering import render_platform
from controlplane.settings import Settings

CATALOG = load()
BOUNDARY = "arn:aws:iam::123456789012:policy/controlplane-cell/controlplane-second-services"
ROLE = re.compile(r'^resource "aws_iam_role" "\w+" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
BOUND = re.compile(r"^  permissions_boundary += var\.", re.MULTILINE)
MAKERS = {
    path.parent.name: ROLE.findall(path.read_text(encoding="utf-8"))
    for path in sorted(assets.modules().glob("*/main.tf"))
    if path.parent.name != "cell" and 'resource "aws_iam_role"' in path.read_text(encoding="utf-8")
}


@pytest.mark.parametrize("module", MAKERS)
def test_every_role_of_a_module_takes_the_boundary_that_is_given(module: str) -> None:
    assert MAKERS[module]
    assert all(BOUND.search(role) for role in MAKERS[module])


@pytest.mark.parametrize("name", sorted(CATALOG.blueprints))
def test_a_blueprint_gives_it_to_every_module_that_makes_roles(name: str) -> None:
    makers = [module for module in CATALOG.blueprint(name).platform.modules if module.module in MAKERS]
    assert makers
    for module in makers:
        assert "var.role_boundary" in [source for _, wire in module.inputs for source in wire.sources], (
            module.name
        )


@pytest.mark.parametrize(("cell", "given"), [("second", BOUNDARY), ("default", None)])
def test_a_platform_is_rendered_with_the_boundary_of_its_own_cell(cell: str, given: str | None) -> None:
    workspace = PlatformWorkspace(
        platform_workspace("rds_per_tenant", "development", cell),
        "rds_per_tenant",
        Environment.DEVELOPMENT,
        "us-east-1",
        cell,
        {},
    )
    files = render_platform(workspace, replace(CATALOG, role_boundaries={"second": BOUNDARY})).files
    assert json.loads(files["platform.auto.tfvars.json"])["role_boundary"] == given


def test_it_is_set_for_our_own_cell_and_in_the_file_for_all() -> None:
    assert wiring.catalog(Settings(role_boundary=BOUNDARY)).role_boundaries == {"default": BOUNDARY}
