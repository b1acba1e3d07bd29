output "subnet_group" {
  description = "Name of the subnet group of all tenant databases."
  value       = aws_db_subnet_group.this.name
}

output "parameter_groups" {
  description = "Names of the parameter groups, by major of PostgreSQL."
  value       = { for major, group in aws_db_parameter_group.this : major => group.name }
}

output "key_arn" {
  description = "Key that encrypts storage, snapshots, insights and logs of tenant databases."
  value       = aws_kms_key.this.arn
}

output "alarm_topic_arn" {
  description = "Topic that the alarms of tenant databases are sent to."
  value       = aws_sns_topic.alarms.arn
}

output "archive_role_arn" {
  description = "As whom RDS exports snapshots into the archive, once it may; null: nothing is archived."
  value       = one(aws_iam_role_policy.archive[*].id) == null ? null : aws_iam_role.archive[0].arn
}
