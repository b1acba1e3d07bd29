# Containers for the platform's secrets. What is in them is written by people and by the control plane, never by
# Terraform: a value that Terraform knows stands in its state.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account = "${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"
}

resource "aws_secretsmanager_secret" "this" {
  # checkov:skip=CKV2_AWS_57: who writes a secret rotates it; there is one rotator, and it is no function of this account
  for_each = var.secrets

  name                    = "controlplane/${var.name}/${each.key}"
  kms_key_id              = var.key_arn
  recovery_window_in_days = var.recovery_days
}
