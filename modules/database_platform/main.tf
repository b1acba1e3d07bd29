# What all tenant databases of a platform share: subnet group, parameter groups, key, alarm topic. AWS grants
# fifty parameter groups and fifty subnet groups a region, so none of these may ever be one per tenant.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
}

resource "aws_db_subnet_group" "this" {
  name        = "${var.name}-databases"
  description = "Tenant databases of ${var.name}"
  subnet_ids  = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  for_each = var.engine_majors

  name        = "${var.name}-postgres${each.key}"
  family      = "postgres${each.key}"
  description = "Tenant databases of ${var.name} on PostgreSQL ${each.key}"

  # No connection without TLS.
  parameter {
    name         = "rds.force_ssl"
    value        = "1"
    apply_method = "immediate"
  }

  # On from birth: it takes a reboot later, and every migration by replication needs it.
  parameter {
    name         = "rds.logical_replication"
    value        = "1"
    apply_method = "pending-reboot"
  }
}

data "aws_iam_policy_document" "key" {
  # checkov:skip=CKV_AWS_109: a key policy speaks of its own key, so "*" is this key alone
  # checkov:skip=CKV_AWS_111: likewise
  # checkov:skip=CKV_AWS_356: likewise
  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${local.account}:root"]
    }
  }

  # Alarms publish to the encrypted topic.
  statement {
    sid       = "Alarms"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }

  # Databases export their logs to encrypted groups.
  statement {
    sid       = "Logs"
    actions   = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${data.aws_region.current.name}.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values = [
        "arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.name}:${local.account}:log-group:/aws/rds/instance/*",
      ]
    }
  }
}

resource "aws_kms_key" "this" {
  description             = "Tenant databases of ${var.name}: storage, snapshots, insights, logs and alarms"
  enable_key_rotation     = true
  deletion_window_in_days = var.key_deletion_days
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}-databases"
  target_key_id = aws_kms_key.this.key_id
}

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = aws_kms_key.this.arn
}

data "aws_iam_policy_document" "alarms" {
  statement {
    sid       = "Alarms"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.alarms.json
}
