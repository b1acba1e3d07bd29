mock_provider "aws" {}

variables {
  name                = "shop-production-default"
  api_id              = "a1"
  functions           = { api = "shop-api", worker = "shop-worker" }
  database_identifier = "shop-shared-e1"
  distribution_id     = "E1"
  alarm_topic_arn     = "arn:aws:sns:us-east-1:123456789012:alarms"
}

run "shares_are_watched_for_five_minutes" {
  command = apply

  assert {
    condition     = aws_cloudwatch_metric_alarm.api_errors.threshold == 1 && alltrue([for alarm in values(aws_cloudwatch_metric_alarm.function_errors) : alarm.threshold == 5])
    error_message = "1 % of the API's answers, 5 % of a function's calls."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.slow.extended_statistic == "p95" && aws_cloudwatch_metric_alarm.slow.threshold == 2000
    error_message = "Two seconds at the 95th percentile."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.function_errors) == 2 && alltrue([for alarm in values(aws_cloudwatch_metric_alarm.function_errors) : length(alarm.alarm_actions) == 1 && alarm.comparison_operator == "GreaterThanThreshold"])
    error_message = "One for each function, and somebody hears it."
  }
}

run "the_dashboard_has_five_pictures" {
  command = apply

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 5
    error_message = "Cost, requests, calls, connections, bytes."
  }
}

run "no_function_at_all_is_refused" {
  command = plan

  variables {
    functions = {}
  }

  expect_failures = [var.functions]
}
