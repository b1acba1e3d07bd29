# Log groups by class: how long a log is kept is a matter of what it holds, never of who made it.

locals {
  retention_days = {
    application = var.application_days
    access      = var.access_days
    audit       = var.audit_days
  }
  archived = { for group, class in var.groups : group => class if var.archive }
}

resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338: how long a log is kept is decided by its class, and paid by volume; the archive keeps it longer
  for_each = var.groups

  name              = "/controlplane/${var.name}/${each.key}"
  retention_in_days = local.retention_days[each.value]
  kms_key_id        = var.key_arn
}

# One metric for each application log: how many lines say that something went wrong.
resource "aws_cloudwatch_log_metric_filter" "errors" {
  for_each = { for group, class in var.groups : group => class if class == "application" }

  name           = "${each.key}-errors"
  log_group_name = aws_cloudwatch_log_group.this[each.key].name
  pattern        = var.error_pattern

  metric_transformation {
    name          = "${each.key}-errors"
    namespace     = "ControlPlane/${var.name}"
    value         = "1"
    default_value = "0"
  }
}

# Lines reach the archive when they are written, long before their group forgets them.
resource "aws_kinesis_firehose_delivery_stream" "archive" {
  for_each = local.archived

  name        = "${substr(var.name, 0, 40)}-${substr(sha1("${var.name}/${each.key}"), 0, 8)}-archive"
  destination = "extended_s3"

  server_side_encryption {
    enabled  = true
    key_type = var.key_arn == null ? "AWS_OWNED_CMK" : "CUSTOMER_MANAGED_CMK"
    key_arn  = var.key_arn
  }

  extended_s3_configuration {
    role_arn           = aws_iam_role.archive["firehose"].arn
    bucket_arn         = var.archive_bucket_arn
    prefix             = "logs/${each.key}/"
    buffering_size     = 64
    buffering_interval = 900
    compression_format = "UNCOMPRESSED" # CloudWatch sends its lines compressed already
  }
}

resource "aws_cloudwatch_log_subscription_filter" "archive" {
  for_each = local.archived

  name            = "archive"
  log_group_name  = aws_cloudwatch_log_group.this[each.key].name
  filter_pattern  = ""
  destination_arn = aws_kinesis_firehose_delivery_stream.archive[each.key].arn
  role_arn        = aws_iam_role.archive["logs"].arn

  depends_on = [aws_iam_role_policy.logs]
}

resource "aws_iam_role" "archive" {
  for_each = var.archive ? toset(["firehose", "logs"]) : toset([])

  name                 = "${substr(var.name, 0, 40)}-${substr(sha1("${var.name}/${each.key}"), 0, 8)}-${each.key}"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "${each.key}.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "firehose" {
  count = var.archive ? 1 : 0

  name = "archive"
  role = aws_iam_role.archive["firehose"].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Effect   = "Allow"
        Action   = ["s3:AbortMultipartUpload", "s3:PutObject"]
        Resource = "${var.archive_bucket_arn}/logs/*"
        }, {
        Effect   = "Allow"
        Action   = ["s3:GetBucketLocation", "s3:ListBucketMultipartUploads"]
        Resource = var.archive_bucket_arn
      }],
      var.key_arn == null ? [] : [{
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.key_arn
      }],
    )
  })
}

resource "aws_iam_role_policy" "logs" {
  count = var.archive ? 1 : 0

  name = "archive"
  role = aws_iam_role.archive["logs"].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["firehose:PutRecord", "firehose:PutRecordBatch"]
      Resource = [for stream in aws_kinesis_firehose_delivery_stream.archive : stream.arn]
    }]
  })
}
