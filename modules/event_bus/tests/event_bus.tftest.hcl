mock_provider "aws" {
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:us-east-1:123456789012:rule/x" }
  }
}

variables {
  name            = "shop-production-default"
  key_arn         = "arn:aws:kms:us-east-1:123456789012:key/0"
  dead_letter_arn = "arn:aws:sqs:us-east-1:123456789012:dead"
  rules = {
    orders = {
      sources  = ["shop.orders"]
      function = { name = "w", arn = "arn:aws:lambda:us-east-1:123456789012:function:w", alias = "live", alias_arn = "arn:aws:lambda:us-east-1:123456789012:function:w:live", invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/x" }
    }
    nightly = {
      schedule = "cron(0 3 * * ? *)"
      function = { name = "w", arn = "arn:aws:lambda:us-east-1:123456789012:function:w", alias = "live", alias_arn = "arn:aws:lambda:us-east-1:123456789012:function:w:live", invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/x" }
    }
  }
}

run "a_pattern_stands_on_the_own_bus_and_a_schedule_on_the_default_one" {
  command = apply

  assert {
    condition     = aws_cloudwatch_event_rule.this["orders"].event_bus_name == var.name && jsondecode(aws_cloudwatch_event_rule.this["orders"].event_pattern).source == ["shop.orders"]
    error_message = "Events of a source lead on from the own bus."
  }

  assert {
    condition     = aws_cloudwatch_event_rule.this["nightly"].schedule_expression == "cron(0 3 * * ? *)" && aws_cloudwatch_event_rule.this["nightly"].event_pattern == null
    error_message = "A schedule has no pattern."
  }

  assert {
    condition     = alltrue([for target in values(aws_cloudwatch_event_target.function) : target.dead_letter_config[0].arn == var.dead_letter_arn])
    error_message = "What cannot be delivered is laid aside."
  }
}

run "a_rule_that_waits_for_nothing_is_refused" {
  command = plan

  variables {
    rules = {
      orders = {
        function = { name = "w", arn = "a", alias = "live", alias_arn = "a", invoke_arn = "a" }
      }
    }
  }

  expect_failures = [var.rules]
}
