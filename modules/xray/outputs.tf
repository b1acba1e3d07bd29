output "sampling_rule_arn" {
  description = "The sampling rule."
  value       = aws_xray_sampling_rule.this.arn
}
