# How a tenant is reached, and what of the shared bucket is its own. All of it leaves with the tenant.

resource "aws_lb_listener_rule" "this" {
  listener_arn = var.platform.listener_arn
  priority     = var.priority

  action {
    type             = "forward"
    target_group_arn = var.platform.target_group_arn
  }

  condition {
    host_header {
      values = [local.host]
    }
  }

  tags = { Name = var.name }
}

resource "aws_route53_record" "this" {
  zone_id = var.platform.dns_zone_id
  name    = local.host
  type    = "A"

  alias {
    name                   = var.platform.load_balancer_dns_name
    zone_id                = var.platform.load_balancer_zone_id
    evaluate_target_health = true
  }

  # No other tenant has this name: what stands there is what an apply made whose end nobody saw.
  allow_overwrite = true
}

# Whoever acts for this tenant has its objects and its secrets, and nobody else's.
resource "aws_iam_policy" "this" {
  name        = "${var.name}-${var.environment}"
  path        = "/controlplane/"
  description = "Objects and secrets of one tenant"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
        Resource = "${var.platform.bucket_arn}/${local.prefix}*"
      },
      {
        Effect    = "Allow"
        Action    = "s3:ListBucket"
        Resource  = var.platform.bucket_arn
        Condition = { StringLike = { "s3:prefix" = "${local.prefix}*" } }
      },
      {
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = "arn:${data.aws_partition.current.partition}:secretsmanager:*:${data.aws_caller_identity.current.account_id}:secret:controlplane/${var.name}/application-*"
      },
      {
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = var.platform.platform_key_arn
        Condition = {
          StringLike = { "kms:ViaService" = ["s3.*.amazonaws.com", "secretsmanager.*.amazonaws.com"] }
        }
      },
    ]
  })
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  host   = "${var.name}.${var.platform.domain}"
  prefix = "tenants/${var.name}/"
}
