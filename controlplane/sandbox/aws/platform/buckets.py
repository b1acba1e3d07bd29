"""S3's buckets, whose policies are read with their conditions."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3 import models
from moto.s3.models import FakeBucket

# What is known of every call here. The sandbox has no TLS: it takes each call for one that had it.
_KNOWN = {"aws:securetransport": "true"}


class SandboxBucket(FakeBucket):  # type: ignore[misc]
    """moto takes a statement for one without conditions: who must use TLS is refused everything."""

    def get_permission(self, action: str, resource: str) -> PermissionResult:
        if self.policy is None:
            return PermissionResult.NEUTRAL
        document = json.loads(self.policy)
        statements = [one for one in _listed(document["Statement"]) if _holds(one.get("Condition") or {})]
        policy = IAMPolicy(json.dumps({**document, "Statement": [_bare(one) for one in statements]}))
        return policy.is_action_permitted(action, resource)


def _holds(conditions: dict[str, dict[str, Any]]) -> bool:
    """A condition on what is not known of a call does not hold, whatever it is."""
    return all(
        operator == "Bool" and _KNOWN.get(key.lower()) in _listed(wanted)
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _bare(statement: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in statement.items() if key != "Condition"}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def mend_buckets() -> None:
    """moto makes its buckets by this name."""
    models.FakeBucket = SandboxBucket
