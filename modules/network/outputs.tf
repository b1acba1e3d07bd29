output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "database_subnet_ids" {
  description = "Subnets without any way out, one a zone: for databases."
  value       = [for zone in var.zones : aws_subnet.database[zone].id]
}

output "application_subnet_ids" {
  description = "Private subnets, one a zone: for tasks and workers."
  value       = [for zone in var.zones : aws_subnet.application[zone].id]
}

output "public_subnet_ids" {
  description = "Public subnets, one a zone: for load balancers."
  value       = [for zone in var.zones : aws_subnet.public[zone].id]
}

output "public_subnets_by_zone" {
  description = "Public subnets by zone: where a way out stands."
  value       = { for zone, subnet in aws_subnet.public : zone => subnet.id }

  # A way out works only after the public route does.
  depends_on = [aws_route.public]
}

output "application_route_table_ids" {
  description = "Route tables of the application subnets, by zone: where a way out is added."
  value       = { for zone, table in aws_route_table.application : zone => table.id }
}

output "application_security_group_id" {
  description = "Security group of whatever runs the application."
  value       = aws_security_group.application.id
}

output "controlplane_security_group_id" {
  description = "Security group of the control plane's workers."
  value       = aws_security_group.controlplane.id
}

output "database_security_group_id" {
  description = "Security group of tenant databases."
  value       = aws_security_group.database.id
}
