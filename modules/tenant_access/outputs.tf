output "facts" {
  description = "How the tenant is reached, and what of the bucket is its own."
  value = {
    host       = aws_route53_record.this.fqdn
    prefix     = local.prefix
    policy_arn = aws_iam_policy.this.arn
  }
}
