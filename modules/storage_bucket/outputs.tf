output "bucket" {
  description = "Name of the bucket, known when its policies stand."
  value       = aws_s3_bucket_policy.this.bucket
}

output "bucket_arn" {
  description = "ARN of the bucket."
  value       = aws_s3_bucket.this.arn
}

output "objects_arn" {
  description = "Everything in the bucket: what a function needs s3:GetObject and s3:PutObject on."
  value       = "${aws_s3_bucket.this.arn}/*"
}

output "domain_name" {
  description = "Where a distribution finds the bucket."
  value       = aws_s3_bucket.this.bucket_regional_domain_name
}

output "tenant_objects_arn" {
  description = "Objects of all tenants, for the role of what serves them all."
  value       = "${aws_s3_bucket.this.arn}/tenants/*"
}
