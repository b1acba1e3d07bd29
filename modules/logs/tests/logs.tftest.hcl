mock_provider "aws" {
  mock_resource "aws_kinesis_firehose_delivery_stream" {
    defaults = { arn = "arn:aws:firehose:us-east-1:123456789012:deliverystream/one" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/one" }
  }
}

variables {
  name   = "platform-demo"
  groups = { backend = "application", edge = "access", trail = "audit" }
}

run "every_group_forgets_by_its_class" {
  command = apply

  assert {
    condition     = { for name, group in aws_cloudwatch_log_group.this : name => group.retention_in_days } == { backend = 7, edge = 30, trail = 90 }
    error_message = "Application 7 days, access 30, audit 90."
  }

  assert {
    condition     = keys(aws_cloudwatch_log_metric_filter.errors) == ["backend"]
    error_message = "Errors are counted in the application's logs."
  }

  assert {
    condition     = length(aws_kinesis_firehose_delivery_stream.archive) == 0 && output.groups.backend == "/controlplane/platform-demo/backend"
    error_message = "Without a bucket there is no archive."
  }
}

run "an_archive_gets_every_line_of_every_group" {
  command = apply

  variables {
    archive            = true
    archive_bucket_arn = "arn:aws:s3:::archive"
    key_arn            = "arn:aws:kms:us-east-1:123456789012:key/one"
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_log_subscription_filter.archive)) == toset(["backend", "edge", "trail"]) && alltrue([for filter in aws_cloudwatch_log_subscription_filter.archive : filter.filter_pattern == ""])
    error_message = "All lines of all groups are archived."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.firehose[0].policy).Statement[0].Resource == "arn:aws:s3:::archive/logs/*"
    error_message = "The archive writes below logs/ only."
  }
}

run "a_class_that_nobody_knows_is_refused" {
  command = plan

  variables {
    groups = { backend = "whatever" }
  }

  expect_failures = [var.groups]
}

run "a_group_that_never_forgets_is_refused" {
  command = plan

  variables {
    application_days = 0
  }

  expect_failures = [var.application_days]
}

run "an_audit_log_of_a_month_is_refused" {
  command = plan

  variables {
    audit_days = 30
  }

  expect_failures = [var.audit_days]
}

run "an_archive_without_a_bucket_is_refused" {
  command = plan

  variables {
    archive = true
  }

  expect_failures = [var.archive_bucket_arn]
}

run "every_role_has_the_boundary_that_is_given" {
  command = plan

  variables {
    archive              = true
    archive_bucket_arn   = "arn:aws:s3:::archive"
    key_arn              = "arn:aws:kms:us-east-1:123456789012:key/one"
    permissions_boundary = "arn:aws:iam::123456789012:policy/controlplane-cell/controlplane-default-services"
  }

  assert {
    condition     = alltrue([for role in aws_iam_role.archive : role.permissions_boundary == var.permissions_boundary])
    error_message = "Without it a role here could be more than whoever makes it."
  }
}
