output "identifier" {
  description = "The database, as RDS knows it."
  value       = aws_db_instance.this.identifier
}

output "endpoint" {
  description = "Host that it answers at."
  value       = aws_db_instance.this.address
}

output "port" {
  description = "Port that it answers at."
  value       = aws_db_instance.this.port
}

output "connect_arn" {
  description = "What a function needs rds-db:connect on, to log in as the application without a password."
  value       = "arn:${data.aws_partition.current.partition}:rds-db:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:dbuser:${aws_db_instance.this.resource_id}/app_a"
}

output "max_connections" {
  description = "Connections that its class can bear."
  value       = local.max_connections
}
