output "vpc_id" {
  value = module.network.vpc_id
}

output "application_subnet_ids" {
  value = module.network.application_subnet_ids
}

output "application_security_group_id" {
  value = module.network.application_security_group_id
}

output "controlplane_security_group_id" {
  value = module.network.controlplane_security_group_id
}

output "database_identifier" {
  value = module.database.identifier
}

output "database_endpoint" {
  value = module.database.endpoint
}

output "database_port" {
  value = module.database.port
}

output "database_max_connections" {
  value = module.database.max_connections
}

output "export_bucket" {
  value = module.exports.bucket
}

output "alarm_topic_arn" {
  value = module.database_platform.alarm_topic_arn
}

output "edge_domain" {
  value = module.cdn.domain
}

output "name_servers" {
  value = module.dns.name_servers
}

output "cluster" {
  value = module.cluster.cluster
}

output "service" {
  value = module.application.service
}

output "deployment" {
  value = module.deployment.application
}

output "repository_urls" {
  value = module.cluster.repository_urls
}
