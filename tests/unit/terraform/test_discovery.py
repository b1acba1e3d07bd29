"""Which Terraform, which providers, and the configuration that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from controlplane.adapters.terraform.discovery import (
    find_mirror,
    find_terraform,
    install,
    write_cli_config,
)
from controlplane.domain.errors import Unavailable


def binary(folder: Path, name: str, version: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(
        f'#!/bin/sh\n[ "$*" = \'version -json\' ] && echo \'{{"terraform_version": "{version}"}}\'\n'
    )
    file.chmod(0o755)
    return file


def provider(folder: Path, name: str = "registry.terraform.io/hashicorp/aws") -> Path:
    (folder / name / "5.100.0/linux_amd64").mkdir(parents=True)
    return folder


def test_a_binary_that_is_set_goes_first(tmp_path: Path) -> None:
    file = binary(tmp_path, "my-tofu", "1.11.2")
    found = find_terraform(str(file))
    assert (found.command, found.product, found.version) == ((str(file),), "opentofu", "1.11.2")
    assert found.origin == "setting"


@pytest.mark.parametrize("name", ["terraform", "tofu"])
def test_a_binary_on_path_is_found(tmp_path: Path, name: str) -> None:
    file = binary(tmp_path, name, "1.12.0")
    found = find_terraform(path=str(tmp_path))
    assert (found.command, found.origin) == ((str(file),), "PATH")
    assert found.product == {"terraform": "terraform", "tofu": "opentofu"}[name]


def test_one_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    binary(tmp_path, "terraform", "1.9.8")
    tofu = binary(tmp_path, "tofu", "1.11.0")
    assert find_terraform(path=str(tmp_path)).command == (str(tofu),)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ('#!/bin/sh\necho \'{"terraform_version": "1.10.5"}\'\n', "write-only"),
        ("#!/bin/sh\necho hello\n", "does not answer"),
        ("#!/bin/sh\nexit 3\n", "does not answer"),
        ("#!/no/such/shell\n", "does not answer"),
    ],
)
def test_one_that_is_set_and_does_not_work_is_an_error_that_says_what_to_do(
    tmp_path: Path, content: str, part: str
) -> None:
    file = tmp_path / "terraform"
    file.write_text(content)
    file.chmod(0o755)
    with pytest.raises(Unavailable, match=part) as refused:
        find_terraform(str(file))
    assert "CONTROLPLANE_TERRAFORM" in refused.value.hint


def test_a_missing_setting_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="nowhere"):
        find_terraform(str(tmp_path / "nowhere"))


def test_the_first_place_that_holds_providers_is_the_mirror(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    places = [tmp_path / "none", tmp_path / "empty", provider(tmp_path / "a"), provider(tmp_path / "b")]
    found = find_mirror(places=places)
    assert found is not None
    assert found.path == tmp_path / "a"
    assert found.providers == ("registry.terraform.io/hashicorp/aws",)
    assert find_mirror(places=[tmp_path / "none"]) is None


def test_a_mirror_that_is_set_must_hold_providers(tmp_path: Path) -> None:
    found = find_mirror(str(provider(tmp_path / "m")))
    assert found is not None
    assert found.origin == "setting"
    with pytest.raises(Unavailable, match="empty") as refused:
        find_mirror(str(tmp_path / "empty"))
    assert "CONTROLPLANE_PROVIDER_MIRROR" in refused.value.hint


def test_what_the_mirror_holds_comes_from_there_and_the_rest_from_the_registry(tmp_path: Path) -> None:
    text = write_cli_config(tmp_path, find_mirror(str(provider(tmp_path / "m")))).read_text()
    included, excluded = text.split("direct {")
    assert f'path    = "{tmp_path}/m"' in included
    assert "registry.terraform.io/hashicorp/aws" in included
    assert "registry.terraform.io/hashicorp/aws" in excluded


def test_without_a_mirror_providers_are_downloaded_once(tmp_path: Path) -> None:
    text = write_cli_config(tmp_path, None).read_text()
    assert "plugin_cache_dir" in text
    assert "provider_installation" not in text


def test_an_installation_is_all_that_a_run_needs(tmp_path: Path) -> None:
    file = binary(tmp_path, "terraform", "1.11.4")
    found = install(str(file), str(provider(tmp_path / "m")), tmp_path / "data")
    assert found.terraform.version == "1.11.4"
    assert found.mirror is not None
    assert found.cli_config.is_file()
    before = found.cli_config.stat().st_mtime_ns
    assert install(str(file), str(tmp_path / "m"), tmp_path / "data") == found
    assert found.cli_config.stat().st_mtime_ns == before


def test_a_data_folder_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="file"):
        write_cli_config(tmp_path / "file", None)
