"""What Terraform reads for a tenant, and how a folder differs from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.services.workspaces import rendered
from controlplane.steps.workspace import write_files
from controlplane.store import platforms
from tests.doors.cli.terminal import Terminal
from tests.doors.premises import ADMIN, BLUEPRINT, Premises
from tests.operations.house import PLATFORM


def test_a_tenant_that_was_never_made_has_no_workspace(premises: Premises, terminal: Terminal) -> None:
    premises.tenant()
    said = terminal("tenant", "workspace", "acme")
    assert said.code == 4
    assert "controlplane tenant explain acme" in said.err
    assert terminal("tenant", "workspace", "nobody").code == 5


@pytest.mark.parametrize("way", ["terminal", "through_server"])
def test_both_ways_refuse_alike(premises: Premises, request: pytest.FixtureRequest, way: str) -> None:
    ask: Terminal = request.getfixturevalue(way)
    premises.tenant()
    assert ask("tenant", "workspace", "acme", "--diff").code == 4


def test_what_was_edited_by_hand_is_shown(premises: Premises, tmp_path: Path) -> None:
    platform = f"platform-{BLUEPRINT}-development-default"
    with premises.control.db.write() as session:
        platforms.record_outputs(session, platform, PLATFORM, "ready", premises.control.now())
    premises.finish(premises.tenant())
    control = replace(premises.control, workspaces=tmp_path)
    found = rendered.workspace(control, ADMIN, "acme")
    assert found["diff"] is None  # this machine has no folder yet
    folder = tmp_path / found["workspace"]
    write_files(folder, {f["path"]: f["text"] for f in found["files"]})
    assert rendered.workspace(control, ADMIN, "acme")["diff"] == ""
    edited = folder / found["files"][0]["path"]
    edited.write_text(edited.read_text() + "\n# by hand\n")
    seen = rendered.workspace(control, ADMIN, "acme")
    assert "-# by hand" in seen["diff"]
    assert [e["path"] for e in seen["edits"]] == [found["files"][0]["path"]]


def test_a_platform_is_rendered_into_a_folder_and_its_budget_is_told_to_be_the_default(
    premises: Premises, terminal: Terminal, tmp_path: Path
) -> None:
    rendering = ("blueprint", "render", BLUEPRINT, "--out")
    said = terminal(*rendering, str(tmp_path / "by-default"))
    assert (said.code, "monthly_budget_usd is its default" in said.err) == (0, True)
    assert terminal(*rendering, str(tmp_path / "by-default")).code == 4
    said = terminal(*rendering, str(tmp_path / "said"), "--option", "monthly_budget_usd=1234")
    assert (said.code, "monthly_budget_usd" in said.err) == (0, False)
    assert '"monthly_budget_usd": 1234' in (tmp_path / "said" / "platform.auto.tfvars.json").read_text()
