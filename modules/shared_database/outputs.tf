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

output "resource_id" {
  description = "What a policy of rds-db:connect names."
  value       = aws_db_instance.this.resource_id
}

output "max_connections" {
  description = "Connections that its class can bear."
  value       = local.max_connections
}
