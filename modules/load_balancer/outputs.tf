output "arn" {
  description = "The load balancer, for a web ACL."
  value       = aws_lb.this.arn
}

output "arn_suffix" {
  description = "The load balancer as its metrics name it."
  value       = aws_lb.this.arn_suffix
}

output "dns_name" {
  description = "Where it is found; records point here."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "Zone of that name, for alias records."
  value       = aws_lb.this.zone_id
}

output "listener_arn" {
  description = "HTTPS listener: tenants add their rules here."
  value       = aws_lb_listener.https.arn
}

output "target_group_arn" {
  description = "Group that tasks are registered in."
  value       = aws_lb_target_group.this["blue"].arn

  # A service can join a group only when a listener leads to it.
  depends_on = [aws_lb_listener.https, aws_lb_listener_rule.all]
}

output "target_group_names" {
  description = "Target groups by color."
  value       = { for color, group in aws_lb_target_group.this : color => group.name }
}

output "target_group_suffix" {
  description = "The target group as its metrics name it."
  value       = aws_lb_target_group.this["blue"].arn_suffix
}
