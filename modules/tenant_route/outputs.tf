output "parameter_name" {
  description = "Path of the route's parameter."
  value       = aws_ssm_parameter.this.name
}

output "parameter_arn" {
  description = "ARN of the route's parameter, for the application's policy."
  value       = aws_ssm_parameter.this.arn
}
