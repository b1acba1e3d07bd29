"""Files of a workspace: what differs is written, what is not rendered goes, what is Terraform's stays."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from controlplane.domain.errors import Unavailable
from controlplane.domain.operation import Kind
from controlplane.operations import Create, Reconcile
from controlplane.rendering import PENDING_FILE, PROVENANCE_FILE, check_folder, is_as_rendered, record_of
from controlplane.services import operations, tenants
from controlplane.steps.workspace import read_files, write_files
from tests.operations.crash_worker import SECONDS, warm
from tests.operations.house import ADMIN, ASK, House


def sealed(files: Mapping[str, str]) -> dict[str, str]:
    own = {name: text for name, text in files.items() if name != PROVENANCE_FILE}
    return {**own, PROVENANCE_FILE: record_of(own)}


FILES = sealed({"main.tf": "one\n", "modules/a/main.tf": "two ü\n", ".terraform.lock.hcl": "three\n"})
SECOND = sealed({**FILES, "main.tf": "one!\n", "more.tf": "four\n", "modules/a/main.tf": "five\n"})
THIRD = sealed({"main.tf": "six\n", "modules/b/main.tf": "two ü\n", ".terraform.lock.hcl": "seven\n"})


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_files(tmp_path / "w", FILES)
    assert read_files(tmp_path / "w") == FILES


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_files(tmp_path / "none") == {}


def test_a_file_that_is_the_same_is_not_touched(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    before = {name: (tmp_path / name).stat() for name in FILES}
    write_files(tmp_path, sealed({**FILES, "main.tf": "one!\n"}))
    after = {name: (tmp_path / name).stat() for name in FILES}
    changed = {name for name in FILES if before[name].st_ino != after[name].st_ino}
    assert changed == {"main.tf", PROVENANCE_FILE}
    assert read_files(tmp_path) == sealed({**FILES, "main.tf": "one!\n"})


def test_another_text_of_the_same_length_is_written(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    write_files(tmp_path, sealed({**FILES, "main.tf": "eno\n"}))
    assert (tmp_path / "main.tf").read_text() == "eno\n"


def test_what_is_no_longer_rendered_goes_and_what_is_terraforms_stays(tmp_path: Path) -> None:
    own = (".run/terraform.tfstate", ".terraform/modules/modules.json", "runner_override.tf")
    write_files(tmp_path, sealed({**FILES, "gone.tf": "x", "modules/b/gone.tf": "x"}))
    for name in own:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("terraform's")
    (tmp_path / ".main.tf.new").write_text("of a write that was cut off")
    write_files(tmp_path, FILES)
    assert read_files(tmp_path) == FILES
    assert all((tmp_path / name).exists() for name in own)
    assert not (tmp_path / ".main.tf.new").exists()


class Killed(BaseException):
    """Nothing catches it: whoever meets it is at its end."""


class Executioner:
    """Ends a write before its change number `_at` of the file system."""

    def __init__(self) -> None:
        self._left: int | None = None

    def ends(self, folder: Path, files: Mapping[str, str], at: int) -> bool:
        self._left = at
        try:
            write_files(folder, files)
        except Killed:
            return True
        finally:
            self._left = None
        return False

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        opens = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_WRONLY
        if self._left is None or not (opens or event in ("os.rename", "os.remove", "os.mkdir")):
            return
        if self._left == 0:
            raise Killed
        self._left -= 1


def cuts(executioner: Executioner, before: Path, files: Mapping[str, str]) -> Iterator[Path]:
    """What a write leaves that is killed, wherever it can be; and what it leaves otherwise."""
    for at in count():
        folder = before.with_name(f"{before.name}-{at}")
        shutil.copytree(before, folder)
        was_killed = executioner.ends(folder, files, at)
        assert check_folder(read_files(folder)) == [], at
        yield folder
        if not was_killed:
            assert is_as_rendered(read_files(folder))
            return


def kill_everywhere(folder: Path) -> None:
    """In a process of its own: who listens to what a process does, listens to its end."""
    executioner, places = Executioner(), 0
    sys.addaudithook(executioner.hear)
    (folder / "new").mkdir()
    write_files(folder / "old", FILES)
    for before in (folder / "new", folder / "old"):
        for once in cuts(executioner, before, SECOND):
            for twice in cuts(executioner, once, THIRD):
                write_files(twice, SECOND)
                assert read_files(twice) == SECOND
                places += 1
    assert places > 300, places


def test_a_write_that_is_killed_anywhere_even_twice_is_no_edit_by_hand(tmp_path: Path) -> None:
    process = warm.Process(target=kill_everywhere, args=(tmp_path,))
    process.start()
    process.join(SECONDS)
    assert process.exitcode == 0, "see what it said"


def test_a_file_that_is_edited_beside_a_cut_off_write_is_an_edit(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    (tmp_path / PENDING_FILE).write_text(SECOND[PROVENANCE_FILE])
    (tmp_path / "main.tf").write_text(SECOND["main.tf"])
    assert check_folder(read_files(tmp_path)) == []
    (tmp_path / "main.tf").write_text("mine\n")
    assert [edit.path for edit in check_folder(read_files(tmp_path))] == ["main.tf"]


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
