# Backups by AWS Backup of whatever carries a tag: beside RDS's own, with a life of their own.

resource "aws_backup_vault" "this" {
  name        = "${var.name}-backups"
  kms_key_arn = var.key_arn
}

resource "aws_backup_plan" "this" {
  name = var.name

  dynamic "rule" {
    for_each = var.rules

    content {
      rule_name                = rule.key
      target_vault_name        = aws_backup_vault.this.name
      schedule                 = rule.value.schedule
      start_window             = 60
      completion_window        = 360
      enable_continuous_backup = false

      lifecycle {
        delete_after = rule.value.keep_days
      }
    }
  }
}

resource "aws_iam_role" "this" {
  name                 = "${substr(var.name, 0, 45)}-${substr(sha1(var.name), 0, 8)}-backup"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "backup.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

data "aws_partition" "current" {}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = toset(["ForBackup", "ForRestores"])

  role       = aws_iam_role.this.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicy${each.key}"
}

resource "aws_backup_selection" "this" {
  name         = var.name
  plan_id      = aws_backup_plan.this.id
  iam_role_arn = aws_iam_role.this.arn

  selection_tag {
    type  = "STRINGEQUALS"
    key   = var.tag.key
    value = var.tag.value
  }
}
