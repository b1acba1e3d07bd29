# A key for one purpose, used by the services that are named and by nobody's other account.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  # Logs say which group they encrypt for; every other service says for whose account it asks.
  grants = {
    for service in var.services : service => service == "logs" ? {
      principal = "logs.${local.region}.amazonaws.com"
      condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:*" } }
      } : {
      principal = "${service}.amazonaws.com"
      condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }
  }
}

resource "aws_kms_key" "this" {
  description             = "${var.name}: ${var.purpose}"
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_days

  # A key policy speaks of its own key: "*" is this key alone.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      }],
      [for service, grant in local.grants : {
        Sid       = replace(title(replace(service, ".", " ")), " ", "")
        Effect    = "Allow"
        Principal = { Service = grant.principal }
        Action    = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
        Resource  = "*"
        Condition = grant.condition
      }],
    )
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}-${var.purpose}"
  target_key_id = aws_kms_key.this.key_id
}
