output "instance_id" {
  description = "The machine."
  value       = aws_instance.this.id
}

output "domain" {
  description = "Name of its lasting address: the CDN's origin."
  value       = aws_eip.this.public_dns
}

output "role_name" {
  description = "The machine's role."
  value       = aws_iam_role.this.name
}

output "security_group_id" {
  description = "The machine's own group."
  value       = aws_security_group.this.id
}
