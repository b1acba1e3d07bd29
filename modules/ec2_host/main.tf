# One machine that runs the application with its cache beside it: the cheapest form, and one that fails as a whole.
# Its image is kept weekly; what the cache holds is disposable.

locals {
  # Amazon Linux 2023. The cache listens to this machine alone and forgets what was used least.
  first_start = <<-EOT
    #!/bin/bash
    set -euo pipefail
    dnf install -y redis6
    cat > /etc/redis6/redis6.conf <<'CONF'
    bind 127.0.0.1
    port 6379
    maxmemory ${coalesce(var.cache_mb, 256)}mb
    maxmemory-policy allkeys-lru
    save ""
    appendonly no
    CONF
    systemctl enable --now redis6
  EOT
}

data "aws_ssm_parameter" "image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${startswith(var.instance_type, "t4g") ? "arm64" : "x86_64"}"
}

# CloudFront's own addresses, kept by AWS: nobody else reaches the machine.
data "aws_ec2_managed_prefix_list" "cloudfront" {
  name = "com.amazonaws.global.cloudfront.origin-facing"
}

resource "aws_security_group" "this" {
  name        = "${var.name}-host"
  description = "The application's machine: called by CloudFront only"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-host" }
}

resource "aws_vpc_security_group_ingress_rule" "cloudfront" {
  # checkov:skip=CKV_AWS_260: only CloudFront's own addresses are let in, by AWS's list of them
  security_group_id = aws_security_group.this.id
  prefix_list_id    = data.aws_ec2_managed_prefix_list.cloudfront.id
  description       = "HTTP from CloudFront"
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.this.id
  cidr_ipv4         = "0.0.0.0/0"
  description       = "AWS, and the services that the application calls"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_iam_role" "this" {
  name                 = "${var.name}-host"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

# Shell access is by Session Manager, with a person's own name in the log: no key, no open port.
resource "aws_iam_role_policy_attachment" "sessions" {
  role       = aws_iam_role.this.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_role_policy" "this" {
  count = length(var.permissions) == 0 ? 0 : 1

  name = "application"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for permission in var.permissions : {
      Effect   = "Allow"
      Action   = permission.actions
      Resource = permission.resources
    }]
  })
}

resource "aws_iam_instance_profile" "this" {
  name = "${var.name}-host"
  role = aws_iam_role.this.name
}

resource "aws_instance" "this" {
  # checkov:skip=CKV_AWS_88: CloudFront reaches its origin over the internet; the group lets nobody else in
  # checkov:skip=CKV_AWS_126: five-minute metrics are enough for one machine
  ami                    = data.aws_ssm_parameter.image.value
  instance_type          = var.instance_type
  subnet_id              = var.subnet_id
  vpc_security_group_ids = concat([aws_security_group.this.id], var.security_group_ids)
  iam_instance_profile   = aws_iam_instance_profile.this.name
  ebs_optimized          = true
  user_data              = var.cache_mb == null ? null : local.first_start

  metadata_options {
    http_tokens   = "required"
    http_endpoint = "enabled"
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = var.volume_gb
    encrypted   = true
    kms_key_id  = var.key_arn
  }

  tags = { Name = "${var.name}-host", backup = "${var.name}-weekly" }

  # A newer image or another first start is for a new machine, made on purpose.
  lifecycle {
    ignore_changes = [ami, user_data]
  }
}

# Kept when the machine is replaced: the CDN's origin stays where it is.
resource "aws_eip" "this" {
  domain   = "vpc"
  instance = aws_instance.this.id

  tags = { Name = "${var.name}-host" }
}

resource "aws_cloudwatch_metric_alarm" "failed" {
  alarm_name          = "${var.name}-host-failed"
  alarm_description   = "The machine fails its checks: AWS moves it to another one"
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed_System"
  dimensions          = { InstanceId = aws_instance.this.id }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 2
  alarm_actions       = ["arn:aws:automate:${data.aws_region.current.name}:ec2:recover", var.alarm_topic_arn]
}

data "aws_region" "current" {}

resource "aws_iam_role" "images" {
  name                 = "${var.name}-images"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "dlm.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "images" {
  role       = aws_iam_role.images.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRoleForAMIManagement"
}

resource "aws_dlm_lifecycle_policy" "weekly" {
  description        = "Weekly image of ${var.name}"
  execution_role_arn = aws_iam_role.images.arn
  state              = "ENABLED"

  policy_details {
    policy_type    = "IMAGE_MANAGEMENT"
    resource_types = ["INSTANCE"]
    target_tags    = { backup = "${var.name}-weekly" }

    schedule {
      name = "weekly"

      create_rule {
        cron_expression = "cron(0 3 ? * SUN *)"
      }

      retain_rule {
        count = 4
      }
    }

    parameters {
      no_reboot = true
    }
  }
}
