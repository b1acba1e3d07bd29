output "arn" {
  description = "The distribution: what a bucket's policy lets read."
  value       = aws_cloudfront_distribution.this.arn
}

output "id" {
  description = "The distribution, as metrics carry it."
  value       = aws_cloudfront_distribution.this.id
}

output "domain" {
  description = "Where people reach it."
  value       = aws_cloudfront_distribution.this.domain_name
}
