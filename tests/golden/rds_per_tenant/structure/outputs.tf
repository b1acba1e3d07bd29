output "vpc_id" {
  value = module.network.vpc_id
}

output "database_subnet_group" {
  value = module.database_platform.subnet_group
}

output "database_security_group_id" {
  value = module.network.database_security_group_id
}

output "application_security_group_id" {
  value = module.network.application_security_group_id
}

output "controlplane_security_group_id" {
  value = module.network.controlplane_security_group_id
}

output "application_subnet_ids" {
  value = module.network.application_subnet_ids
}

output "parameter_groups" {
  value = module.database_platform.parameter_groups
}

output "database_key_arn" {
  value = module.database_platform.key_arn
}

output "alarm_topic_arn" {
  value = module.database_platform.alarm_topic_arn
}

output "archive_bucket" {
  value = one(module.archive[*].bucket)
}

output "archive_role_arn" {
  value = module.database_platform.archive_role_arn
}

output "platform_key_arn" {
  value = module.key.key_arn
}
