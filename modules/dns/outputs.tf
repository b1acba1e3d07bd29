output "zone_id" {
  description = "The zone, where records are added."
  value       = aws_route53_zone.this.zone_id
}

output "domain" {
  description = "Domain of the zone."
  value       = var.domain
}

output "name_servers" {
  description = "What the parent zone has to name, so that the world finds this one."
  value       = aws_route53_zone.this.name_servers
}

output "health_check_ids" {
  description = "Health checks, by the name that they ask."
  value       = { for name, check in aws_route53_health_check.this : name => check.id }
}
