# What a platform may cost a month, and who hears of it before and when it does.

resource "aws_budgets_budget" "this" {
  name         = "${var.name}-monthly"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = format("%.2f", var.monthly_usd)
  limit_unit   = "USD"

  dynamic "cost_filter" {
    for_each = length(var.tags) == 0 ? [] : [1]

    content {
      name   = "TagKeyValue"
      values = [for key, value in var.tags : format("user:%s$%s", key, value)]
    }
  }

  dynamic "notification" {
    for_each = var.thresholds_percent

    content {
      notification_type          = "ACTUAL"
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = var.emails
    }
  }
}
