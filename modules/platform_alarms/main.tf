# How the platform is: pairs of alarms with a warning and a critical threshold, who hears of them, and the dashboard.

data "aws_region" "current" {}

locals {
  balancer = { LoadBalancer = var.load_balancer }
  group    = { LoadBalancer = var.load_balancer, TargetGroup = var.target_group }

  metrics = {
    cpu = {
      words = "CPU of ${var.service}, in per cent: add tasks", warning = 70, critical = 85
      queries = {
        value = { namespace = "AWS/ECS", name = "CPUUtilization", stat = "Average", dimensions = local.tasks }
      }
      expression = "value"
    }
    memory = {
      words = "Memory of ${var.service}, in per cent: add tasks", warning = 75, critical = 90
      queries = {
        value = { namespace = "AWS/ECS", name = "MemoryUtilization", stat = "Average", dimensions = local.tasks }
      }
      expression = "value"
    }
    errors = {
      words = "Answers of 500 and above, in per cent: investigate the application", warning = 1, critical = 5
      queries = {
        failed   = { namespace = "AWS/ApplicationELB", name = "HTTPCode_Target_5XX_Count", stat = "Sum", dimensions = local.balancer }
        requests = { namespace = "AWS/ApplicationELB", name = "RequestCount", stat = "Sum", dimensions = local.balancer }
      }
      # Without a request nothing failed.
      expression = "IF(requests > 0, 100 * FILL(failed, 0) / requests, 0)"
    }
    latency = {
      words = "Time until an answer for 95 of 100, in seconds: investigate performance", warning = 2, critical = 5
      queries = {
        value = { namespace = "AWS/ApplicationELB", name = "TargetResponseTime", stat = "p95", dimensions = local.balancer }
      }
      expression = "value"
    }
    unhealthy = {
      words = "Tasks that are not well, in per cent: investigate their health", warning = 0, critical = 50
      queries = {
        bad  = { namespace = "AWS/ApplicationELB", name = "UnHealthyHostCount", stat = "Average", dimensions = local.group }
        good = { namespace = "AWS/ApplicationELB", name = "HealthyHostCount", stat = "Average", dimensions = local.group }
      }
      expression = "IF(bad + good > 0, 100 * bad / (bad + good), 0)"
    }
  }
  tasks = { ClusterName = var.cluster, ServiceName = var.service }

  alarms = merge([
    for name, metric in local.metrics : {
      for level in ["warning", "critical"] : "${name}-${level}" => merge(metric, { threshold = metric[level] })
    }
  ]...)
}

# Every pair over five minutes, strictly above its threshold.
resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.words
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.topic_arn]
  ok_actions          = [var.topic_arn]

  dynamic "metric_query" {
    for_each = each.value.queries

    content {
      id          = metric_query.key
      return_data = each.value.expression == metric_query.key

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.name
        stat        = metric_query.value.stat
        period      = 60
        dimensions  = metric_query.value.dimensions
      }
    }
  }

  dynamic "metric_query" {
    for_each = contains(keys(each.value.queries), each.value.expression) ? [] : [each.value.expression]

    content {
      id          = "share"
      label       = each.key
      expression  = metric_query.value
      return_data = true
    }
  }
}

# Each address confirms by the link that AWS writes to it; until then it hears nothing.
resource "aws_sns_topic_subscription" "this" {
  for_each = toset(var.emails)

  topic_arn = var.topic_arn
  protocol  = "email"
  endpoint  = each.key
}

locals {
  databases = "{AWS/RDS,DBInstanceIdentifier}"
  widgets = [
    { title = "Requests", metrics = [["AWS/ApplicationELB", "RequestCount", "LoadBalancer", var.load_balancer, { stat = "Sum" }]] },
    { title = "Answer times p50, p95, p99", metrics = [for stat in ["p50", "p95", "p99"] : ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", var.load_balancer, { stat = stat }]] },
    { title = "Errors 4xx and 5xx", metrics = [for code in ["4XX", "5XX"] : ["AWS/ApplicationELB", "HTTPCode_Target_${code}_Count", "LoadBalancer", var.load_balancer, { stat = "Sum" }]] },
    { title = "Tasks: CPU and memory", metrics = [for metric in ["CPUUtilization", "MemoryUtilization"] : ["AWS/ECS", metric, "ClusterName", var.cluster, "ServiceName", var.service]] },
    { title = "Healthy and unhealthy tasks", metrics = [for metric in ["HealthyHostCount", "UnHealthyHostCount"] : ["AWS/ApplicationELB", metric, "TargetGroup", var.target_group, "LoadBalancer", var.load_balancer]] },
    { title = "Databases: connections", metrics = [[{ expression = "SEARCH('${local.databases} MetricName=\"DatabaseConnections\"', 'Average', 60)" }]] },
    { title = "Databases: CPU", metrics = [[{ expression = "SEARCH('${local.databases} MetricName=\"CPUUtilization\"', 'Average', 60)" }]] },
    { title = "Databases: free memory", metrics = [[{ expression = "SEARCH('${local.databases} MetricName=\"FreeableMemory\"', 'Average', 60)" }]] },
    { title = "Databases: free storage", metrics = [[{ expression = "SEARCH('${local.databases} MetricName=\"FreeStorageSpace\"', 'Average', 300)" }]] },
    { title = "Databases: read and write latency", metrics = [for metric in ["ReadLatency", "WriteLatency"] : [{ expression = "SEARCH('${local.databases} MetricName=\"${metric}\"', 'p95', 60)" }]] },
    { title = "Databases: replica lag", metrics = [[{ expression = "SEARCH('${local.databases} MetricName=\"ReplicaLag\"', 'Average', 60)" }]] },
    { title = "Objects: size and number", metrics = [["AWS/S3", "BucketSizeBytes", "BucketName", var.bucket, "StorageType", "StandardStorage"], ["AWS/S3", "NumberOfObjects", "BucketName", var.bucket, "StorageType", "AllStorageTypes"]] },
    { title = "Logs taken in", metrics = [[{ expression = "SEARCH('{AWS/Logs,LogGroupName} MetricName=\"IncomingBytes\"', 'Sum', 300)" }]] },
    { title = "Bill so far", metrics = [["AWS/Billing", "EstimatedCharges", "Currency", "USD", { stat = "Maximum", region = "us-east-1" }]] },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.dashboard ? 1 : 0

  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = [
      for index, widget in local.widgets : {
        type   = "metric"
        x      = 8 * (index % 3)
        y      = 6 * floor(index / 3)
        width  = 8
        height = 6
        properties = {
          title   = widget.title
          region  = data.aws_region.current.name
          period  = 60
          metrics = widget.metrics
        }
      }
    ]
  })
}
