"""A canary of every kind of secret, and every place where one must not be found."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from controlplane.domain.names import RunId
from controlplane.store.sealed import check_keys, reseal
from tests.contract.runner_stage import WORKSPACE, RealStage

pytestmark = pytest.mark.terraform

AWS_SECRET = "Canary/aws+secret0123456789ABCDEFGHIJKLMNO"
SENSITIVE = "canary-of-a-sensitive-variable"
SAID = "canary<of&a>password"
STATE_ONLY = "canary-that-only-the-state-holds"
CANARIES = (AWS_SECRET, SENSITIVE, SAID, STATE_ONLY)


def spellings(canary: str) -> list[bytes]:
    escaped = canary.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return [form.encode() for form in {canary, escaped, json.dumps(escaped)[1:-1]}]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[RealStage]:
    real = RealStage(tmp_path, aws={"AWS_SECRET_ACCESS_KEY": AWS_SECRET, "AWS_REGION": "us-east-1"})
    (real.folder / "main.tf").write_text(f"""
variable "pin" {{
  type      = string
  sensitive = true
}}
resource "terraform_data" "sensitive" {{
  input = var.pin
}}
resource "terraform_data" "plain" {{
  input = "{STATE_ONLY}"
  provisioner "local-exec" {{
    command = "echo 'password = \\"{SAID}\\"'; echo $AWS_SECRET_ACCESS_KEY; sleep 1"
  }}
}}
output "encoded" {{
  value     = jsonencode({{ pin = var.pin }})
  sensitive = true
}}
""")
    (real.folder / "tenant.auto.tfvars.json").write_text(json.dumps({"pin": SENSITIVE}))
    try:
        yield real
    finally:
        real.close()


def everything_on_disk(stage: RealStage) -> dict[str, bytes]:
    """All that is left, but what a person wrote: the rendered workspace."""
    rendered = {stage.folder / "main.tf", stage.folder / "tenant.auto.tfvars.json"}
    return {
        str(path): path.read_bytes()
        for path in stage.tmp.rglob("*")
        if path.is_file() and not path.is_symlink() and path not in rendered
    }


def test_no_secret_is_left_on_the_disk_after_a_plan_and_an_apply(stage: RealStage) -> None:
    assert stage.plan().exit_code == 2
    assert stage.apply().exit_code == 0
    stage.close_databases()
    files = everything_on_disk(stage)
    assert any(name.endswith("tenants.db") for name in files)
    found = [
        (name, canary)
        for name, content in files.items()
        for canary in CANARIES
        for spelling in spellings(canary)
        if spelling in content
    ]
    assert found == []


def test_no_secret_is_in_the_lines(stage: RealStage) -> None:
    stage.plan()
    stage.apply()
    runner = stage.runner()
    text = "\n".join(line.text for run in ("p1", "a1") for line in runner.lines(RunId(run)))
    assert "Apply complete!" in text
    assert "(sensitive value)" in text
    for canary in CANARIES:
        assert canary not in text
        assert json.dumps(canary)[1:-1] not in text


def test_what_was_sealed_is_whole_for_those_who_have_the_key(stage: RealStage) -> None:
    stage.plan()
    stage.apply()
    assert SENSITIVE in json.dumps(stage.runner().plan_json(RunId("p1")))
    assert STATE_ONLY in json.dumps(stage.runner().state(WORKSPACE))


def test_no_secret_is_an_argument_or_in_the_environment_of_a_supervisor(stage: RealStage) -> None:
    stage.plan()
    stage.begin_apply()
    stage.wait_for_line("a1", "Provisioning")
    folder = stage.run_folder("a1")
    supervisor, terraform = stage.pid(folder.supervisor_lock), stage.pid(folder.terraform_lock)
    arguments = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in (supervisor, terraform)]
    environment = Path(f"/proc/{supervisor}/environ").read_bytes()
    children = Path(f"/proc/{terraform}/environ").read_bytes()
    for canary in CANARIES:
        assert all(canary.encode() not in text for text in (*arguments, environment))
    names = {entry.partition(b"=")[0] for entry in children.split(b"\0") if entry}
    assert names == {
        *(b"PATH", b"HOME", b"LANG", b"TF_CLI_CONFIG_FILE", b"TF_DATA_DIR", b"TF_IN_AUTOMATION"),
        *(b"TF_INPUT", b"CHECKPOINT_DISABLE", b"AWS_SECRET_ACCESS_KEY", b"AWS_REGION"),
    }
    assert stage.finish("a1").exit_code == 0


def test_a_runs_files_are_for_their_owner_alone(stage: RealStage) -> None:
    stage.plan()
    stage.begin_apply()
    stage.wait_for_line("a1", "Provisioning")
    folder = stage.run_folder("a1").path
    for path in (folder, *folder.iterdir(), stage.folder / ".run/terraform.tfstate"):
        assert path.stat().st_mode & 0o077 == 0, path
    stage.finish("a1")


def test_records_open_only_under_the_key_that_they_name(stage: RealStage) -> None:
    stage.plan()
    stage.apply()
    old = stage.keyring.key_ids()[0]
    stage.keyring.rotate()
    with closing(sqlite3.connect(stage.tmp / "tenants.db")) as catalog:
        before = catalog.execute("SELECT count(*) FROM state_version").fetchone()[0]
        assert reseal(stage.database(), stage.keyring) >= before + 2
        for table in ("state_version", "artifact"):
            used = {row[0] for row in catalog.execute(f"SELECT DISTINCT key_id FROM {table}")}
            assert used == {stage.keyring.key_ids()[0]} != {old}
    check_keys(stage.database(), stage.keyring)
    assert stage.plan("p2").exit_code == 0
    assert stage.runner().plan_json(RunId("p1"))["resource_changes"]
