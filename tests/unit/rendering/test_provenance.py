"""A folder that somebody edited by hand is found before a plan."""

from __future__ import annotations

import json

import pytest

from controlplane.catalog import load
from controlplane.rendering import (
    LOCK_FILE,
    OVERRIDE_FILE,
    PROVENANCE_FILE,
    HandEdit,
    check_folder,
    render_tenant,
    runner_override,
)
from tests.golden.workspaces import tenant

RENDERING = render_tenant(tenant(), load())
FILES = dict(RENDERING.files)


def test_an_untouched_folder_has_no_edits() -> None:
    assert check_folder(FILES, RENDERING.digest) == []


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


def test_an_edit_that_also_mends_the_provenance_is_found_by_the_recorded_digest() -> None:
    edited = {**FILES, "main.tf": FILES["main.tf"] + "\n"}
    provenance = json.loads(edited[PROVENANCE_FILE])
    provenance["template_version"] = "9.9.9"
    edited[PROVENANCE_FILE] = json.dumps(provenance)
    assert check_folder(edited, RENDERING.digest) == [HandEdit(PROVENANCE_FILE, "changed")]
