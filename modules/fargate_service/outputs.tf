output "service" {
  description = "Name of the service."
  value       = one(concat(aws_ecs_service.fixed[*].name, aws_ecs_service.scaled[*].name))
}

output "task_role_arn" {
  description = "Role of the application."
  value       = aws_iam_role.task.arn
}

output "task_role" {
  description = "Name of the application's role: tenants' policies are attached to it."
  value       = aws_iam_role.task.name
}
