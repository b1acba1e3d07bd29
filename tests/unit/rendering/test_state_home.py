"""A workspace says where plain Terraform finds its state: at our own server, or in a bucket."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controlplane.catalog import load
from controlplane.domain.workspace import StateHome
from controlplane.rendering import check_folder, render_platform, render_tenant
from controlplane.rendering.structure import BACKEND_FILE
from controlplane.settings import BadSetting
from controlplane.settings import load as load_settings
from tests.golden.workspaces import platform, tenant

HOME = StateHome("states", "fleet", "eu-west-1")


def test_a_workspace_of_a_bucket_names_its_own_object_beside_constant_hcl() -> None:
    found = replace(load(), state_home=HOME)
    for rendering in (render_tenant(tenant(), found), render_platform(platform(), found)):
        assert 'backend "s3" {}' in rendering.files["main.tf"]
        assert 'backend "http"' not in rendering.files["main.tf"]
        assert check_folder(rendering.files) == []
    assert render_tenant(tenant(), found).files[BACKEND_FILE] == (
        'bucket       = "states"\n'
        'key          = "fleet/tenant-a1234567/terraform.tfstate"\n'
        'region       = "eu-west-1"\n'
        "use_lockfile = true\n"
    )


def test_an_emulators_bucket_is_known_by_its_path() -> None:
    found = replace(load(), state_home=replace(HOME, path_style=True))
    assert "use_path_style = true" in render_tenant(tenant(), found).files[BACKEND_FILE]


def test_without_a_bucket_a_workspace_comes_to_us() -> None:
    files = render_tenant(tenant(), load()).files
    assert 'backend "http" {}' in files["main.tf"] and BACKEND_FILE not in files


@pytest.mark.parametrize(
    ("said", "meant"),
    [("database", None), ("s3://states/a/b/", ("states", "a/b")), ("s3://states", ("states", ""))],
)
def test_where_states_are_is_one_setting(said: str, meant: tuple[str, str] | None) -> None:
    assert load_settings({"CONTROLPLANE_STATE": said}).state_bucket == meant


@pytest.mark.parametrize("said", ["s3", "s3://", "s3://Upper/x", "gs://states", "s3://states/a b"])
def test_what_is_no_place_for_states_is_refused(said: str) -> None:
    with pytest.raises(BadSetting, match="s3://BUCKET/PREFIX"):
        load_settings({"CONTROLPLANE_STATE": said})


def test_a_bucket_without_a_prefix_has_no_empty_folder() -> None:
    assert StateHome("states", "", "eu-west-1").key("tenant-a") == "tenant-a/terraform.tfstate"
