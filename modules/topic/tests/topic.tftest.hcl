mock_provider "aws" {
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:x" }
  }
}

variables {
  name    = "loyalty-production-default"
  purpose = "push"
  key_arn = "arn:aws:kms:us-east-1:123456789012:key/0"
  emails  = ["ops@example.org"]
}

run "only_named_services_publish_and_for_this_account" {
  command = apply

  assert {
    condition     = alltrue([for statement in jsondecode(aws_sns_topic_policy.this.policy).Statement : statement.Principal.Service == "cloudwatch.amazonaws.com" && contains(keys(statement.Condition.StringEquals), "aws:SourceAccount")])
    error_message = "Somebody else may publish."
  }

  assert {
    condition     = [for subscription in values(aws_sns_topic_subscription.email) : subscription.endpoint] == ["ops@example.org"]
    error_message = "Every address is subscribed."
  }
}

run "text_that_is_no_address_is_refused" {
  command = plan

  variables {
    emails = ["ops"]
  }

  expect_failures = [var.emails]
}
