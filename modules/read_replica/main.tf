# A copy that follows a database and is read from. What encrypts, names and guards it is its own; the rest is the source's.

resource "aws_db_instance" "this" {
  # checkov:skip=CKV_AWS_118: enhanced monitoring is paid; Performance Insights and the alarms cover it
  # checkov:skip=CKV_AWS_157: a replica is no standby: when it fails it is made anew
  # checkov:skip=CKV_AWS_133: the source is backed up
  # checkov:skip=CKV_AWS_293: a replica holds nothing that its source does not
  # checkov:skip=CKV2_AWS_30: query logging belongs to the platform's parameter group
  # checkov:skip=CKV2_AWS_60: it leaves no snapshot to tag
  # checkov:skip=CKV_AWS_161: its logins are the source's
  identifier             = var.identifier
  replicate_source_db    = var.source_arn
  instance_class         = var.instance_class
  storage_type           = "gp3"
  max_allocated_storage  = var.max_storage_gb
  storage_encrypted      = true
  kms_key_id             = var.key_arn
  publicly_accessible    = false
  db_subnet_group_name   = var.subnet_group
  vpc_security_group_ids = [var.security_group_id]
  parameter_group_name   = var.parameter_group

  backup_retention_period    = 0
  skip_final_snapshot        = true # nothing is lost with a copy
  copy_tags_to_snapshot      = true
  apply_immediately          = true
  auto_minor_version_upgrade = true

  performance_insights_enabled          = true
  performance_insights_retention_period = 7
  performance_insights_kms_key_id       = var.key_arn
  enabled_cloudwatch_logs_exports       = ["postgresql", "upgrade"]

  lifecycle {
    # AWS gives it back as an identifier inside a region.
    ignore_changes = [replicate_source_db]
  }
}

resource "aws_cloudwatch_metric_alarm" "lag" {
  for_each = { warning = var.lag_seconds, critical = 5 * var.lag_seconds }

  alarm_name          = "${var.identifier}-lag-${each.key}"
  alarm_description   = "Replica ${var.identifier} lies behind its source"
  namespace           = "AWS/RDS"
  metric_name         = "ReplicaLag"
  dimensions          = { DBInstanceIdentifier = var.identifier }
  statistic           = "Average"
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "missing"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}
