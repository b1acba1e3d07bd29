"""IAM with AWS's own policies: each is there from the moment that somebody asks for it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy
from moto.iam.urls import url_paths

from controlplane.sandbox.aws.platform.routes import routes


class SandboxIam(IAMBackend):  # type: ignore[misc]
    """They are more than a thousand, five megabytes that every change of a role would write again."""

    @property
    def url_paths(self) -> dict[str, Any]:
        return routes(url_paths)

    def attach_role_policy(self, policy_arn: str, role_name: str) -> None:
        self._fetch(policy_arn)
        super().attach_role_policy(policy_arn, role_name)

    def get_policy(self, policy_arn: str) -> ManagedPolicy:
        self._fetch(policy_arn)
        return super().get_policy(policy_arn)

    def _fetch(self, arn: str) -> None:
        name = arn.rpartition("/")[2]
        data = _of_aws().get(name) if ":iam::aws:policy/" in arn else None
        if data is None or arn in self.managed_policies:
            return
        policy = AWSManagedPolicy.from_data(name, self.account_id, self.region_name, data)
        if policy.arn == arn:  # else its path is another one
            self.managed_policies[arn] = policy


@cache
def _of_aws() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
    return found
