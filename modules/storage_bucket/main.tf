# One private bucket: encrypted, versioned, over TLS only, with a life for what lies in it.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition

  # Bucket names are the world's: the account keeps ours apart from those of others.
  bucket = "${var.name}-${var.purpose}-${local.account}"

  # Services of AWS that write into it by themselves, each for this account only.
  writers = {
    cloudtrail    = { principal = "cloudtrail.amazonaws.com", prefix = "trail/AWSLogs/${local.account}/*" }
    flow_logs     = { principal = "delivery.logs.amazonaws.com", prefix = "flow/AWSLogs/${local.account}/*" }
    load_balancer = { principal = "logdelivery.elasticloadbalancing.amazonaws.com", prefix = "access/AWSLogs/${local.account}/*" }
  }
}

resource "aws_s3_bucket" "this" {
  # checkov:skip=CKV_AWS_144: a second region is paid twice; it belongs to the option of multi-region recovery
  # checkov:skip=CKV2_AWS_62: nobody waits for events of this bucket
  # checkov:skip=CKV_AWS_18: access is seen in the trail; a log bucket cannot log itself
  # checkov:skip=CKV_AWS_145: with no key given S3's own encryption is meant, as for the logs of a load balancer
  bucket        = local.bucket
  force_destroy = var.disposable
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = var.key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.key_arn
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "life"
    status = "Enabled"

    filter {}

    dynamic "transition" {
      for_each = var.transitions

      content {
        days          = transition.value
        storage_class = transition.key
      }
    }

    dynamic "expiration" {
      for_each = var.expire_days == null ? [] : [var.expire_days]

      content {
        days = expiration.value
      }
    }

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  dynamic "rule" {
    for_each = var.expire_prefixes

    content {
      id     = "expire-${trim(replace(rule.key, "/", "-"), "-")}"
      status = "Enabled"

      filter {
        prefix = rule.key
      }

      expiration {
        days = rule.value
      }
    }
  }

  # AWS refuses versions' expiry on a bucket that has none yet.
  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      [for name in sort(var.writers) : {
        Sid       = "Write${replace(title(replace(name, "_", " ")), " ", "")}"
        Effect    = "Allow"
        Principal = { Service = local.writers[name].principal }
        Action    = "s3:PutObject"
        Resource  = "${aws_s3_bucket.this.arn}/${local.writers[name].prefix}"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      }],
      # Trails and flow logs look at the bucket before they write.
      [for name in sort(setintersection(var.writers, ["cloudtrail", "flow_logs"])) : {
        Sid       = "Look${replace(title(replace(name, "_", " ")), " ", "")}"
        Effect    = "Allow"
        Principal = { Service = local.writers[name].principal }
        Action    = "s3:GetBucketAcl"
        Resource  = aws_s3_bucket.this.arn
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      }],
      [for distribution in var.reader_distribution_arns : {
        Sid       = "Read${substr(sha1(distribution), 0, 8)}"
        Effect    = "Allow"
        Principal = { Service = "cloudfront.amazonaws.com" }
        Action    = "s3:GetObject"
        Resource  = "${aws_s3_bucket.this.arn}/*"
        Condition = { StringEquals = { "aws:SourceArn" = distribution } }
      }],
    )
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}
