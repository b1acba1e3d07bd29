"""Who asks AWS: a plan does as the reading role, an apply as the other, both under the operation's name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane import terraforms
from controlplane.adapters.aws import AwsAccount, Clients, Role
from controlplane.adapters.keyring import FileKeyring
from controlplane.domain.names import OperationId
from controlplane.ports import Runner, RunStatus
from controlplane.sandbox import lifecycle
from controlplane.settings import Settings
from tests.contract.runner_stage import RealStage
from tests.contract.sandbox_stage import Stage, stage

pytestmark = [pytest.mark.terraform, pytest.mark.postgres]
MAIN = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "5.100.0" }
  }
}

provider "aws" {
  max_retries                 = 2
  skip_credentials_validation = true
  skip_metadata_api_check     = true
}

resource "aws_ssm_parameter" "this" {
  name  = "/acme/word"
  type  = "String"
  value = "one"
}
"""
OPERATION = "op-17"


@pytest.fixture
def aws() -> Iterator[Stage]:
    yield from stage()


class Composed(RealStage):
    """The runner as the program composes it, with a role for each phase."""

    def __init__(self, tmp: Path, aws: Stage) -> None:
        super().__init__(tmp)
        (self.folder / "main.tf").write_text(MAIN)
        iam = aws.client("iam")
        made = {
            role: iam.create_role(RoleName=role.value, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
            for role in (Role.PLAN, Role.APPLY)
        }
        account = AwsAccount(
            aws.info.region, aws.info.endpoint_url, roles=made, access_key="sandbox", secret_key="sandbox"
        )
        settings = Settings(data_dir=self.place.data_dir, database_url=self.url, region=aws.info.region)
        ring = FileKeyring(tmp / "keyring.json")
        db = self.database()
        self._composed = terraforms.runner(settings, db, ring, Clients(account))

    def runner(self) -> Runner:  # type: ignore[override]
        return self._composed


def _asked(aws: Stage) -> dict[str, Counter[str]]:
    return {who: Counter(found) for who, found in lifecycle.recorded_actions(aws.info).items()}


def test_a_plan_reads_and_an_apply_changes_each_as_its_own_role(aws: Stage, tmp_path: Path) -> None:
    place = Composed(tmp_path, aws)
    try:
        operation = {"operation": OperationId(OPERATION)}
        assert place.plan("p1", **operation).status is RunStatus.ENDED
        assert not _asked(aws).get(f"apply/{OPERATION}")
        place.apply("a1", "p1", **operation)
        place.plan("p2", **operation)
    finally:
        place.close()
    asked = _asked(aws)
    planned, applied = asked[f"plan/{OPERATION}"], asked[f"apply/{OPERATION}"]
    assert planned["ssm:GetParameter"] >= 1
    assert not [
        action for action in planned if not action.split(":")[1].startswith(("Get", "List", "Describe"))
    ]
    assert applied["ssm:PutParameter"] == 1
    assert "ssm:PutParameter" not in asked.get("sandbox", {})
