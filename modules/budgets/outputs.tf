output "budget" {
  description = "Name of the budget."
  value       = aws_budgets_budget.this.name
}

output "monthly_usd" {
  description = "What the platform may cost a month, in USD."
  value       = var.monthly_usd
}
