"""The real Terraform and the real AWS provider against the sandbox: nothing is left to plan afterwards."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.adapters.terraform.discovery import install
from controlplane.sandbox import lifecycle
from tests.contract.sandbox_stage import Stage, sql, stage

pytestmark = [pytest.mark.terraform, pytest.mark.postgres]
MAIN = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "5.100.0" }
  }
}

provider "aws" {
  region                      = "us-east-1"
  max_retries                 = 2
  skip_credentials_validation = true
  skip_metadata_api_check     = true
}

variable "password" {
  type      = string
  ephemeral = true
}

resource "aws_db_parameter_group" "this" {
  name   = "logical"
  family = "postgres16"
  parameter {
    name         = "rds.logical_replication"
    value        = "1"
    apply_method = "pending-reboot"
  }
}

resource "aws_db_instance" "this" {
  for_each                     = toset(["e1", "e2"])
  identifier                   = "acme-${each.key}"
  engine                       = "postgres"
  engine_version               = "16.8"
  engine_lifecycle_support     = "open-source-rds-extended-support-disabled"
  instance_class               = "db.t4g.micro"
  allocated_storage            = 20
  max_allocated_storage        = 100
  storage_type                 = "gp3"
  storage_encrypted            = true
  db_name                      = "app"
  username                     = "boss"
  password_wo                  = var.password
  password_wo_version          = 1
  port                         = 5432
  network_type                 = "IPV4"
  parameter_group_name         = aws_db_parameter_group.this.name
  backup_retention_period      = 7
  performance_insights_enabled = true
  copy_tags_to_snapshot        = true
  apply_immediately            = true
  delete_automated_backups     = false
  final_snapshot_identifier    = "acme-${each.key}-final"
  tags                         = { tenant = "acme" }
}
"""


@pytest.fixture
def aws() -> Iterator[Stage]:
    yield from stage(delay_seconds=2.0)


@pytest.fixture
def workspace(aws: Stage, tmp_path: Path) -> Path:
    (tmp_path / "main.tf").write_text(MAIN)
    terraform(aws, tmp_path, "init", "-input=false")
    return tmp_path


def terraform(aws: Stage, folder: Path, *words: str, expect: tuple[int, ...] = (0,)) -> int:
    found = install("", "", folder)
    env = {
        **aws.info.environment(),
        "PATH": os.defpath,
        "HOME": str(folder),
        "TF_VAR_password": "Legal-pass-1",
        "TF_CLI_CONFIG_FILE": str(found.cli_config),
    }
    done = subprocess.run(
        [*found.terraform.command, *words, "-no-color"],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode in expect, done.stdout[-3000:] + done.stderr[-3000:]
    return done.returncode


def test_apply_leaves_nothing_to_plan_also_after_a_restart_and_destroy_ends_it(
    aws: Stage, workspace: Path
) -> None:
    terraform(aws, workspace, "apply", "-auto-approve", "-input=false")
    plan = ("plan", "-detailed-exitcode", "-input=false")
    assert terraform(aws, workspace, *plan, expect=(0, 2)) == 0
    lifecycle.stop(aws.info.folder)
    lifecycle.start(aws.info.folder)
    assert terraform(aws, workspace, *plan, expect=(0, 2)) == 0
    assert sql(aws.look("acme-e2"), "show wal_level") == [("logical",)]
    state = json.loads((workspace / "terraform.tfstate").read_text())
    assert "Legal-pass-1" not in json.dumps(state)
    terraform(aws, workspace, "destroy", "-auto-approve", "-input=false")
    assert aws.rds.describe_db_instances()["DBInstances"] == []
    assert aws.snapshot_until("acme-e1-final")["TagList"] == [{"Key": "tenant", "Value": "acme"}]
