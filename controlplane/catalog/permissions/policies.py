"""IAM policies out of the table: pure, ordered, and split where a managed policy would be too long."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from controlplane.catalog.permissions.table import ROLES, Grant, Permissions, of_platforms

MOST_CHARACTERS = 6144  # of a managed policy; IAM does not count white space
# Where the cell module puts its own roles and policies, which none of them may touch.
CELL_PATH = "controlplane-cell"
# Words that the cell module replaces.
WORKER, EXTERNAL_ID = "WORKER_ROLE_ARN", "EXTERNAL_ID"
# What a session may be called: after its operation; what looks at many tenants at once belongs to none.
SESSIONS = ("op-*", "controlplane", "drift-look")
# The cell's boundary for roles that services work as, whatever the account and the cell.
SERVICES = f"arn:aws:iam::*:policy/{CELL_PATH}/*-services"
_OWN = [f"arn:aws:iam::*:{kind}/{CELL_PATH}/*" for kind in ("role", "policy")]
_STATES = ["arn:aws:s3:::controlplane-*-state-*", "arn:aws:s3:::controlplane-*-state-*/*"]
_VERSION = "2012-10-17"


def documents(permissions: Permissions) -> dict[str, str]:
    """{file name: its text}; a role whose statements do not fit into one policy has several, numbered."""
    made: dict[str, Any] = {"boundary": boundary(permissions), "trust": trust()}
    made["services"] = services(permissions)
    for role in ROLES:
        statements = [_statement(grant, permissions) for grant in permissions.grants if grant.role == role]
        parts = list(_split(statements))
        names = [role] if len(parts) == 1 else [f"{role}-{number}" for number in range(1, len(parts) + 1)]
        made |= {name: _policy(part) for name, part in zip(names, parts, strict=True)}
    return {f"{name}.json": json.dumps(made[name], indent=2) + "\n" for name in sorted(made)}


def boundary(permissions: Permissions) -> dict[str, Any]:
    """The most that any role of a cell can have, whatever policy somebody attaches to it.

    Services as a whole, so that it changes seldom; of IAM only what the table names. A role that one of them
    makes has the boundary for services, or is not made."""
    whole = sorted({action.partition(":")[0] for action in permissions.actions} - {"iam"})
    return _policy(
        [
            {
                "Sid": "Most",
                "Effect": "Allow",
                "Action": [
                    *(f"{service}:*" for service in whole),
                    *sorted(action for action in permissions.actions if action.startswith("iam:")),
                ],
                "Resource": "*",
            },
            {"Sid": "NotItself", "Effect": "Deny", "Action": "iam:*", "Resource": _OWN},
            {
                "Sid": "NoneBeyondServices",
                "Effect": "Deny",
                "Action": ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePolicy"],
                "Resource": "*",
                "Condition": {"ArnNotLike": {"iam:PermissionsBoundary": SERVICES}},
            },
            {
                "Sid": "BoundForGood",
                "Effect": "Deny",
                "Action": "iam:DeleteRolePermissionsBoundary",
                "Resource": "*",
            },
            {
                "Sid": "NotTheStates",
                "Effect": "Deny",
                "Action": [
                    "s3:DeleteBucket",
                    "s3:DeleteBucketPolicy",
                    "s3:DeleteObjectVersion",
                    "s3:PutBucketPolicy",
                    "s3:PutBucketPublicAccessBlock",
                    "s3:PutBucketVersioning",
                ],
                "Resource": _STATES,
            },
        ]
    )


def services(permissions: Permissions) -> dict[str, Any]:
    """The most that a role can have which Terraform makes for a service: what tasks, functions, hosts,
    deployments, backups and archives of logs do. It makes no role, hands on none but a platform's, and opens
    no state."""
    return _policy(
        [
            {
                "Sid": "Most",
                "Effect": "Allow",
                "Action": [f"{service}:*" for service in permissions.services],
                "Resource": "*",
            },
            {
                "Sid": "HandOn",
                "Effect": "Allow",
                "Action": "iam:PassRole",
                "Resource": list(of_platforms(("arn:aws:iam::*:role/PLATFORM",))),
                "Condition": {
                    "StringEquals": {"iam:PassedToService": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]}
                },
            },
            {"Sid": "NotTheStates", "Effect": "Deny", "Action": "s3:*", "Resource": _STATES},
        ]
    )


def trust() -> dict[str, Any]:
    """Who may take a role: the workers, with the cell's external id, under an operation's name or our own."""
    return _policy(
        [
            {
                "Sid": "Workers",
                "Effect": "Allow",
                "Principal": {"AWS": WORKER},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"sts:ExternalId": EXTERNAL_ID},
                    "StringLike": {"sts:RoleSessionName": list(SESSIONS)},
                },
            }
        ]
    )


def size(document: Any) -> int:
    """As IAM counts."""
    return len(json.dumps(document, separators=(",", ":")))


def _policy(statements: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": _VERSION, "Statement": list(statements)}


def _statement(grant: Grant, permissions: Permissions) -> dict[str, Any]:
    said: dict[str, Any] = {
        "Sid": grant.name,
        "Effect": "Allow",
        "Action": sorted(grant.actions),
        "Resource": sorted(grant.resources),
    }
    return said | ({"Condition": dict(permissions.limits[grant.limit])} if grant.limit else {})


def _split(statements: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """In their order, as many to a policy as fit."""
    part: list[dict[str, Any]] = []
    for statement in statements:
        if part and size(_policy([*part, statement])) > MOST_CHARACTERS:
            yield part
            part = []
        part.append(statement)
    yield part
