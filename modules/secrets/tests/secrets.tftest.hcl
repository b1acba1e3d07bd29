mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }
}

variables {
  name    = "platform-demo"
  key_arn = "arn:aws:kms:us-east-1:123456789012:key/one"
  secrets = ["session", "mail"]
}

run "secrets_are_encrypted_containers_without_a_value" {
  command = apply

  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.this : secret.kms_key_id == var.key_arn && secret.recovery_window_in_days == 30])
    error_message = "Our key, and a month to think again."
  }

  assert {
    condition     = aws_secretsmanager_secret.this["mail"].name == "controlplane/platform-demo/mail" && output.prefix == "controlplane/platform-demo/"
    error_message = "Names belong to their platform."
  }

  assert {
    condition     = output.tenant_routes_arn == "arn:aws:ssm:us-east-1:123456789012:parameter/controlplane/*/route"
    error_message = "What serves all tenants finds them below one prefix."
  }
}

run "a_secret_with_a_space_is_refused" {
  command = plan

  variables {
    secrets = ["mail key"]
  }

  expect_failures = [var.secrets]
}

run "a_secret_that_is_gone_at_once_is_refused" {
  command = plan

  variables {
    recovery_days = 0
  }

  expect_failures = [var.recovery_days]
}
