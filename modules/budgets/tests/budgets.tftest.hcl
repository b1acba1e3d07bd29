mock_provider "aws" {}

variables {
  name        = "platform-demo"
  monthly_usd = 100
  emails      = ["ops@example.com"]
}

run "eighty_and_a_hundred_per_cent_of_what_was_spent_are_told" {
  command = apply

  assert {
    condition     = aws_budgets_budget.this.limit_amount == "100.00" && aws_budgets_budget.this.time_unit == "MONTHLY" && aws_budgets_budget.this.limit_unit == "USD"
    error_message = "The budget is monthly and in USD."
  }

  assert {
    condition     = toset([for told in aws_budgets_budget.this.notification : told.threshold]) == toset([80, 100])
    error_message = "Two notifications: 80 and 100 per cent."
  }

  assert {
    condition = alltrue([
      for told in aws_budgets_budget.this.notification :
      told.notification_type == "ACTUAL" && told.threshold_type == "PERCENTAGE" && told.subscriber_email_addresses == toset(["ops@example.com"])
    ])
    error_message = "Each is about actual cost and reaches the addresses."
  }

  assert {
    condition     = length(aws_budgets_budget.this.cost_filter) == 0
    error_message = "Without tags the whole account counts."
  }
}

run "tags_narrow_what_is_counted" {
  command = plan

  variables {
    tags = { blueprint = "demo" }
  }

  assert {
    condition     = one(aws_budgets_budget.this.cost_filter).values == tolist(["user:blueprint$demo"])
    error_message = "A tag is counted by its key and value."
  }
}

run "a_budget_that_tells_nobody_is_refused" {
  command = plan

  variables {
    emails = []
  }

  expect_failures = [var.emails]
}

run "a_budget_without_its_first_warning_is_refused" {
  command = plan

  variables {
    thresholds_percent = [100]
  }

  expect_failures = [var.thresholds_percent]
}

run "a_budget_of_nothing_is_refused" {
  command = plan

  variables {
    monthly_usd = 0
  }

  expect_failures = [var.monthly_usd]
}
