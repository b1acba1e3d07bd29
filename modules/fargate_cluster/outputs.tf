output "cluster" {
  description = "Name of the cluster."
  value       = aws_ecs_cluster.this.name
}

output "execution_role_arn" {
  description = "Role by which ECS starts tasks."
  value       = aws_iam_role.execution.arn

  # A task that starts before its role may read would fail at its first try.
  depends_on = [aws_iam_role_policy.execution]
}

output "repository_urls" {
  description = "Where images are pushed to, by repository."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}
