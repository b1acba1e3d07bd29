# A function with a role of its own that may do what is listed and nothing else. Terraform makes it with a package
# that answers 503; its code is the application's: a deployment changes it, and no plan takes that back.

locals {
  full_name = "${var.name}-${var.purpose}"
}

resource "aws_s3_object" "placeholder" {
  bucket         = var.code.bucket
  key            = "functions/${local.full_name}/placeholder.zip"
  content_base64 = "UEsDBBQAAAAAAAAAIVDX5YZ6WAAAAFgAAAAGAAAAYXBwLnB5ZGVmIGhhbmRsZXIoZXZlbnQsIGNvbnRleHQpOgogICAgcmV0dXJuIHsic3RhdHVzQ29kZSI6IDUwMywgImJvZHkiOiAibm90IGRlcGxveWVkIHlldCJ9ClBLAQIUAxQAAAAAAAAAIVDX5YZ6WAAAAFgAAAAGAAAAAAAAAAAAAACkAQAAAABhcHAucHlQSwUGAAAAAAEAAQA0AAAAfAAAAAAA"
}

resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338: a year of application logs is paid for and read by nobody
  name              = "/aws/lambda/${local.full_name}"
  retention_in_days = var.logs.days
  kms_key_id        = var.logs.key_arn
}

resource "aws_iam_role" "this" {
  name                 = "${local.full_name}-function"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

locals {
  own_statements = [{
    Effect   = "Allow"
    Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    Resource = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }]

  queue_statements = length(var.queue_arns) == 0 ? [] : [{
    Effect   = "Allow"
    Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    Resource = values(var.queue_arns)
  }]

  # Interfaces in the VPC belong to no function until they are there: EC2 takes no narrower resource.
  network_statements = var.network == null ? [] : [{
    Effect   = "Allow"
    Action   = ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface"]
    Resource = ["*"]
  }]

  given_statements = [for permission in var.permissions : {
    Effect   = "Allow"
    Action   = permission.actions
    Resource = permission.resources
  }]
}

resource "aws_iam_role_policy" "this" {
  name = "function"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.own_statements, local.queue_statements, local.network_statements, local.given_statements)
  })
}

resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_272: packages are signed by the application's own pipeline where it wants that
  # checkov:skip=CKV_AWS_116: whoever calls asynchronously has a dead letter queue of its own
  # checkov:skip=CKV_AWS_117: a function that reaches no database needs no network
  # checkov:skip=CKV_AWS_50: tracing is decided by the blueprint
  function_name                  = local.full_name
  role                           = aws_iam_role.this.arn
  runtime                        = var.code.runtime
  handler                        = var.code.handler
  architectures                  = ["arm64"]
  s3_bucket                      = var.code.bucket
  s3_key                         = aws_s3_object.placeholder.key
  memory_size                    = var.memory_mb
  timeout                        = var.timeout_seconds
  reserved_concurrent_executions = var.concurrency.reserved
  publish                        = true
  kms_key_arn                    = length(var.environment) == 0 ? null : var.logs.key_arn

  dynamic "environment" {
    for_each = length(var.environment) == 0 ? [] : [var.environment]

    content {
      variables = environment.value
    }
  }

  dynamic "vpc_config" {
    for_each = var.network == null ? [] : [var.network]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  # The levels are AWS's own; left out, the provider sees a change in every plan and publishes a version.
  logging_config {
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.this.name
    application_log_level = "INFO"
    system_log_level      = "INFO"
  }

  lifecycle {
    ignore_changes = [s3_bucket, s3_key, s3_object_version, source_code_hash, runtime, handler]
  }
}

# Callers name the alias, so that a deployment moves traffic and provisioned concurrency has something to stand on.
resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version

  lifecycle {
    ignore_changes = [function_version, routing_config]
  }
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  count = var.concurrency.provisioned > 0 ? 1 : 0

  function_name                     = aws_lambda_function.this.function_name
  qualifier                         = aws_lambda_alias.live.name
  provisioned_concurrent_executions = var.concurrency.provisioned
}

resource "aws_lambda_event_source_mapping" "queue" {
  for_each = var.queue_arns

  event_source_arn        = each.value
  function_name           = aws_lambda_alias.live.arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]
}
