"""The table holds what platforms, tenants and our own code need of AWS, by role, and no more."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.session
import pytest

from controlplane.catalog.permissions import ROLES, load
from controlplane.domain.tenant import Environment
from controlplane.rendering import render_tenant
from controlplane.sandbox.calls.iam_names import iam_action
from tests.e2e.rights import NEED_NO_RIGHT, SEEN
from tests.golden.platforms import load as load_catalog
from tests.golden.platforms import rendered
from tests.golden.workspaces import TENANTS
from tests.unit.permissions import own_calls

ROOT = own_calls.ROOT
TABLE = load()
CATALOG = load_catalog()
NEEDED = tomllib.loads(Path(__file__).with_name("resources.toml").read_text(encoding="utf-8"))
BLOCK = re.compile(r'^(data|ephemeral|resource) "([a-z0-9_]+)"', re.MULTILINE)
ACTION = re.compile(r'"([a-z][a-z0-9-]+):[A-Z*][A-Za-z]*\*?"')
# What is done to the emulator alone.
NOT_ON_AWS = {
    ("controlplane/adapters/aws/state_bucket.py", "make_bucket"),
    ("controlplane/sources.py", "change_by_hand"),
}
# What AWS asks for beside a call: the key that seals, the role that is handed on, tags, what a green side is
# made of; and whoever may not list a bucket is told "no" where an object is absent.
BESIDE = {
    "plan": {"kms:Decrypt"},
    "apply": set(),
    "data": {
        "iam:PassRole",
        "kms:CreateGrant",
        "rds:AddTagsToResource",
        "rds:CreateDBInstance",
        "rds:CreateDBInstanceReadReplica",
        "rds:PromoteReadReplica",
        "s3:ListBucket",
        "secretsmanager:TagResource",
    },
}


@cache
def used() -> dict[tuple[str, str], set[str]]:
    """{(kind, type): who has it}, over every platform in every environment, and tenants."""
    found = defaultdict(set)
    everything = {
        f"{name} in {environment}": rendered(name, environment)
        for name in CATALOG.blueprints
        for environment in Environment
    } | {f"tenant {name}": render_tenant(tenant, CATALOG) for name, tenant in TENANTS.items()}
    for name, rendering in everything.items():
        for file in (text for path, text in rendering.files.items() if path.endswith(".tf")):
            for kind, type_ in BLOCK.findall(file):
                found[kind, type_].add(name)
    return dict(found)


def reads(kind: str, type_: str) -> set[str]:
    row = NEEDED[kind][type_]
    return set(row["reads"] if kind == "resource" else row)


def changes(kind: str, type_: str) -> set[str]:
    return set(NEEDED[kind][type_]["changes"]) if kind == "resource" else set()


def needed_rows() -> Iterator[tuple[str, str]]:
    for kind, rows in NEEDED.items():
        yield from ((kind, type_) for type_ in rows)


def test_it_is_known_what_each_resource_of_a_blueprint_needs() -> None:
    known = set(needed_rows())
    assert {key: sorted(who)[:3] for key, who in used().items() if key not in known} == {}
    in_modules = {
        block
        for path in (ROOT / "modules").glob("*/*.tf")
        for block in BLOCK.findall(path.read_text("utf-8"))
    }
    assert known - used().keys() - in_modules == set()  # nor is a right given for what no module has


@pytest.mark.parametrize(("kind", "type_"), sorted(needed_rows()))
def test_a_plan_may_read_it_and_an_apply_may_change_it(kind: str, type_: str) -> None:
    assert reads(kind, type_) - TABLE.of("plan") == set()
    assert changes(kind, type_) - TABLE.of("apply") == set()


@cache
def own_actions() -> dict[tuple[str, str], set[str]]:
    """{(role, action): where}."""
    session = botocore.session.get_session()
    found = defaultdict(set)
    for (role, service, operation), places in own_calls.calls().items():
        signed = session.get_service_model(service).signing_name
        where = {str(place.file) for place in places if (place.file, place.name) not in NOT_ON_AWS}
        if where:
            found[role, iam_action(signed, operation, "POST")] |= where
    return dict(found)


def test_our_own_code_calls_what_the_role_may_that_it_calls_as() -> None:
    refused = {
        (role, action): sorted(where)
        for (role, action), where in own_actions().items()
        if action not in TABLE.of(role) | NEED_NO_RIGHT
    }
    assert refused == {}


def test_no_call_of_ours_is_overlooked() -> None:
    seen = {place.file for places in own_calls.calls().values() for place in places}
    plumbing = {f"controlplane/adapters/aws/{name}.py" for name in ("clients", "errors", "tally")}
    ask = {
        own_calls.named(path)
        for path in (ROOT / "controlplane" / "adapters").rglob("*.py")
        if re.search(
            r"^(import|from) boto|[Cc]lient\.[a-z]+_[a-z_]+\(", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert ask - seen - plumbing == set()
    assert ("plan", "resourcegroupstaggingapi", "GetResources") in own_calls.calls()
    assert ("data", "s3", "PutObject") in own_calls.calls()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_holds_nothing_that_nobody_needs_of_it(role: str) -> None:
    ours = {action for who, action in own_actions() if who == role}
    of_terraform = {
        action
        for row in needed_rows()
        for action in {"plan": reads(*row), "apply": changes(*row), "data": set()}[role]
    }
    held = {action for grant in TABLE.grants if grant.role == role for action in grant.actions}
    assert held - ours - of_terraform == BESIDE[role]


def test_stories_called_nothing_of_which_it_is_not_known_who_needs_it() -> None:
    of_terraform = {action for row in needed_rows() for action in reads(*row) | changes(*row)}
    assert SEEN - of_terraform - {action for _, action in own_actions()} == set()


def test_services_roles_may_within_their_boundary_what_modules_give_them() -> None:
    makers = [
        path for path in (ROOT / "modules").glob("*/main.tf") if 'resource "aws_iam_role"' in path.read_text()
    ]
    blueprints = (ROOT / "controlplane" / "catalog" / "blueprints").glob("*.toml")
    given = {
        prefix
        for path in (*(path for path in makers if path.parent.name != "cell"), *blueprints)
        for prefix in ACTION.findall(path.read_text(encoding="utf-8"))
    }
    assert {"s3", "logs", "secretsmanager"} < given
    assert given - set(TABLE.services) - {"aws", "sts"} == set()
