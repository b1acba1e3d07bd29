mock_provider "aws" {
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/x" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/x" }
  }
  mock_resource "aws_lambda_alias" {
    defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:x:live" }
  }
}

variables {
  name        = "shop-production-default"
  purpose     = "orders"
  code        = { bucket = "shop-packages" }
  environment = { DATABASE_HOST = "proxy.example" }
  permissions = [{ actions = ["ses:SendEmail"], resources = ["arn:aws:ses:us-east-1:123456789012:identity/example.org"] }]
  queue_arns  = { orders = "arn:aws:sqs:us-east-1:123456789012:orders" }
  logs        = { days = 7, key_arn = "arn:aws:kms:us-east-1:123456789012:key/0" }
}

run "a_function_is_small_unless_said" {
  command = apply

  assert {
    condition     = aws_lambda_function.this.memory_size == 256 && aws_lambda_function.this.timeout == 3 && length(aws_lambda_provisioned_concurrency_config.live) == 0
    error_message = "256 MB, three seconds, nothing kept warm."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 7 && aws_lambda_function.this.function_name == "shop-production-default-orders"
    error_message = "Its log group has a retention, and its name is the platform's and the purpose's."
  }

  assert {
    condition     = aws_lambda_function.this.logging_config[0].application_log_level == "INFO" && aws_lambda_function.this.logging_config[0].system_log_level == "INFO"
    error_message = "What it logs is said, so that a second plan is empty."
  }

  assert {
    condition     = length(aws_lambda_event_source_mapping.queue) == 1
    error_message = "Every queue feeds it."
  }
}

run "the_role_may_do_what_is_listed_and_nothing_on_everything" {
  command = apply

  assert {
    condition     = alltrue([for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : !contains(statement.Resource, "*") && !strcontains(join(" ", statement.Action), "*")])
    error_message = "Outside the VPC no statement speaks of every resource or of every action."
  }
}

run "what_is_kept_warm_stands_on_the_alias" {
  command = apply

  variables {
    concurrency = { reserved = 50, provisioned = 5 }
  }

  assert {
    condition     = aws_lambda_provisioned_concurrency_config.live[0].qualifier == "live" && aws_lambda_function.this.reserved_concurrent_executions == 50
    error_message = "Provisioned concurrency is the alias's, reserved the function's."
  }
}

run "an_action_with_a_wildcard_is_refused" {
  command = plan

  variables {
    permissions = [{ actions = ["s3:*"], resources = ["arn:aws:s3:::x"] }]
  }

  expect_failures = [var.permissions]
}

run "a_password_in_the_environment_is_refused" {
  command = plan

  variables {
    environment = { DATABASE_PASSWORD = "x" }
  }

  expect_failures = [var.environment]
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
