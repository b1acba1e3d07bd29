"""What docs/iam shows for a new cell is taken by Terraform, with the policies that lie there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.cell_root import cell_root
from tests.contract.rendered import Terraform

pytestmark = pytest.mark.terraform
MOCKED = """
mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/controlplane-cell/mocked" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/controlplane-cell/mocked" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:123456789012:key/mocked" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::mocked" }
  }
}

run "a_cell_is_opened" {
  variables {
    external_id = "0123456789abcdef0123456789abcdef"
  }

  assert {
    condition     = length(output.cell.roles) == 3 && output.cell.role_boundary != ""
    error_message = "It gives the lines of the cells file."
  }
}
"""


def test_a_cell_is_opened_as_its_page_says(tmp_path: Path) -> None:
    folder = cell_root(tmp_path / "checkout")
    (folder / "opening.tftest.hcl").write_text(MOCKED)
    terraform = Terraform(tmp_path)
    terraform.run(folder, "fmt", "-check", "-diff", "main.tf")
    terraform.run(folder, "init", "-backend=false", "-no-color")
    terraform.run(folder, "validate", "-no-color")
    assert "1 passed, 0 failed" in terraform.run(folder, "test", "-no-color")
