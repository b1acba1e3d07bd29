"""What Terraform itself says about renderings: format, validity, types and plan."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from controlplane.catalog import load
from controlplane.domain.tenant import Environment
from controlplane.domain.workspace import Rendering
from controlplane.rendering import render_platform, render_tenant, runner_override
from tests.contract.rendered import Terraform, announced, write
from tests.golden.platforms import CASES, OTHERS, SHARED_CASES, rendered
from tests.golden.workspaces import PLATFORMS, TENANTS

pytestmark = pytest.mark.terraform

RENDERINGS = {f"tenant-{name}": render_tenant(workspace, load()) for name, workspace in TENANTS.items()} | {
    f"platform-{name}": render_platform(workspace, load()) for name, workspace in PLATFORMS.items()
}
OTHER_RENDERINGS = {f"{name}-{environment}": rendered(name, environment) for name, environment in CASES}
ECHO = "".join(
    f'output "{name}" {{\n  value = var.{name}\n}}\n'
    for name in ("region", "tags", "platform", "route_parameter", "slots", "access")
)


def test_every_rendering_is_formatted(tmp_path: Path) -> None:
    for name, rendering in (RENDERINGS | OTHER_RENDERINGS).items():
        write(tmp_path / "all" / name, {**rendering.files, "runner_override.tf": runner_override()})
    Terraform(tmp_path).run(tmp_path / "all", "fmt", "-check", "-recursive", "-diff")


# A blueprint's environments have the same HCL: one of them stands for all.
VALIDATED = ["tenant-poc", "tenant-imports", "platform-development", *(f"{n}-production" for n in OTHERS)]


@pytest.mark.parametrize("name", VALIDATED)
def test_a_rendering_is_valid_with_the_lock_file_that_it_carries(name: str, tmp_path: Path) -> None:
    terraform = Terraform(tmp_path)
    folder = write(tmp_path / name, (RENDERINGS | OTHER_RENDERINGS)[name].files)
    terraform.init(folder, tmp_path / "data")
    answer = json.loads(terraform.run(folder, "validate", "-json", data=tmp_path / "data"))
    assert answer["valid"]
    assert answer["diagnostics"] == []


def echo(tmp_path: Path, tfvars: str) -> Path:
    """The tenant's variables and values alone, each given back as an output: no provider is needed."""
    variables = RENDERINGS["tenant-poc"].files["variables.tf"]
    return write(
        tmp_path / "echo",
        {"variables.tf": variables, "outputs.tf": ECHO, "tenant.auto.tfvars.json": tfvars},
    )


@pytest.mark.parametrize("name", [name for name in RENDERINGS if name.startswith("tenant-")])
def test_terraform_reads_the_values_that_were_written(name: str, tmp_path: Path) -> None:
    tfvars = RENDERINGS[name].files["tenant.auto.tfvars.json"]
    folder = echo(tmp_path, tfvars)
    terraform = Terraform(tmp_path)
    terraform.run(folder, "apply", "-auto-approve", "-no-color")
    outputs = json.loads(terraform.run(folder, "output", "-json"))
    assert {key: output["value"] for key, output in outputs.items()} == json.loads(tfvars)


def test_terraform_refuses_a_slot_with_a_misspelt_attribute(tmp_path: Path) -> None:
    tfvars = RENDERINGS["tenant-poc"].files["tenant.auto.tfvars.json"]
    folder = echo(tmp_path, tfvars.replace('"multi_az"', '"multi_as"'))
    done = Terraform(tmp_path).attempt(folder, "plan", "-no-color")
    assert done.returncode == 1
    assert 'attribute "multi_az" is required' in " ".join(done.stderr.split())


@dataclass(frozen=True)
class Emulator:
    url: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "emulator",
            "AWS_SECRET_ACCESS_KEY": "emulator",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def make_secret(self, name: str, text: str) -> None:
        client = boto3.client(
            "secretsmanager",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="emulator",
            aws_secret_access_key="emulator",
        )
        client.create_secret(Name=name, SecretString=text)

    def make_master_secrets(self, rendering: Rendering) -> None:
        """The step before the plan: it makes every master secret whose gate is open."""
        slots = json.loads(rendering.files["tenant.auto.tfvars.json"])["slots"].values()
        for slot in slots:
            if slot["credential_write"]:
                self.make_secret(slot["master_secret"], "canary-in-the-mine")


@pytest.fixture(scope="module")
def bare_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The emulator without the sandbox's mending, in a process of its own: plans need no more of it."""
    log = tmp_path_factory.mktemp("emulator") / "log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            yield Emulator(announced(log, process, r"Running on (http://127\.0\.0\.1:\d+)"))
        finally:
            process.kill()


@pytest.fixture
def emulator(bare_emulator: Emulator) -> Emulator:
    request = urllib.request.Request(f"{bare_emulator.url}/moto-api/reset", method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
    return bare_emulator


def planned(emulator: Emulator, rendering: Rendering, tmp_path: Path) -> list[dict[str, Any]]:
    """What a plan of the rendering would change, as the runner would plan it."""
    terraform = Terraform(tmp_path, emulator.environment)
    folder = write(tmp_path / "w", {**rendering.files, "runner_override.tf": runner_override()})
    terraform.run(folder, "init", "-lockfile=readonly", "-no-color")
    lines = [json.loads(line) for line in terraform.run(folder, "plan", "-json").splitlines()]
    assert "canary-in-the-mine" not in json.dumps(lines)
    return [line["change"] for line in lines if line["type"] == "planned_change"]


def counted(changes: list[dict[str, Any]]) -> dict[str, int]:
    kinds = [change["resource"]["resource_type"] for change in changes]
    return {kind: kinds.count(kind) for kind in set(kinds)}


@pytest.mark.parametrize(
    "environment",
    [
        Environment.DEVELOPMENT,
        pytest.param(Environment.STAGING, marks=pytest.mark.long),
        Environment.PRODUCTION,
    ],
)
def test_a_new_platform_is_planned_with_creates_alone(
    environment: Environment, emulator: Emulator, tmp_path: Path
) -> None:
    changes = planned(emulator, RENDERINGS[f"platform-{environment}"], tmp_path)
    assert {change["action"] for change in changes} == {"create"}
    count = counted(changes)
    zones = 2 if environment is Environment.DEVELOPMENT else 3
    assert count["aws_subnet"] == 3 * zones
    assert count["aws_db_parameter_group"] == count["aws_db_subnet_group"] == count["aws_budgets_budget"] == 1


@pytest.mark.long
@pytest.mark.parametrize("name", [f"{name}-{environment}" for name, environment in SHARED_CASES])
def test_a_new_platform_with_a_shared_database_is_planned_with_creates_alone(
    name: str, emulator: Emulator, tmp_path: Path
) -> None:
    rendering = OTHER_RENDERINGS[name]
    emulator.make_secret(
        json.loads(rendering.files["platform.auto.tfvars.json"])["application_secret"], "canary-in-the-mine"
    )
    changes = planned(emulator, rendering, tmp_path)
    assert {change["action"] for change in changes} == {"create"}
    count = counted(changes)
    assert (
        count["aws_db_instance"] == count["aws_cloudfront_distribution"] == count["aws_budgets_budget"] == 1
    )


@pytest.mark.parametrize(("name", "databases"), [("poc", 1), ("production", 1), ("two_slots", 2)])
def test_a_new_tenant_is_planned_with_creates_alone(
    name: str, databases: int, emulator: Emulator, tmp_path: Path
) -> None:
    rendering = RENDERINGS[f"tenant-{name}"]
    emulator.make_master_secrets(rendering)
    changes = planned(emulator, rendering, tmp_path)
    assert {change["action"] for change in changes} == {"create"}
    assert counted(changes) == {
        "aws_db_instance": databases,
        "aws_cloudwatch_log_group": 2 * databases,
        "aws_cloudwatch_metric_alarm": len(load().alarms) * databases,
        "aws_ssm_parameter": 1,
        # One way in on each platform where a database of it lies.
        "aws_iam_policy": databases,
        "aws_lb_listener_rule": databases,
        "aws_route53_record": databases,
    }


def test_a_plan_with_the_gate_closed_reads_no_secret(emulator: Emulator, tmp_path: Path) -> None:
    changes = planned(emulator, RENDERINGS["tenant-leaving"], tmp_path)
    # No secret was made: had the plan opened one, it would have failed.
    assert counted(changes)["aws_db_instance"] == 1


def test_a_plan_with_the_gate_open_and_no_secret_fails(emulator: Emulator, tmp_path: Path) -> None:
    terraform = Terraform(tmp_path, emulator.environment)
    files = {**RENDERINGS["tenant-poc"].files, "runner_override.tf": runner_override()}
    folder = write(tmp_path / "w", files)
    terraform.run(folder, "init", "-lockfile=readonly", "-no-color")
    done = terraform.attempt(folder, "plan", "-no-color")
    assert done.returncode == 1
    assert '"aws_secretsmanager_secret_version" "master"' in done.stderr
