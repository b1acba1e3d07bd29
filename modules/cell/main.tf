# What an account needs before the control plane works in it. Made once by a person with rights of their own: the
# roles that are made here may touch neither themselves nor each other.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  prefix    = "controlplane-${var.name}"
  bucket    = "${local.prefix}-state-${local.account}"

  # The boundary names this path: what lies below it is out of reach for whoever it bounds.
  path = "/controlplane-cell/"

  # An apply reads again what was planned.
  held = {
    plan  = { plan = var.policies.plan }
    apply = { plan = var.policies.plan, apply = var.policies.apply }
    data  = { data = var.policies.data }
  }

  policies = merge([
    for role in ["plan", "apply", "data"] : { for number, policy in var.policies[role] : "${role}-${number + 1}" => policy }
  ]...)

  attachments = merge(flatten([
    for role, sets in local.held : [
      for set, policies in sets : { for number, _ in policies : "${role}/${set}-${number + 1}" => { role = role, policy = "${set}-${number + 1}" } }
    ]
  ])...)
}

# --- roles ---------------------------------------------------------------------------------------------

resource "aws_iam_policy" "boundary" {
  name        = "${local.prefix}-boundary"
  path        = local.path
  description = "The most that a role of the control plane can have"
  policy      = var.policies.boundary
}

# Of roles that Terraform makes for services; whoever applies makes none without it.
resource "aws_iam_policy" "services" {
  name        = "${local.prefix}-services"
  path        = local.path
  description = "The most that a role can have which a service works as"
  policy      = var.policies.services
}

resource "aws_iam_policy" "this" {
  for_each = local.policies

  name        = "${local.prefix}-${each.key}"
  path        = local.path
  description = "What the control plane may do here, as docs/iam has it"
  policy      = each.value
}

resource "aws_iam_role" "this" {
  for_each = local.held

  name                 = "${local.prefix}-${each.key}"
  path                 = local.path
  description          = "The control plane's role to ${each.key}; a session bears its operation's id"
  permissions_boundary = aws_iam_policy.boundary.arn
  max_session_duration = 3600

  assume_role_policy = replace(replace(var.policies.trust, "WORKER_ROLE_ARN", var.worker_role_arn), "EXTERNAL_ID", var.external_id)
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = local.attachments

  role       = aws_iam_role.this[each.value.role].name
  policy_arn = aws_iam_policy.this[each.value.policy].arn
}

# --- states --------------------------------------------------------------------------------------------

resource "aws_kms_key" "state" {
  description             = "${local.prefix}: states"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  # A key policy speaks of its own key: "*" is this key alone.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Account"
      Effect    = "Allow"
      Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}

resource "aws_kms_alias" "state" {
  name          = "alias/${local.prefix}-state"
  target_key_id = aws_kms_key.state.key_id
}

resource "aws_s3_bucket" "state" {
  # checkov:skip=CKV_AWS_144: every state is in the catalog too, sealed; a second region would hold a third copy
  # checkov:skip=CKV2_AWS_62: nobody waits for events of this bucket
  # checkov:skip=CKV_AWS_18: who read a state is seen in the trail
  bucket        = local.bucket
  force_destroy = false
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket = aws_s3_bucket.state.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.state.arn
    }
  }
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    id     = "older-states"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  # AWS refuses versions' expiry on a bucket that has none yet.
  depends_on = [aws_s3_bucket_versioning.state]
}

resource "aws_s3_bucket_policy" "state" {
  bucket = aws_s3_bucket.state.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.state]
}

# --- workers -------------------------------------------------------------------------------------------

resource "aws_security_group" "worker" {
  # checkov:skip=CKV2_AWS_5: workers are attached where they run
  name_prefix = "${local.prefix}-worker-"
  description = "The control plane's workers: to AWS and to the cell's databases, from nowhere"
  vpc_id      = var.vpc_id
  tags        = { Name = "${local.prefix}-worker" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.worker.id
  description       = "AWS, and who is told by webhook"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "database" {
  for_each = var.database_cidrs

  security_group_id = aws_security_group.worker.id
  description       = "Databases of the cell"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432
}
