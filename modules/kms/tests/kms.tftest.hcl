mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
}

variables {
  name     = "platform-demo"
  purpose  = "logs"
  services = ["logs", "delivery.logs", "cloudtrail"]
}

run "it_rotates_and_every_service_is_bound_to_this_account" {
  command = apply

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.deletion_window_in_days == 30 && output.alias == "alias/platform-demo-logs"
    error_message = "The key rotates, can be taken back, and is named after its purpose."
  }

  assert {
    condition = {
      for statement in jsondecode(aws_kms_key.this.policy).Statement : statement.Sid => try(statement.Principal.Service, "") if statement.Sid != "Account"
    } == { Cloudtrail = "cloudtrail.amazonaws.com", DeliveryLogs = "delivery.logs.amazonaws.com", Logs = "logs.eu-west-1.amazonaws.com" }
    error_message = "Each named service has its statement."
  }

  assert {
    condition     = alltrue([for statement in jsondecode(aws_kms_key.this.policy).Statement : can(statement.Condition) || can(statement.Principal.AWS)])
    error_message = "A service uses the key under a condition only."
  }
}

run "a_service_that_nobody_knows_is_refused" {
  command = plan

  variables {
    services = ["everything"]
  }

  expect_failures = [var.services]
}

run "a_key_that_is_gone_in_a_day_is_refused" {
  command = plan

  variables {
    deletion_days = 1
  }

  expect_failures = [var.deletion_days]
}
