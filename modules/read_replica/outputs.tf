output "endpoint" {
  description = "Where the replica is read from."
  value       = aws_db_instance.this.address
}

output "identifier" {
  description = "Identifier of the replica."
  value       = aws_db_instance.this.identifier
}
