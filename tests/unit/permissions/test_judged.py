"""What the scan says of a table that IAM would not take."""

from __future__ import annotations

import pytest

from controlplane.catalog.permissions import Grant, Permissions
from tests.iam import problems

TAGGED = {
    "arn": "arn:${Partition}:rds:${Region}:${Account}:db:${DbInstanceName}",
    "condition_keys": ["aws:ResourceTag/${TagKey}"],
}
DEFINITIONS = {
    "rds": {
        "privileges": {
            "DeleteDBInstance": {"resource_types": {"db*": {"condition_keys": []}}},
            "CreateDBInstance": {
                "resource_types": {
                    "db*": {"condition_keys": []},
                    "": {"condition_keys": ["aws:RequestTag/${TagKey}"]},
                }
            },
        },
        "resources": {"db": TAGGED},
    },
    "sns": {"privileges": {"Unsubscribe": {"resource_types": {"": {"condition_keys": []}}}}, "resources": {}},
}
LIMITS = {
    "ours": {"StringEquals": {"aws:ResourceTag/managed-by": "controlplane"}},
    "new": {"StringEquals": {"aws:RequestTag/managed-by": "controlplane"}},
}


def judged(action: str, limit: str = "", resource: str = "*") -> list[str]:
    grant = Grant("One", "apply", "a test", (resource,), (action,), limit)
    return list(problems(Permissions((grant,), LIMITS), DEFINITIONS))


@pytest.mark.parametrize(
    ("action", "limit", "resource"),
    [
        ("rds:DeleteDBInstance", "ours", "*"),
        ("rds:CreateDBInstance", "new", "*"),
        ("rds:DeleteDBInstance", "", "arn:aws:rds:*:*:db:a-*"),
        ("sns:Unsubscribe", "", "*"),
    ],
)
def test_a_limit_that_its_action_knows_is_fine(action: str, limit: str, resource: str) -> None:
    assert judged(action, limit, resource) == []


@pytest.mark.parametrize(
    ("action", "limit", "resource", "said"),
    [
        ("rds:DropDBInstance", "", "*", "One: rds:DropDBInstance is no action of IAM"),
        ("mail:Send", "", "*", "One: mail:Send is no action of IAM"),
        (
            "rds:DeleteDBInstance",
            "new",
            "*",
            "One: rds:DeleteDBInstance does not know aws:RequestTag/managed-by",
        ),
        ("sns:Unsubscribe", "ours", "*", "One: sns:Unsubscribe does not know aws:ResourceTag/managed-by"),
        (
            "rds:DeleteDBInstance",
            "",
            "arn:aws:rds:::db:*",
            "One: rds:DeleteDBInstance is given for nothing of "
            "arn:${Partition}:rds:${Region}:${Account}:db:${DbInstanceName}",
        ),
        (
            "sns:Unsubscribe",
            "",
            "arn:aws:sns:*:*:*",
            "One: sns:Unsubscribe has no resource: it is given for * or not at all",
        ),
    ],
)
def test_what_aws_would_never_allow_is_said(action: str, limit: str, resource: str, said: str) -> None:
    assert judged(action, limit, resource) == [said]
