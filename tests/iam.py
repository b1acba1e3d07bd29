"""Our table of actions against what IAM defines: under a limit that an action does not know it is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from controlplane.catalog.permissions import Grant, Permissions

# AWS documents the tag of the request for it, and the definitions leave it out.
NOT_SAID = {("ec2:CreateTags", "aws:RequestTag/managed-by")}
OTHER_RESOURCES = {"glue:TagResource", "glue:UntagResource"}  # of databases too, likewise


def problems(permissions: Permissions, definitions: Mapping[str, Any]) -> Iterator[str]:
    """What AWS would not take, or would never allow."""
    for grant in permissions.grants:
        conditions = permissions.limits[grant.limit] if grant.limit else {}
        keys = sorted(key for by_key in conditions.values() for key in by_key)
        for action in grant.actions:
            for problem in _problems(grant, action, keys, definitions):
                yield f"{grant.name}: {action} {problem}"


def _problems(grant: Grant, action: str, keys: list[str], definitions: Mapping[str, Any]) -> Iterator[str]:
    service, _, name = action.partition(":")
    known = definitions.get(service, {}).get("privileges", {}).get(name)
    if known is None:
        yield "is no action of IAM"
        return
    kinds = {
        kind.rstrip("*"): found["condition_keys"] for kind, found in known["resource_types"].items() if kind
    }
    if not kinds and grant.resources != ("*",):
        yield "has no resource: it is given for * or not at all"
    resources = definitions[service]["resources"]
    arns = [resources[kind]["arn"] for kind in kinds if kind in resources]
    if (
        arns
        and action not in OTHER_RESOURCES
        and not any(_fits(ours, arn) for ours in grant.resources for arn in arns)
    ):
        yield f"is given for nothing of {', '.join(arns)}"
    of_resources = {key for kind in kinds for key in resources.get(kind, {}).get("condition_keys", [])}
    of_action = {key for found in known["resource_types"].values() for key in found["condition_keys"]}
    for key in keys:
        if (action, key) not in NOT_SAID and not _knows(key, of_resources | of_action):
            yield f"does not know {key}"


def _knows(key: str, known: set[str]) -> bool:
    """`aws:ResourceTag/managed-by` is known as `aws:ResourceTag/${TagKey}`."""
    return any(key == one or key.partition("/")[0] + "/${TagKey}" == one for one in known)


def _fits(ours: str, arn: str) -> bool:
    """Whether something has an ARN as we write it and of this form, by parts and the last one's start."""
    if ours == "*":
        return True
    *mine, own_last = ours.split(":", 5)
    *theirs, last = arn.replace("${Partition}", "aws").split(":", 5)
    same = all(a == b or (b.startswith("${") and a == "*") for a, b in zip(mine, theirs, strict=True))
    begins, own_begins = last.partition("${")[0], own_last.partition("*")[0]
    return same and (own_begins.startswith(begins) or (begins.startswith(own_begins) and "*" in own_last))
