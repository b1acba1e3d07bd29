# Events by pattern on a bus of their own, and schedules, which AWS knows on the default bus only; each leads to a
# function, and what could not be delivered to a queue.

resource "aws_cloudwatch_event_bus" "this" {
  name               = var.name
  kms_key_identifier = var.key_arn
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = var.rules

  name                = "${var.name}-${each.key}"
  event_bus_name      = each.value.schedule == null ? aws_cloudwatch_event_bus.this.name : null
  event_pattern       = each.value.schedule == null ? jsonencode({ for field, wanted in { source = each.value.sources, "detail-type" = each.value.types } : field => wanted if length(wanted) > 0 }) : null
  schedule_expression = each.value.schedule
  state               = "ENABLED"
}

resource "aws_cloudwatch_event_target" "function" {
  for_each = var.rules

  rule           = aws_cloudwatch_event_rule.this[each.key].name
  event_bus_name = each.value.schedule == null ? aws_cloudwatch_event_bus.this.name : null
  target_id      = "function"
  arn            = each.value.function.alias_arn

  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 10
  }

  dead_letter_config {
    arn = var.dead_letter_arn
  }
}

resource "aws_lambda_permission" "rule" {
  for_each = var.rules

  statement_id  = "rule-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = each.value.function.name
  qualifier     = each.value.function.alias
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.this[each.key].arn
}
