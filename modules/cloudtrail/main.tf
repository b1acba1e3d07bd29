# Every call to AWS, from every region, kept where nobody changes it unseen.

resource "aws_iam_role" "this" {
  name                 = "${substr(var.name, 0, 45)}-${substr(sha1(var.name), 0, 8)}-trail"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "cloudtrail.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "trail"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${var.log_group_arn}:*"
    }]
  })
}

resource "aws_cloudtrail" "this" {
  # checkov:skip=CKV_AWS_252: who reads the trail is told by the alarms on its log group, not for every file
  # checkov:skip=CKV2_AWS_10: the log group is given; a plan does not know its name yet
  name                          = var.name
  s3_bucket_name                = var.bucket
  s3_key_prefix                 = "trail"
  is_multi_region_trail         = true
  include_global_service_events = true
  enable_log_file_validation    = true
  kms_key_id                    = var.key_arn
  cloud_watch_logs_group_arn    = "${var.log_group_arn}:*"
  cloud_watch_logs_role_arn     = aws_iam_role.this.arn

  depends_on = [aws_iam_role_policy.this]
}
