# The one database of a platform whose tenants are schemas. What concerns one database concerns all of them here, so
# it is kept like a tenant's own in production, and what grows is watched against what its class can bear.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  identifier = "${var.name}-shared-e${var.life}"
  log_types  = ["postgresql", "upgrade"]

  # AWS: LEAST(DBInstanceClassMemory / 9531392, 5000).
  memory_gb       = { "db.t3.micro" = 1, "db.t3.small" = 2, "db.t3.medium" = 4, "db.t4g.micro" = 1, "db.t4g.small" = 2, "db.t4g.medium" = 4, "db.m6g.large" = 8 }
  memory_bytes    = local.memory_gb[var.instance_class] * 1073741824
  max_connections = min(floor(local.memory_bytes / 9531392), 5000)

  alarms = {
    cpu-warning          = { metric = "CPUUtilization", above = true, threshold = 60, minutes = 10 }
    cpu-critical         = { metric = "CPUUtilization", above = true, threshold = 80, minutes = 10 }
    connections-warning  = { metric = "DatabaseConnections", above = true, threshold = floor(local.max_connections * var.connection_percents.warning / 100), minutes = 5 }
    connections-critical = { metric = "DatabaseConnections", above = true, threshold = floor(local.max_connections * var.connection_percents.critical / 100), minutes = 5 }
    storage-warning      = { metric = "FreeStorageSpace", above = false, threshold = var.storage.gb * 1073741824 * 20 / 100, minutes = 5 }
    storage-critical     = { metric = "FreeStorageSpace", above = false, threshold = var.storage.gb * 1073741824 * 10 / 100, minutes = 5 }
    memory-warning       = { metric = "FreeableMemory", above = false, threshold = local.memory_bytes * 10 / 100, minutes = 5 }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338: a month of database logs; statements hold no more than that needs
  for_each = toset(local.log_types)

  name              = "/aws/rds/instance/${local.identifier}/${each.key}"
  retention_in_days = 30
  kms_key_id        = var.platform.key_arn
}

resource "aws_db_instance" "this" {
  # checkov:skip=CKV_AWS_118: enhanced monitoring is paid; Performance Insights and the alarms cover it
  # checkov:skip=CKV_AWS_157: single-AZ is the blueprint's choice where it is cheap; the option turns it on
  # checkov:skip=CKV_AWS_211: a certificate authority given at birth costs a second modification; AWS's default is current
  # checkov:skip=CKV_AWS_293: development's may be deleted; the option protects the others
  # checkov:skip=CKV2_AWS_30: query logging belongs to the platform's parameter group
  identifier     = local.identifier
  engine         = "postgres"
  engine_version = var.engine_version
  instance_class = var.instance_class
  multi_az       = var.multi_az

  allocated_storage     = var.storage.gb
  max_allocated_storage = var.storage.ceiling_gb
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = var.platform.key_arn

  # The password comes from a secret that the control plane made before the plan, and is never in state.
  db_name             = "app"
  username            = "cp_master"
  password_wo         = var.master_password
  password_wo_version = 1

  port                                = 5432
  network_type                        = "IPV4"
  publicly_accessible                 = false
  db_subnet_group_name                = var.platform.subnet_group
  vpc_security_group_ids              = [var.platform.security_group_id]
  parameter_group_name                = var.platform.parameter_groups[split(".", var.engine_version)[0]]
  iam_database_authentication_enabled = true

  backup_retention_period   = var.backup_days
  copy_tags_to_snapshot     = true
  delete_automated_backups  = false
  deletion_protection       = var.protected
  skip_final_snapshot       = false
  final_snapshot_identifier = "${local.identifier}-final"

  apply_immediately          = true
  auto_minor_version_upgrade = true
  engine_lifecycle_support   = "open-source-rds-extended-support-disabled"

  performance_insights_enabled          = true
  performance_insights_retention_period = 7
  performance_insights_kms_key_id       = var.platform.key_arn
  enabled_cloudwatch_logs_exports       = local.log_types

  depends_on = [aws_cloudwatch_log_group.this]

  lifecycle {
    # Each of these would replace a living database, but for the last: AWS takes another value and keeps the old one.
    ignore_changes = [
      db_name,
      username,
      kms_key_id,
      storage_encrypted,
      performance_insights_kms_key_id,
      engine_lifecycle_support,
    ]
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${local.identifier}-${each.key}"
  alarm_description   = "Database ${local.identifier}: ${each.value.metric} for ${each.value.minutes} minutes"
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  dimensions          = { DBInstanceIdentifier = local.identifier }
  statistic           = "Average"
  comparison_operator = each.value.above ? "GreaterThanThreshold" : "LessThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  treat_missing_data  = "missing"
  alarm_actions       = [var.platform.alarm_topic_arn]
  ok_actions          = [var.platform.alarm_topic_arn]
}
