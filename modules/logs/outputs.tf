output "groups" {
  description = "Names of the log groups, by the names that they were asked for."
  value       = { for key, group in aws_cloudwatch_log_group.this : key => group.name }
}

output "group_arns" {
  description = "ARNs of the log groups, by the names that they were asked for."
  value       = { for key, group in aws_cloudwatch_log_group.this : key => group.arn }
}
