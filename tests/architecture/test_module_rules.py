"""What no module may do, whatever a scanner knows of it: read from the modules' own text."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.architecture.checkout import ROOT

MODULES = sorted(path.parent.name for path in ROOT.glob("modules/*/main.tf"))
# A copy of another database holds nothing that would be lost.
LEAVES_NO_SNAPSHOT = {"read_replica"}
OPEN_TO_THE_WORLD = {"80", "443", "each.value"}  # a redirect, HTTPS, and the load balancer's pair of both


def source(module: str) -> str:
    return "\n".join(
        path.read_text(encoding="utf-8") for path in sorted((ROOT / "modules" / module).glob("*.tf"))
    )


def blocks(module: str, kind: str) -> Iterator[str]:
    yield from re.findall(rf'^resource "{kind}" .*?^}}', source(module), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("module", MODULES)
def test_a_database_s_port_is_open_to_groups_alone(module: str) -> None:
    for rule in blocks(module, "aws_vpc_security_group_ingress_rule"):
        if re.search(r"_port\s+= 5432", rule):
            assert "cidr_ipv" not in rule


@pytest.mark.parametrize("module", MODULES)
def test_the_world_reaches_nothing_but_the_web(module: str) -> None:
    for rule in blocks(module, "aws_vpc_security_group_ingress_rule"):
        if "0.0.0.0/0" in rule:
            ports = set(re.findall(r"_port\s+= (\S+)", rule))
            assert ports and ports <= OPEN_TO_THE_WORLD


@pytest.mark.parametrize("module", MODULES)
def test_every_log_group_forgets(module: str) -> None:
    for group in blocks(module, "aws_cloudwatch_log_group"):
        assert "retention_in_days" in group


@pytest.mark.parametrize("module", MODULES)
def test_a_database_leaves_a_snapshot(module: str) -> None:
    for database in blocks(module, "aws_db_instance"):
        skips = re.search(r"skip_final_snapshot\s+= (\w+)", database)
        assert skips
        assert (skips[1] == "true") == (module in LEAVES_NO_SNAPSHOT)


@pytest.mark.parametrize("module", MODULES)
def test_what_is_fixed_at_a_database_s_birth_is_not_planned_for_ever(module: str) -> None:
    """AWS takes another value without a word and keeps the old one: no adopted one had an empty plan."""
    for database in blocks(module, "aws_db_instance"):
        if re.search(r"^  engine_lifecycle_support\s+=", database, re.MULTILINE):
            ignored = re.search(r"ignore_changes = \[(.*?)\]", database, re.DOTALL)
            assert ignored and "engine_lifecycle_support" in ignored[1]


@pytest.mark.parametrize("module", MODULES)
def test_no_password_stands_in_a_module(module: str) -> None:
    assert not re.search(r'\b(password|secret_string|auth_token)\w*\s+= "[^"$]+"', source(module))


@pytest.mark.parametrize("module", MODULES)
def test_what_a_scanner_shall_pass_over_has_a_reason(module: str) -> None:
    for line in re.findall(r"^.*checkov:skip.*$", source(module), re.MULTILINE):
        assert re.search(r"checkov:skip=CKV2?_AWS_\d+: \S.{12,}$", line), line


@pytest.mark.parametrize("module", MODULES)
def test_a_policy_for_all_actions_is_a_key_s_own(module: str) -> None:
    for action in re.findall(r'Action\s+= \[?"([^"]*\*)"', source(module)):
        assert action in {"kms:*", "s3:*"} or not action.endswith(":*"), action
