"""A folder that somebody edited by hand is found before a plan."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from controlplane.catalog import load
from controlplane.rendering import (
    LOCK_FILE,
    OVERRIDE_FILE,
    PENDING_FILE,
    PROVENANCE_FILE,
    HandEdit,
    check_folder,
    is_as_rendered,
    record_of,
    render_tenant,
    runner_override,
)
from tests.golden.workspaces import tenant

RENDERING = render_tenant(tenant(), load())
FILES = dict(RENDERING.files)


def but(files: Mapping[str, str], path: str, text: str | None) -> dict[str, str]:
    """`text`: None where the file is not there."""
    others = {name: kept for name, kept in files.items() if name != path}
    return others if text is None else {**others, path: text}


NEXT = but({**FILES, "main.tf": "later", "more.tf": "one more"}, "variables.tf", None)
LATER = {**NEXT, PROVENANCE_FILE: record_of(NEXT)}


def test_an_untouched_folder_has_no_edits() -> None:
    assert check_folder(FILES) == []


@pytest.mark.parametrize("path", sorted(set(FILES) - {PROVENANCE_FILE}))
def test_one_more_space_in_any_file_is_found(path: str) -> None:
    assert check_folder({**FILES, path: FILES[path] + " "}) == [HandEdit(path, "changed")]


def test_a_missing_file_is_found() -> None:
    kept = {path: text for path, text in FILES.items() if path != "main.tf"}
    assert check_folder(kept) == [HandEdit("main.tf", "missing")]


@pytest.mark.parametrize(
    "path",
    ["extra.tf", "zz_override.tf", "more.auto.tfvars", "modules/tenant_route/x.tf.json", "a.tofu"],
)
def test_a_file_that_terraform_would_read_is_found(path: str) -> None:
    assert check_folder({**FILES, path: ""}) == [HandEdit(path, "added")]


@pytest.mark.parametrize(
    "path",
    ["notes.md", OVERRIDE_FILE, ".terraform/modules/modules.json", ".run/terraform.tfstate", "p.tfplan"],
)
def test_what_terraform_or_the_runner_leaves_is_no_edit(path: str) -> None:
    assert check_folder({**FILES, path: runner_override()}) == []


def test_a_second_lock_file_in_a_module_is_found() -> None:
    path = f"modules/tenant_route/{LOCK_FILE}"
    assert check_folder({**FILES, path: ""}) == [HandEdit(path, "added")]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"files": 3}', "null"])
def test_an_unreadable_provenance_counts_as_changed(text: str) -> None:
    assert check_folder({**FILES, PROVENANCE_FILE: text}) == [HandEdit(PROVENANCE_FILE, "changed")]


@pytest.mark.parametrize("files", [{}, {"notes.md": "hello"}])
def test_a_folder_where_nothing_was_rendered_has_no_edits(files: dict[str, str]) -> None:
    assert check_folder(files) == []


def test_a_provenance_that_was_taken_away_is_found() -> None:
    kept = {path: text for path, text in FILES.items() if path != PROVENANCE_FILE}
    assert check_folder(kept) == [HandEdit(PROVENANCE_FILE, "missing")]


@pytest.mark.parametrize("path", sorted({*FILES, *LATER} - {PROVENANCE_FILE}))
def test_where_a_write_was_cut_off_a_file_is_as_it_was_or_as_it_was_to_be(path: str) -> None:
    cut_off = {**FILES, PENDING_FILE: LATER[PROVENANCE_FILE]}
    assert check_folder(cut_off) == []
    assert check_folder(but(cut_off, path, LATER.get(path))) == []
    assert check_folder({**cut_off, path: "mine"}) == [HandEdit(path, "changed")]


def test_where_a_first_write_was_cut_off_nothing_is_missing() -> None:
    some = {path: text for path, text in FILES.items() if path < "main.tf" and path != PROVENANCE_FILE}
    assert some
    assert check_folder({**some, PENDING_FILE: FILES[PROVENANCE_FILE]}) == []


def test_what_was_announced_and_cut_off_in_that_announces_nothing() -> None:
    assert check_folder({**FILES, PENDING_FILE: LATER[PROVENANCE_FILE][:-20]}) == []
    edited = {**FILES, "main.tf": "mine", PENDING_FILE: LATER[PROVENANCE_FILE][:-20]}
    assert check_folder(edited) == [HandEdit("main.tf", "changed")]


def test_only_what_is_all_of_one_rendering_is_as_rendered() -> None:
    assert is_as_rendered(FILES)
    assert not is_as_rendered({})
    assert not is_as_rendered({**FILES, "main.tf": "mine"})
    assert not is_as_rendered({**FILES, PENDING_FILE: LATER[PROVENANCE_FILE]})


def test_what_stands_can_be_recorded() -> None:
    mixed = {**FILES, "main.tf": LATER["main.tf"] + "#", PENDING_FILE: "of a write that was cut off"}
    assert is_as_rendered({**but(mixed, PENDING_FILE, None), PROVENANCE_FILE: record_of(mixed)})
