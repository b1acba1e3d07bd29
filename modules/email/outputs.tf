output "identity_arn" {
  description = "What a function needs ses:SendEmail and ses:SendTemplatedEmail on."
  value       = aws_ses_domain_identity.this.arn
}

output "templates" {
  description = "Names of the texts by their kind."
  value       = { for kind, template in aws_ses_template.this : kind => template.name }
}
