output "web_acl_arn" {
  description = "The web ACL, for a load balancer's association or a distribution's web_acl_id."
  value       = aws_wafv2_web_acl.this.arn
}

output "web_acl_name" {
  description = "Name of the web ACL, as its metrics carry it."
  value       = aws_wafv2_web_acl.this.name
}
