"""docs/security.md names what the provider marks as sensitive in the resources that we manage."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from controlplane.adapters.terraform.discovery import install
from tests.architecture.checkout import ROOT

_MAIN = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}
"""


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("schema")
    (folder / "main.tf").write_text(_MAIN)
    found = install("", "", folder)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TF_CLI_CONFIG_FILE": str(found.cli_config),
    }
    for words in (["init", "-input=false"], ["providers", "schema", "-json"]):
        done = subprocess.run(
            [*found.terraform.command, *words],
            cwd=folder,
            env=environment,
            capture_output=True,
            timeout=300,
            check=True,
        )
    (provider,) = json.loads(done.stdout)["provider_schemas"].values()
    return dict(provider["resource_schemas"])


def attributes(block: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, attribute in block.get("attributes", {}).items():
        yield prefix + name, attribute
    for name, inner in block.get("block_types", {}).items():
        yield from attributes(inner["block"], f"{prefix}{name}.")


def managed() -> set[str]:
    text = "\n".join(path.read_text() for path in (ROOT / "modules").rglob("*.tf"))
    return set(re.findall(r'^resource "(\w+)"', text, re.M))


def document() -> str:
    return (ROOT / "docs/security.md").read_text()


@pytest.mark.terraform
def test_every_sensitive_attribute_that_we_could_set_is_named(schemas: dict[str, Any]) -> None:
    sensitive = {
        (resource, name)
        for resource in managed()
        for name, attribute in attributes(schemas[resource]["block"])
        if attribute.get("sensitive") and not attribute.get("write_only")
    }
    rows = set(re.findall(r"^\| `(aws_\w+)` \| `([\w.]+)` \|", document(), re.M))
    assert rows == sensitive


@pytest.mark.terraform
def test_what_is_said_to_have_no_write_only_form_has_none(schemas: dict[str, Any]) -> None:
    claimed = re.findall(r"`(aws_\w+)(?:\.| … )([\w.]+)`", document())
    assert len(claimed) > 10
    for resource, ending in claimed:
        found = dict(attributes(schemas[resource]["block"]))
        meant = [ending] if ending in found else [n for n in found if n.endswith(f".{ending}")]
        assert meant, f"{resource} has no {ending}"
        for name in meant:
            assert found[name].get("sensitive") and f"{name}_wo" not in found, f"{resource}.{name}"


@pytest.mark.terraform
def test_a_password_is_set_only_in_its_write_only_form(schemas: dict[str, Any]) -> None:
    text = "\n".join(path.read_text() for path in (ROOT / "modules").rglob("main.tf"))
    forms = {
        name.rpartition(".")[2]
        for resource in managed()
        for name, attribute in attributes(schemas[resource]["block"])
        if attribute.get("sensitive") and not attribute.get("write_only") and "password" in name
    }
    assert forms == {"password"}
    assert not re.search(r"^\s*password\s*=", text, re.M)
