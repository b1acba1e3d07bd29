mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/one" }
  }
}

variables {
  name    = "platform-demo"
  key_arn = "arn:aws:kms:us-east-1:123456789012:key/one"
  tag     = { key = "blueprint", value = "demo" }
}

run "what_carries_the_tag_is_backed_up_daily_for_a_week" {
  command = apply

  assert {
    condition     = one(aws_backup_plan.this.rule).schedule == "cron(0 3 * * ? *)" && one(aws_backup_plan.this.rule).lifecycle[0].delete_after == 7
    error_message = "Daily, for seven days."
  }

  assert {
    condition     = one(aws_backup_selection.this.selection_tag).key == "blueprint" && aws_backup_vault.this.kms_key_arn == var.key_arn
    error_message = "By tag, into an encrypted vault."
  }
}

run "a_schedule_that_is_no_cron_is_refused" {
  command = plan

  variables {
    rules = { daily = { schedule = "daily", keep_days = 7 } }
  }

  expect_failures = [var.rules]
}

run "an_empty_tag_is_refused" {
  command = plan

  variables {
    tag = { key = "blueprint", value = "" }
  }

  expect_failures = [var.tag]
}

run "the_role_has_the_boundary_that_is_given" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::123456789012:policy/controlplane-cell/controlplane-default-services"
  }

  assert {
    condition     = aws_iam_role.this.permissions_boundary == var.permissions_boundary
    error_message = "Without it a role here could be more than whoever makes it."
  }
}
