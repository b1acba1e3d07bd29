output "application" {
  description = "The application, for `aws deploy create-deployment`."
  value       = aws_codedeploy_app.this.name
}

output "deployment_group" {
  description = "The deployment group."
  value       = aws_codedeploy_deployment_group.this.deployment_group_name
}
