# What tells that functions and their API are unwell, and the picture of it: shares, since a thousand calls bear more
# errors than ten.

data "aws_region" "current" {}

resource "aws_cloudwatch_metric_alarm" "api_errors" {
  alarm_name          = "${var.name}-api-5xx"
  alarm_description   = "More than ${var.api_error_percent} % of the API's answers are 5xx: look at the functions"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.api_error_percent
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]

  metric_query {
    id          = "share"
    expression  = "IF(requests > 0, 100 * errors / requests, 0)"
    label       = "5xx in per cent"
    return_data = true
  }

  metric_query {
    id = "errors"

    metric {
      namespace   = "AWS/ApiGateway"
      metric_name = "5xx"
      dimensions  = { ApiId = var.api_id }
      stat        = "Sum"
      period      = 300
    }
  }

  metric_query {
    id = "requests"

    metric {
      namespace   = "AWS/ApiGateway"
      metric_name = "Count"
      dimensions  = { ApiId = var.api_id }
      stat        = "Sum"
      period      = 300
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "slow" {
  alarm_name          = "${var.name}-api-slow"
  alarm_description   = "One answer in twenty takes more than ${var.slow_seconds} s"
  namespace           = "AWS/ApiGateway"
  metric_name         = "Latency"
  dimensions          = { ApiId = var.api_id }
  extended_statistic  = "p95"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.slow_seconds * 1000
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

# One for each function: a share over all of them would hide the one that is seldom called.
resource "aws_cloudwatch_metric_alarm" "function_errors" {
  for_each = var.functions

  alarm_name          = "${each.value}-errors"
  alarm_description   = "More than ${var.function_error_percent} % of the calls of ${each.value} fail"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.function_error_percent
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]

  metric_query {
    id          = "share"
    expression  = "IF(calls > 0, 100 * errors / calls, 0)"
    label       = "errors in per cent"
    return_data = true
  }

  metric_query {
    id = "errors"

    metric {
      namespace   = "AWS/Lambda"
      metric_name = "Errors"
      dimensions  = { FunctionName = each.value }
      stat        = "Sum"
      period      = 300
    }
  }

  metric_query {
    id = "calls"

    metric {
      namespace   = "AWS/Lambda"
      metric_name = "Invocations"
      dimensions  = { FunctionName = each.value }
      stat        = "Sum"
      period      = 300
    }
  }
}

locals {
  # A day's cost so far, and what leads to it: requests, calls, connections, bytes that leave.
  widgets = {
    "Cost (USD, this month)" = { region = "us-east-1", stat = "Maximum", metrics = [["AWS/Billing", "EstimatedCharges", "Currency", "USD"]] }
    "API requests"           = { region = local.region, stat = "Sum", metrics = [["AWS/ApiGateway", "Count", "ApiId", var.api_id]] }
    "Function calls"         = { region = local.region, stat = "Sum", metrics = [for key, name in var.functions : ["AWS/Lambda", "Invocations", "FunctionName", name]] }
    "Database connections"   = { region = local.region, stat = "Maximum", metrics = [["AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", var.database_identifier]] }
    "Bytes out"              = { region = "us-east-1", stat = "Sum", metrics = [["AWS/CloudFront", "BytesDownloaded", "DistributionId", var.distribution_id, "Region", "Global"]] }
  }
  region = data.aws_region.current.name
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = [for index, title in sort(keys(local.widgets)) : {
      type   = "metric"
      x      = (index % 2) * 12
      y      = floor(index / 2) * 6
      width  = 12
      height = 6
      properties = {
        title   = title
        region  = local.widgets[title].region
        stat    = local.widgets[title].stat
        period  = 300
        view    = "timeSeries"
        metrics = local.widgets[title].metrics
      }
    }]
  })
}
