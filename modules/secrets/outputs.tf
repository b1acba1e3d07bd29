output "arns" {
  description = "ARNs of the secrets, by name."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "prefix" {
  description = "How the names of the secrets begin."
  value       = "controlplane/${var.name}/"
}

output "tenant_secrets_arn" {
  description = "Application secrets of all tenants, for the role of what serves them all."
  value       = "arn:${data.aws_partition.current.partition}:secretsmanager:${local.account}:secret:controlplane/*/application-*"
}

output "tenant_routes_arn" {
  description = "Parameters in which all tenants' databases are found."
  value       = "arn:${data.aws_partition.current.partition}:ssm:${local.account}:parameter/controlplane/*/route"
}
