"""The policies of docs/iam are the table's, no larger than IAM takes, and hold what is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controlplane.catalog.permissions import ROLES, Grant, Permissions, documents, load
from controlplane.catalog.permissions.policies import CELL_PATH, MOST_CHARACTERS, SERVICES, size
from controlplane.domain.errors import Invalid

ROOT = Path(__file__).resolve().parents[3]
TABLE = load()
MADE = documents(TABLE)
MOST_POLICIES = 10  # that are attached to one role
READS = ("Describe", "GET", "Get", "List", "View")
# What AWS limits neither by a resource nor by a tag, or what has no name yet.
LIMITED_BY_NOTHING = {
    "backup-storage:MountCapsule",
    "cloudfront:CreateDistribution",
    "cloudfront:CreateOriginAccessControl",
    "ecs:DeregisterTaskDefinition",
    "elasticloadbalancing:SetWebAcl",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "route53:CreateHealthCheck",
    "route53:CreateHostedZone",
    "ses:CreateTemplate",
    "ses:DeleteIdentity",
    "ses:DeleteTemplate",
    "ses:UpdateTemplate",
    "ses:VerifyDomainDkim",
    "ses:VerifyDomainIdentity",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
    "xray:PutEncryptionConfig",
}


def statements(role: str) -> Iterator[dict[str, Any]]:
    for name, text in MADE.items():
        if name.startswith(role):
            yield from json.loads(text)["Statement"]


def allowed(role: str) -> set[str]:
    return {action for statement in statements(role) for action in statement["Action"]}


def test_the_committed_policies_are_what_the_table_makes() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in ROOT.glob("docs/iam/*.json")}
    assert committed == MADE, "python -m controlplane.catalog.permissions"


@pytest.mark.parametrize("name", sorted(MADE))
def test_a_policy_is_one_that_iam_takes(name: str) -> None:
    policy = json.loads(MADE[name])
    sids = [statement["Sid"] for statement in policy["Statement"]]
    assert policy["Version"] == "2012-10-17"
    assert size(policy) <= MOST_CHARACTERS
    assert len(set(sids)) == len(sids)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_s_policies_say_each_action_by_its_name(role: str) -> None:
    assert allowed(role)
    assert not [action for action in allowed(role) if "*" in action]


def test_whoever_plans_changes_nothing_and_opens_the_master_s_secret_alone() -> None:
    assert {action for action in allowed("plan") if not action.split(":")[1].startswith(READS)} == {
        "kms:Decrypt"
    }
    (opening,) = (one for one in statements("plan") if "secretsmanager:GetSecretValue" in one["Action"])
    assert opening["Resource"] == ["arn:aws:secretsmanager:*:*:secret:controlplane/*/master-*"]


def test_who_applies_opens_no_other_secret_and_who_keeps_data_changes_no_network() -> None:
    assert not {one for one in allowed("apply") if one.startswith("secretsmanager:Get")}
    assert {one for one in allowed("data") if one.startswith(("ec2:", "iam:"))} == {"iam:PassRole"}
    (handing,) = (one for one in statements("data") if "iam:PassRole" in one["Action"])
    assert handing["Condition"] == {"StringEquals": {"iam:PassedToService": "export.rds.amazonaws.com"}}


def test_what_has_no_limit_by_tag_has_one_by_name_or_reads_or_says_why() -> None:
    loose = {
        action
        for grant in TABLE.grants
        if grant.resources == ("*",) and not grant.limit
        for action in grant.actions
        if not action.split(":")[1].startswith(READS)
    }
    assert loose == LIMITED_BY_NOTHING
    assert all(len(grant.why) > 10 for grant in TABLE.grants)


def test_nobody_within_the_boundary_touches_the_roles_of_the_cell() -> None:
    denied = [one for one in json.loads(MADE["boundary.json"])["Statement"] if one["Effect"] == "Deny"]
    assert {"iam:*"} == {one["Action"] for one in denied if CELL_PATH in str(one["Resource"])}
    (most,) = (one for one in statements("boundary") if one["Effect"] == "Allow")
    services = {action.partition(":")[0] for action in most["Action"]}
    assert services == {action.partition(":")[0] for action in TABLE.actions}
    assert "iam:*" not in most["Action"]


def test_a_role_is_taken_with_the_external_id_under_an_operation_s_name() -> None:
    (trusted,) = statements("trust")
    assert trusted["Condition"]["StringEquals"] == {"sts:ExternalId": "EXTERNAL_ID"}
    assert "op-*" in trusted["Condition"]["StringLike"]["sts:RoleSessionName"]


def test_no_role_carries_more_policies_than_iam_attaches() -> None:
    carried = {
        role: sum(name.startswith(set_) for set_ in sets for name in MADE)
        for role, sets in {"plan": ["plan"], "apply": ["apply", "plan"], "data": ["data"]}.items()
    }
    assert all(0 < number <= MOST_POLICIES for number in carried.values()), carried


@pytest.mark.parametrize(
    "action",
    ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"],
)
def test_whoever_applies_gives_rights_to_roles_alone_that_are_bounded(action: str) -> None:
    giving = [one for role in ROLES for one in statements(role) if action in one["Action"]]
    assert giving
    assert all(one["Condition"]["ArnLike"] == {"iam:PermissionsBoundary": SERVICES} for one in giving)


def test_the_boundary_itself_refuses_a_role_that_is_not_bounded() -> None:
    denied = {one["Sid"]: one for one in statements("boundary") if one["Effect"] == "Deny"}
    assert denied["NoneBeyondServices"]["Condition"] == {"ArnNotLike": {"iam:PermissionsBoundary": SERVICES}}
    assert denied["BoundForGood"]["Action"] == "iam:DeleteRolePermissionsBoundary"
    assert SERVICES.startswith(f"arn:aws:iam::*:policy/{CELL_PATH}/")  # which only the cell's maker writes


def test_a_role_for_a_service_makes_no_role_and_opens_no_state() -> None:
    most, hand_on, states = statements("services")
    assert not {action for action in most["Action"] if action.startswith(("iam:", "sts:"))}
    assert (hand_on["Action"], hand_on["Resource"] == "*") == ("iam:PassRole", False)
    assert (states["Effect"], states["Action"]) == ("Deny", "s3:*")


def test_a_role_with_more_than_fits_has_several_policies_that_hold_it_all() -> None:
    grants = tuple(
        Grant(f"Part{number}", "plan", "much", ("*",), tuple(f"rds:Describe{number}x{n}" for n in range(100)))
        for number in range(5)
    )
    made = documents(Permissions(grants, {}))
    parts = [json.loads(made[name])["Statement"] for name in made if name.startswith("plan-")]
    assert len(parts) > 1
    assert [one["Sid"] for part in parts for one in part] == [f"Part{number}" for number in range(5)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"rds:StartDBInstance"', '"rds:*"', "holds 'rds:*'"),
        ('role = "data"', 'role = "root"', "is 'root'; allowed: apply, data, plan"),
        ('limit = "ours"', 'limit = "theirs"', "is 'theirs'; allowed: "),
        ('name = "KeepSecrets"', 'name = "Keep secrets"', "IAM takes letters and digits"),
    ],
)
def test_a_table_that_means_nothing_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    folder = ROOT / "controlplane" / "catalog" / "permissions"
    text = (folder / "actions.toml").read_text(encoding="utf-8")
    (tmp_path / "actions.toml").write_text(text.replace(old, new))
    with pytest.raises(Invalid, match=r"actions.toml") as refused:
        load(tmp_path)
    assert message in str(refused.value)
