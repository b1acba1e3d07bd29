"""What lies in a workspace's folder is never believed unseen: the durable state decides."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from controlplane.domain.errors import Conflict, Missing
from controlplane.domain.names import RunId
from controlplane.ports import RunStatus, RunVerb
from tests.contract.runner_stage import WORKSPACE, RealStage, order
from tests.contract.state_stage import BOTH, staged_in

pytestmark = pytest.mark.terraform


@pytest.fixture(params=BOTH)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealStage]:
    with staged_in(request.param, tmp_path) as (real, _):
        real.configure(resources=2)
        yield real


@pytest.fixture
def applied(stage: RealStage) -> RealStage:
    stage.plan()
    assert stage.apply().exit_code == 0
    return stage


def local(stage: RealStage) -> Path:
    return stage.folder / ".run/terraform.tfstate"


def durable(stage: RealStage) -> dict[str, Any]:
    newest = stage.states.newest(WORKSPACE)
    assert newest is not None
    found: dict[str, Any] = json.loads(newest.content)
    return found


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: b"{}",
        lambda whole: json.dumps({**json.loads(whole), "serial": 0, "resources": []}).encode(),
        lambda whole: json.dumps({**json.loads(whole), "lineage": "other", "serial": 1}).encode(),
    ],
    ids=["empty", "cut", "no state", "older", "another lineage"],
)
def test_a_damaged_or_old_local_state_is_replaced_by_the_durable_one(
    applied: RealStage, damage: Callable[[bytes], bytes]
) -> None:
    whole = json.dumps(durable(applied)).encode()
    local(applied).write_bytes(damage(whole))
    assert applied.plan("p2").exit_code == 0


def test_a_lost_local_state_is_restored(applied: RealStage) -> None:
    assert not local(applied).exists()  # nothing in clear is left between runs
    assert applied.plan("p2").exit_code == 0


def test_a_folder_that_is_lost_and_rendered_again_is_no_new_world(applied: RealStage) -> None:
    moved = applied.folder.with_name("elsewhere")
    moved.mkdir()
    (moved / "main.tf").write_text((applied.folder / "main.tf").read_text())
    applied.folder = moved
    assert applied.plan("p2").exit_code == 0


def test_a_newer_state_that_a_dead_run_left_is_stored_before_anything_else(applied: RealStage) -> None:
    newer = {**durable(applied), "serial": durable(applied)["serial"] + 5}
    local(applied).write_text(json.dumps(newer))
    assert applied.plan("p2").exit_code == 0
    assert durable(applied)["serial"] == newer["serial"]
    assert any("dead run" in line.text for line in applied.runner().lines(RunId("p2")))


def test_within_one_serial_the_content_that_was_not_stored_yet_is_the_newer_one(applied: RealStage) -> None:
    newer = {**durable(applied), "outputs": {"x": {"value": "1", "type": "string"}}}
    local(applied).write_text(json.dumps(newer))
    applied.plan("p2")
    assert durable(applied)["outputs"] == newer["outputs"]


def test_a_newer_state_of_another_lineage_stops_everything(applied: RealStage) -> None:
    before = durable(applied)
    foreign = {**before, "lineage": "other", "serial": before["serial"] + 1}
    local(applied).write_text(json.dumps(foreign))
    with pytest.raises(Conflict, match="another lineage") as refused:
        applied.runner().start(order(RunVerb.PLAN, "p2", applied.folder))
    assert refused.value.hint
    assert durable(applied) == before
    assert json.loads(local(applied).read_text()) == foreign
    assert applied.states.lock_holder(WORKSPACE) is None
    local(applied).unlink()
    assert applied.plan("p2").exit_code == 0  # the order was not used up


def test_a_cut_state_of_a_workspace_that_has_none_is_not_used(stage: RealStage) -> None:
    stage.plan("p0")
    local(stage).write_bytes(b'{"version": 4, "ser')
    assert stage.plan("p1").exit_code == 2
    assert any("not used" in line.text for line in stage.runner().lines(RunId("p1")))
    assert stage.states.newest(WORKSPACE) is None


def test_every_serial_is_kept_and_can_be_put_back(applied: RealStage) -> None:
    first = durable(applied)
    applied.configure(resources=0)
    applied.plan("p2")
    applied.apply("a2", "p2")
    assert durable(applied)["resources"] == []
    serials = [version.serial for version in applied.states.versions(WORKSPACE)]
    assert first["serial"] in serials
    applied.states.restore(WORKSPACE, first["serial"], written_by="ada")
    applied.configure(resources=2)
    assert applied.plan("p3").exit_code == 0


def test_a_state_that_terraform_could_not_write_is_taken_from_where_it_put_it(applied: RealStage) -> None:
    """As after a disk that was full: the state file is cut, `errored.tfstate` holds the whole."""
    newer = {**durable(applied), "serial": durable(applied)["serial"] + 1}
    script = applied.tmp / "terraform"
    script.write_text(
        "#!/bin/sh\n"
        "mkdir -p .run; printf '{\"cut' > .run/terraform.tfstate\n"
        f"cp {applied.tmp}/whole errored.tfstate\n"
        "echo 'Error: no space left on device'; exit 1\n"
    )
    (applied.tmp / "whole").write_text(json.dumps(newer))
    report = applied.apply_with(script)
    assert report.exit_code == 1
    assert durable(applied)["serial"] == newer["serial"]
    assert any("errored.tfstate" in line for line in report.tail)
    assert not (applied.folder / "errored.tfstate").exists()


def test_a_half_written_state_is_reported_and_never_stored(applied: RealStage) -> None:
    before = durable(applied)
    script = applied.tmp / "terraform"
    script.write_text("#!/bin/sh\nprintf '{\"cut' > .run/terraform.tfstate; exit 1\n")
    report = applied.apply_with(script)
    assert report.exit_code == 1
    assert durable(applied) == before
    assert any("5 bytes that are no whole state" in line for line in report.tail)


def test_nothing_is_said_of_a_state_where_there_was_none_yet(stage: RealStage) -> None:
    stage.plan()
    assert stage.apply().exit_code == 0
    told = [line.text for run in ("p1", "a1") for line in stage.runner().lines(RunId(run))]
    assert told
    assert not [line for line in told if "state file was left" in line]


def test_a_workspace_without_a_folder_is_an_error_and_uses_up_no_order(stage: RealStage) -> None:
    with pytest.raises(Missing, match="folder"):
        stage.runner().start(order(RunVerb.PLAN, "p1", stage.tmp / "nowhere"))
    assert stage.runner().look(RunId("p1")).status is RunStatus.NEVER_STARTED
    assert stage.plan("p1").exit_code == 2


def test_a_broken_configuration_ends_with_terraforms_own_words(stage: RealStage) -> None:
    (stage.folder / "main.tf").write_text('resource "terraform_data" "r" {\n  input = nothing.here\n}\n')
    report = stage.plan()
    assert (report.status, report.exit_code) == (RunStatus.ENDED, 1)
    assert any("main.tf:2" in line and "nothing" in line for line in report.tail)
    with pytest.raises(Missing):
        stage.runner().plan_json(RunId("p1"))


def test_two_workspaces_share_one_preparation(applied: RealStage) -> None:
    other = applied.tmp / "other"
    other.mkdir()
    (other / "main.tf").write_text((applied.folder / "main.tf").read_text())
    (other / "imports.tf").write_text("# moves and imports change neither providers nor modules\n")
    applied.folder = other
    applied.plan("p2")
    prepared = [p for p in (applied.place.data / "terraform/prepared").iterdir() if p.is_dir()]
    assert len(prepared) == 1
