"""Our runs and plain Terraform on one state in S3: real Terraform on both sides, and its own lock file."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from controlplane.domain.errors import Locked
from controlplane.domain.names import RunId
from controlplane.ports import RunStatus
from controlplane.rendering.structure import BACKEND_FILE, render_backend
from tests.contract.runner_stage import WORKSPACE, RealStage, until
from tests.contract.state_stage import HOME, a_bucket, client, staged

pytestmark = pytest.mark.terraform
KEY = HOME.key(WORKSPACE)
SECONDS = 120


@dataclass(frozen=True)
class Engineer:
    """Somebody with a checkout of the workspace, Terraform, and credentials for the bucket."""

    folder: Path
    endpoint: str

    def terraform(self, *words: str) -> tuple[int, str]:
        process = self.start(*words)
        told, _ = process.communicate(timeout=SECONDS)
        return process.returncode, told

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["terraform", *words, "-no-color"],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "AWS_ENDPOINT_URL": self.endpoint,
                "AWS_ACCESS_KEY_ID": "engineer",
                "AWS_SECRET_ACCESS_KEY": "engineer",
                "CHECKPOINT_DISABLE": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@dataclass(frozen=True)
class Premises:
    stage: RealStage
    s3: Any
    endpoint: str

    def checkout(self) -> Engineer:
        folder = self.stage.tmp / "checkout"
        folder.mkdir()
        shutil.copy(self.stage.folder / "main.tf", folder)
        (folder / "backend.tf").write_text('terraform {\n  backend "s3" {}\n}\n')
        (folder / BACKEND_FILE).write_text(render_backend(HOME, WORKSPACE))
        engineer = Engineer(folder, self.endpoint)
        code, told = engineer.terraform("init", f"-backend-config={BACKEND_FILE}")
        assert code == 0, told
        return engineer

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.s3.get_object(Bucket=HOME.bucket, Key=KEY)["Body"].read())
        return found

    def locks(self) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=HOME.bucket, Prefix=f"{KEY}.tflock")
        return [one["Key"] for one in found.get("Contents", ())]


@pytest.fixture
def premises(tmp_path: Path) -> Iterator[Premises]:
    with a_bucket() as endpoint, staged(tmp_path, endpoint) as stage:
        yield Premises(stage, client(endpoint), endpoint)


def made(state: dict[str, Any]) -> list[str]:
    return [one["name"] for one in state["resources"] if one["instances"]]


def test_an_engineer_takes_over_with_plain_terraform_and_hands_back(premises: Premises) -> None:
    stage = premises.stage
    stage.configure(resources=2)
    stage.plan()
    assert stage.apply().exit_code == 0
    engineer = premises.checkout()
    code, told = engineer.terraform("plan", "-detailed-exitcode")
    assert code == 0, told
    stage.configure(resources=3)
    shutil.copy(stage.folder / "main.tf", engineer.folder)
    code, told = engineer.terraform("apply", "-auto-approve")
    assert code == 0 and "1 added" in told, told
    assert stage.plan("p2").exit_code == 0, "what is there by now is known"
    assert made(premises.state()) == ["r0", "r1", "r2"]
    assert premises.locks() == []
    by = {version.serial: version.written_by for version in stage.states.versions(WORKSPACE)}
    assert by[max(by)] == f"s3://states/{KEY}"


def test_a_run_and_plain_terraform_keep_each_other_out(premises: Premises) -> None:
    stage = premises.stage
    stage.configure(resources=2, seconds=6)
    stage.plan()
    engineer = premises.checkout()
    stage.begin_apply()
    code, told = engineer.terraform("plan", "-lock-timeout=0s")
    assert code == 1 and "Error acquiring the state lock" in told, told
    assert "run:a1" in told and "operation show" in told, told
    assert stage.finish("a1").exit_code == 0
    stage.configure(resources=3, seconds=0)
    (engineer.folder / "main.tf").write_text(
        (stage.folder / "main.tf").read_text().replace("sleep 0", "sleep 8")
    )
    theirs = engineer.start("apply", "-auto-approve")
    until(lambda: bool(premises.locks()), "the engineer's lock")
    with pytest.raises(Locked, match=r"is locked by .+@"):
        stage.plan("p2")
    told, _ = theirs.communicate(timeout=SECONDS)
    assert theirs.returncode == 0, told
    assert stage.plan("p3").exit_code == 0


@pytest.mark.parametrize("both", [False, True], ids=["terraform", "terraform and supervisor"])
def test_killed_terraform_leaves_in_the_bucket_what_it_had_made(premises: Premises, both: bool) -> None:
    stage = premises.stage
    stage.configure(resources=3, seconds=4)
    stage.plan()
    stage.begin_apply()
    stage.wait_for_line("a1", "r0: Creation complete")
    group = stage.pid(stage.run_folder("a1").terraform_lock)
    if both:
        stage.kill_supervisor("a1")
    os.killpg(group, signal.SIGKILL)
    assert stage.finish("a1").status is RunStatus.LOST
    assert "r0" in made(premises.state())
    assert premises.locks() == []
    assert stage.plan("p2").exit_code == 2
    changes = stage.runner().plan_json(RunId("p2"))["resource_changes"]
    assert {c["name"]: c["change"]["actions"] for c in changes}["r0"] == ["no-op"]
    code, told = premises.checkout().terraform("plan", "-detailed-exitcode")
    assert code == 2 and "2 to add, 0 to change" in told, told


def test_every_serial_is_kept_in_the_catalog_and_as_a_version_in_the_bucket(premises: Premises) -> None:
    stage = premises.stage
    for count in (1, 2):
        stage.configure(resources=count)
        stage.plan(f"p{count}")
        assert stage.apply(f"a{count}", f"p{count}").exit_code == 0
    versions = stage.states.versions(WORKSPACE)
    assert all(version.published for version in versions[:1])
    kept = premises.s3.list_object_versions(Bucket=HOME.bucket, Prefix=KEY)["Versions"]
    in_bucket = {
        json.loads(
            premises.s3.get_object(Bucket=HOME.bucket, Key=KEY, VersionId=one["VersionId"])["Body"].read()
        )["serial"]
        for one in kept
        if one["Key"] == KEY
    }
    assert in_bucket >= {versions[0].serial, 1}
    stage.states.restore(WORKSPACE, 1, written_by="ann")
    assert made(premises.state()) == ["r0"]
