output "key_arn" {
  description = "The key, for whatever takes one."
  value       = aws_kms_key.this.arn
}

output "alias" {
  description = "The key's name for people."
  value       = aws_kms_alias.this.name
}
