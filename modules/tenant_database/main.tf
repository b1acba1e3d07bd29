# One database of one tenant. Its identifier, alarms and final snapshot carry the tenant's uid and the epoch,
# so nothing here ever meets another tenant's, or another life of the same one.

locals {
  log_types = ["postgresql", "upgrade"]
  restored  = var.slot.snapshot_identifier != null || var.slot.backup_source != null

  # Over the tenant's own: while it moves, each of its databases is of another stage.
  tags = {
    epoch     = tostring(var.slot.epoch)
    stage     = var.slot.stage
    cost-tier = var.slot.cost_tier
  }
}

# Made before the database, which would otherwise make them itself: unencrypted and kept for ever.
resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338: how long logs are kept is a fact of the stage, and paid by volume
  for_each = toset(local.log_types)

  name              = "/aws/rds/instance/${var.slot.identifier}/${each.key}"
  retention_in_days = var.slot.log_days
  kms_key_id        = var.platform.database_key_arn
  tags              = local.tags
}

resource "aws_db_instance" "this" {
  # checkov:skip=CKV_AWS_118: enhanced monitoring is paid; Performance Insights and the alarms cover it
  # checkov:skip=CKV_AWS_157: a PoC database is single-AZ; production sets multi_az
  # checkov:skip=CKV_AWS_211: a certificate authority given at birth costs a second modification; AWS's default is current
  # checkov:skip=CKV2_AWS_30: query logging belongs to the platform's parameter group
  identifier     = var.slot.identifier
  engine         = "postgres"
  engine_version = var.slot.engine_version
  instance_class = var.slot.instance_class
  multi_az       = var.slot.multi_az

  allocated_storage     = var.slot.storage_gb
  max_allocated_storage = var.slot.max_storage_gb
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = var.slot.kms_key_arn
  snapshot_identifier   = var.slot.snapshot_identifier

  dynamic "restore_to_point_in_time" {
    for_each = var.slot.backup_source == null ? [] : [var.slot.backup_source]

    content {
      source_dbi_resource_id     = restore_to_point_in_time.value
      restore_time               = var.slot.backup_time
      use_latest_restorable_time = var.slot.backup_time == null ? true : null
    }
  }

  # A snapshot brings its own database and master user. The password comes from a secret that the control
  # plane made before the plan, is never in state, and is sent only when the version changes.
  db_name             = local.restored ? null : var.slot.database_name
  username            = local.restored ? null : var.slot.master_username
  password_wo         = var.slot.adopted ? null : var.master_password
  password_wo_version = var.slot.adopted ? null : var.slot.credential_version

  port                                = 5432
  network_type                        = "IPV4"
  publicly_accessible                 = false
  db_subnet_group_name                = var.platform.database_subnet_group
  vpc_security_group_ids              = [var.platform.database_security_group_id]
  parameter_group_name                = var.slot.parameter_group
  iam_database_authentication_enabled = true

  backup_retention_period   = var.slot.backup_days
  copy_tags_to_snapshot     = true
  delete_automated_backups  = false
  deletion_protection       = var.slot.protected
  skip_final_snapshot       = false
  final_snapshot_identifier = var.slot.final_snapshot_identifier

  # Windows and approvals are the control plane's; what reaches an apply is meant now.
  apply_immediately          = true
  auto_minor_version_upgrade = true
  engine_lifecycle_support   = "open-source-rds-extended-support-disabled"

  performance_insights_enabled          = true
  performance_insights_retention_period = 7
  performance_insights_kms_key_id       = var.slot.kms_key_arn
  enabled_cloudwatch_logs_exports       = local.log_types

  tags = local.tags

  depends_on = [aws_cloudwatch_log_group.this]

  lifecycle {
    # Each of these would replace a living database, or move it to another network: a snapshot that was added,
    # changed or imported, a name or a key that came with the snapshot, the subnets of one that was adopted.
    # The insights' key and Extended Support can never be changed once they are set: AWS takes another value, keeps
    # the old one, and every plan to come would show the same change.
    ignore_changes = [
      snapshot_identifier,
      restore_to_point_in_time,
      db_name,
      db_subnet_group_name,
      username,
      kms_key_id,
      storage_encrypted,
      performance_insights_kms_key_id,
      engine_lifecycle_support,
    ]
  }
}

# By the slot's identifier, not the instance's: alarms need not wait for the database, and stay when it is replaced.
resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = var.slot.alarms

  alarm_name          = "${var.slot.identifier}-${each.key}"
  alarm_description   = "Database ${var.slot.identifier}: ${each.value.metric} for ${each.value.minutes} minutes"
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  dimensions          = { DBInstanceIdentifier = var.slot.identifier }
  statistic           = "Average"
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  treat_missing_data  = "missing"
  alarm_actions       = [var.platform.alarm_topic_arn]
  ok_actions          = [var.platform.alarm_topic_arn]
  tags                = local.tags
}
