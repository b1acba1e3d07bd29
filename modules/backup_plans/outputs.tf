output "vault" {
  description = "Name of the vault."
  value       = aws_backup_vault.this.name
}

output "plan_id" {
  description = "The plan."
  value       = aws_backup_plan.this.id
}
