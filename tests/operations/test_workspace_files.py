"""Files of a workspace: what differs is written, what is not rendered goes, what is Terraform's stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from controlplane.domain.errors import Unavailable
from controlplane.domain.operation import Kind
from controlplane.operations import Create, Reconcile
from controlplane.services import operations, tenants
from controlplane.steps.workspace import read_files, write_files
from tests.operations.house import ADMIN, ASK, House

FILES = {"main.tf": "one\n", "modules/a/main.tf": "two ü\n", ".terraform.lock.hcl": "three\n"}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_files(tmp_path / "w", FILES)
    assert read_files(tmp_path / "w") == FILES


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_files(tmp_path / "none") == {}


def test_a_file_that_is_the_same_is_not_touched(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    before = {name: (tmp_path / name).stat() for name in FILES}
    write_files(tmp_path, {**FILES, "main.tf": "one!\n"})
    after = {name: (tmp_path / name).stat() for name in FILES}
    changed = {name for name in FILES if before[name].st_ino != after[name].st_ino}
    assert changed == {"main.tf"}
    assert read_files(tmp_path) == {**FILES, "main.tf": "one!\n"}


def test_another_text_of_the_same_length_is_written(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    write_files(tmp_path, {**FILES, "main.tf": "eno\n"})
    assert (tmp_path / "main.tf").read_text() == "eno\n"


def test_what_is_no_longer_rendered_goes_and_what_is_terraforms_stays(tmp_path: Path) -> None:
    own = (".run/terraform.tfstate", ".terraform/modules/modules.json", "runner_override.tf")
    write_files(tmp_path, {**FILES, "gone.tf": "x", "modules/b/gone.tf": "x"})
    for name in own:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("terraform's")
    (tmp_path / ".main.tf.new").write_text("of a write that was cut off")
    write_files(tmp_path, FILES)
    assert read_files(tmp_path) == FILES
    assert all((tmp_path / name).exists() for name in own)
    assert not (tmp_path / ".main.tf.new").exists()


def test_a_place_that_cannot_be_written_is_said_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="writing the workspace in") as refused:
        write_files(tmp_path / "file", FILES)
    assert refused.value.hint


def test_an_edit_by_hand_rejects_a_change_and_says_what_writes_over_it(
    house: House, run: Callable[[], None]
) -> None:
    tenants.create(house.control, ADMIN, Create(slug="acme"), ASK)
    run()
    uid = tenants.show(house.control, ADMIN, "acme")["uid"]
    file = house.folder / "workspaces" / f"tenant-{uid}" / "main.tf"
    file.write_text(file.read_text() + "# mine\n")
    asked = tenants.change(house.control, ADMIN, Kind.RECONCILE, "acme", Reconcile(), ASK)
    run()
    seen = operations.show(house.control, ADMIN, asked["id"])
    assert seen["status"] == "rejected"
    assert "main.tf" in seen["error"]["detail"]
    assert "controlplane tenant reconcile acme --discard-edits" in seen["error"]["hint"]
    assert tenants.show(house.control, ADMIN, "acme")["phase"] == "ready"
