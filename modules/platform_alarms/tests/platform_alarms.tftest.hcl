mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }
}

variables {
  name          = "platform-demo"
  topic_arn     = "arn:aws:sns:us-east-1:123456789012:alarms"
  emails        = ["ops@example.com"]
  cluster       = "demo"
  service       = "demo-app"
  load_balancer = "app/demo/1"
  target_group  = "targetgroup/demo/1"
  bucket        = "objects"
}

run "five_pairs_have_their_thresholds_and_tell_the_topic" {
  command = apply

  assert {
    condition = { for name, alarm in aws_cloudwatch_metric_alarm.this : name => alarm.threshold } == {
      cpu-warning       = 70
      cpu-critical      = 85
      memory-warning    = 75
      memory-critical   = 90
      errors-warning    = 1
      errors-critical   = 5
      latency-warning   = 2
      latency-critical  = 5
      unhealthy-warning = 0, unhealthy-critical = 50
    }
    error_message = "A threshold changed."
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.this :
      alarm.comparison_operator == "GreaterThanThreshold" && alarm.evaluation_periods == 5 && contains(alarm.alarm_actions, var.topic_arn)
    ])
    error_message = "Strictly above for five minutes, and told."
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.this :
      length([for query in alarm.metric_query : query if query.return_data]) == 1 && alltrue(flatten([for query in alarm.metric_query : [for metric in query.metric : metric.period == 60]]))
    ])
    error_message = "One value is judged, minute by minute."
  }

  assert {
    condition     = alltrue([for query in aws_cloudwatch_metric_alarm.this["latency-warning"].metric_query : one(query.metric).stat == "p95"])
    error_message = "Slow is what 95 of 100 answers are not."
  }

  assert {
    condition     = aws_sns_topic_subscription.this["ops@example.com"].protocol == "email"
    error_message = "Somebody is told."
  }
}

run "the_dashboard_shows_application_databases_infrastructure_and_cost" {
  command = apply

  assert {
    condition = [for widget in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : widget.properties.title] == [
      "Requests", "Answer times p50, p95, p99", "Errors 4xx and 5xx", "Tasks: CPU and memory", "Healthy and unhealthy tasks",
      "Databases: connections", "Databases: CPU", "Databases: free memory", "Databases: free storage",
      "Databases: read and write latency", "Databases: replica lag", "Objects: size and number", "Logs taken in", "Bill so far",
    ]
    error_message = "A widget for each thing to watch."
  }
}

run "a_dashboard_is_paid_and_can_be_left_out" {
  command = plan

  variables {
    dashboard = false
  }

  assert {
    condition     = length(aws_cloudwatch_dashboard.this) == 0
    error_message = "No dashboard was asked for."
  }
}

run "alarms_that_tell_nobody_are_refused" {
  command = plan

  variables {
    emails = []
  }

  expect_failures = [var.emails]
}
